import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseWebConfig, type WebConfig } from "./web_config.ts";

const hash = `$2y$10$${"a".repeat(53)}`;

const good: { text: string; want: WebConfig }[] = [
  { text: "", want: { tls: null, users: new Map() } },
  { text: "# nothing\n", want: { tls: null, users: new Map() } },
  {
    text: "tls_server_config:\n  cert_file: server.crt\n  key_file: /etc/server.key\n",
    want: { tls: { certFile: "server.crt", keyFile: "/etc/server.key" }, users: new Map() },
  },
  {
    text:
      "tls_server_config: {cert_file: a, key_file: b, client_auth_type: NoClientCert, min_version: TLS12}",
    want: { tls: { certFile: "a", keyFile: "b" }, users: new Map() },
  },
  {
    text: `basic_auth_users:\n  prom: ${hash}\n  "a b": '${hash}'\n`,
    want: { tls: null, users: new Map([["prom", hash], ["a b", hash]]) },
  },
];

for (const { text, want } of good) {
  Deno.test(`parseWebConfig() reads ${JSON.stringify(text)}`, () =>
    deepStrictEqual(parseWebConfig(text), want));
}

const bad: { text: string; want: RegExp }[] = [
  { text: "a: [", want: /^it is no YAML$/ },
  { text: "a: 1\na: 2", want: /^it is no YAML$/ },
  { text: "a: &x [1]\nb: *x", want: /^it is no YAML$/ },
  { text: "- 1", want: /^it: / },
  {
    text: "http_server_config:\n  http2: false",
    want: /^http_server_config can't be done by this exporter$/,
  },
  { text: "tls_server_config: {cert_file: a}", want: /^tls_server_config\.key_file: / },
  {
    text: "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
    want:
      /^tls_server_config\.client_auth_type: wanted NoClientCert: no certificates can be asked of clients$/,
  },
  {
    text: "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
    want: /^tls_server_config: client_ca_file can't be done by this exporter$/,
  },
  {
    text: "tls_server_config: {cert_file: a, key_file: b, min_version: TLS13}",
    want: /^tls_server_config\.min_version: wanted TLS12: /,
  },
  { text: "basic_auth_users: {prom: secret}", want: /^basic_auth_users\.prom: it is no hash of bcrypt$/ },
  {
    text: `basic_auth_users: {prom: ${hash.replace("10", "31")}}`,
    want: /^basic_auth_users\.prom: its cost is above 12$/,
  },
  { text: `basic_auth_users: {"a:b": ${hash}}`, want: /^basic_auth_users\.a:b: / },
];

for (const { text, want } of bad) {
  Deno.test(`parseWebConfig() refuses ${JSON.stringify(text)}`, () =>
    throws(() => parseWebConfig(text), { message: want }));
}

Deno.test("parseWebConfig() never gives away what stands where a hash should be", () => {
  const secret = fc.string({ minLength: 8 }).filter((text) => /^[\w$./]+$/.test(text));
  fc.assert(
    fc.property(secret, fc.constantFrom("", "  - [", "\n :"), (text, damage) => {
      throws(
        () => parseWebConfig(`basic_auth_users:\n  prom: x${text}${damage}\n`),
        (cause: Error) => !cause.message.includes(text),
      );
    }),
  );
});
