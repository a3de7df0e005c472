import { ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { Secret } from "../secret.ts";
import {
  checkSecretMode,
  type MachineSecrets,
  maskUri,
  passwordWarning,
  resolveUri,
  transportWarnings,
} from "./credentials.ts";

const masked = [
  { input: "mongodb://u:secret@h/db", want: "mongodb://u:***@h/db" },
  { input: "mongodb+srv://u:sec@ret@h", want: "mongodb+srv://u:***@h" },
  { input: "MongoDB://u:secret@h", want: "MongoDB://u:***@h" },
  { input: "mongodb://:secret@h", want: "mongodb://:***@h" },
  { input: "mongodb://u:sec/ret@h", want: "mongodb://u:***@h" },
  { input: "mongodb://u@h:27017/?a=b", want: "mongodb://u@h:27017/?a=b" },
  {
    input: "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=secret&x=1",
    want: "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***&x=1",
  },
  { input: "mongodb://h/?PROXYPASSWORD=secret", want: "mongodb://h/?PROXYPASSWORD=***" },
  {
    input: "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:secret&x=1",
    want: "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:***&x=1",
  },
  {
    input: "mongodb://h/?authMechanismProperties=A:b,AWS_SESSION_TOKEN%3Asecret",
    want: "mongodb://h/?authMechanismProperties=A:b,AWS_SESSION_TOKEN%3A***",
  },
  { input: 'cannot parse "mongodb://u:secret@h" now', want: 'cannot parse "mongodb://u:***@h" now' },
];

for (const { input, want } of masked) {
  Deno.test(`maskUri: ${want}`, () => strictEqual(maskUri(input), want));
}

const warned = [
  { uri: null, want: false },
  { uri: "mongodb://u@h:27017/?tlsCertificateKeyFile=/k", want: false },
  { uri: "mongodb://u:p@h", want: true },
  { uri: "mongodb://h/?proxyPassword=p", want: true },
];

for (const { uri, want } of warned) {
  Deno.test(`passwordWarning: ${want ? "for" : "none for"} ${uri}`, () => {
    strictEqual(passwordWarning({ uri }) !== null, want);
    ok(!passwordWarning({ uri })?.includes("mongodb://"));
  });
}

const none = { uri: null, uri_file: null, password_file: null };
const holding = (text: string, mode = 0o600) => () => Promise.resolve({ text, mode });
const missing = () => Promise.reject(new Error("No such file"));

const resolved = [
  {
    name: "the connection string itself",
    options: { ...none, uri: "mongodb://h" },
    read: missing,
    want: "mongodb://h",
  },
  {
    name: "the one of the file",
    options: { ...none, uri_file: "/u" },
    read: holding("mongodb://u:p@h\n"),
    want: "mongodb://u:p@h",
  },
  {
    name: "the password of the file, to its line's end",
    options: { ...none, uri: "mongodb://u@h,i/?a=b", password_file: "/p" },
    read: holding(" p@s:s/w%d \r\n"),
    want: "mongodb://u:%20p%40s%3As%2Fw%25d%20@h,i/?a=b",
  },
  {
    name: "an @ in the connection string's options",
    options: { ...none, uri: "mongodb://u@h/?a=x@y", password_file: "/p" },
    read: holding("pw"),
    want: "mongodb://u:pw@h/?a=x@y",
  },
];

for (const { name, options, read, want } of resolved) {
  Deno.test(`resolveUri: takes ${name}`, async () =>
    strictEqual((await resolveUri(options, { read })).reveal(), want));
}

/** Files by their paths; systemd's have bits that no other file may have. */
const files = (texts: Record<string, string>) => (path: string) =>
  texts[path] === undefined
    ? Promise.reject(Object.assign(new Error("No such file"), { name: "NotFound" }))
    : Promise.resolve({ text: texts[path], mode: path.startsWith("/c/") ? 0o440 : 0o600 });

const found: {
  name: string;
  options?: { uri?: string; uri_file?: string; password_file?: string };
  machine: Partial<MachineSecrets>;
  texts?: Record<string, string>;
  want: string;
}[] = [
  {
    name: "the variable's connection string",
    machine: { uri: "mongodb://u:p@v\n" },
    want: "mongodb://u:p@v",
  },
  {
    name: "the file's before the variable's",
    options: { uri_file: "/u" },
    machine: { uri: "mongodb://v" },
    texts: { "/u": "mongodb://f" },
    want: "mongodb://f",
  },
  {
    name: "systemd's last",
    machine: { credentials: "/c" },
    texts: { "/c/podheitor-mongodb-uri": "mongodb://c\n" },
    want: "mongodb://c",
  },
  {
    name: "the variable's before systemd's",
    machine: { uri: "mongodb://v", credentials: "/c" },
    texts: { "/c/podheitor-mongodb-uri": "mongodb://c" },
    want: "mongodb://v",
  },
  {
    name: "a file of systemd's by its path",
    options: { uri_file: "/c/mine" },
    machine: { credentials: "/c" },
    texts: { "/c/mine": "mongodb://m" },
    want: "mongodb://m",
  },
  {
    name: "the variable's password, odd characters and all",
    options: { uri: "mongodb://u@h/?authSource=admin" },
    machine: { password: "p@:/ %" },
    want: "mongodb://u:p%40%3A%2F%20%25@h/?authSource=admin",
  },
  {
    name: "systemd's password",
    options: { uri: "mongodb://u@h" },
    machine: { credentials: "/c" },
    texts: { "/c/podheitor-mongodb-password": "pw\n" },
    want: "mongodb://u:pw@h",
  },
  {
    name: "the password of password_file before the variable's",
    options: { uri: "mongodb://u@h", password_file: "/p" },
    machine: { password: "v" },
    texts: { "/p": "f" },
    want: "mongodb://u:f@h",
  },
  {
    name: "the connection string's own password before the variable's",
    options: { uri: "mongodb://u:own@h" },
    machine: { password: "v" },
    want: "mongodb://u:own@h",
  },
  {
    name: "no password for nobody",
    options: { uri: "mongodb://h" },
    machine: { password: "v" },
    want: "mongodb://h",
  },
  {
    name: "no password where a certificate logs in",
    options: { uri: "mongodb://CN%3Dme@h/?authMechanism=MONGODB-X509" },
    machine: { password: "v" },
    want: "mongodb://CN%3Dme@h/?authMechanism=MONGODB-X509",
  },
];

for (const { name, options = {}, machine, texts = {}, want } of found) {
  Deno.test(`resolveUri: finds ${name}`, async () =>
    strictEqual(
      (await resolveUri({ ...none, ...options }, { read: files(texts), ...machine })).reveal(),
      want,
    ));
}

Deno.test("resolveUri: refuses to guess where there is no connection string at all", async () => {
  await rejects(resolveUri(none, { read: files({}), credentials: "/c" }), {
    code: "optionInvalid",
    message: /neither uri= nor uri_file= .* PODHEITOR_MONGODB_URI .* podheitor-mongodb-uri$/,
  });
});

Deno.test("transportWarnings: one for each setting that lets anybody be the server", () => {
  const count = (query: string) => transportWarnings(new Secret(`mongodb://u:s3cret@h/?${query}`)).length;
  strictEqual(count("tls=true&tlsCAFile=/ca"), 0);
  strictEqual(count("tlsAllowInvalidCertificates=false"), 0);
  strictEqual(count("TLSAllowInvalidCertificates=true&tlsAllowInvalidHostnames=true&tlsInsecure=true"), 3);
  const [warning = ""] = transportWarnings(new Secret("mongodb://u:s3cret@h/?tlsInsecure=true"));
  ok(warning.startsWith("tlsInsecure=true ") && !warning.includes("s3cret"), warning);
});

const refused = [
  { name: "a file that isn't there", options: { uri_file: "/u" }, read: missing, code: "secretUnreadable" },
  {
    name: "a file that others can read",
    options: { uri_file: "/u" },
    read: holding("mongodb://h", 0o640),
    code: "secretUnreadable",
  },
  { name: "an empty file", options: { uri_file: "/u" }, read: holding(" \n"), code: "secretUnreadable" },
  {
    name: "a file with something else",
    options: { uri_file: "/u" },
    read: holding("s3cret"),
    code: "optionInvalid",
  },
  {
    name: "white space in the file's string",
    options: { uri_file: "/u" },
    read: holding("mongodb://u:s3cret x@h"),
    code: "optionInvalid",
  },
  {
    name: "a password for nobody",
    options: { uri: "mongodb://h", password_file: "/p" },
    read: holding("s3cret"),
    code: "optionInvalid",
  },
  {
    name: "two passwords",
    options: { uri: "mongodb://u:s3cret@h", password_file: "/p" },
    read: holding("s3cret"),
    code: "optionInvalid",
  },
];

for (const { name, options, read, code } of refused) {
  Deno.test(`resolveUri: refuses ${name}`, async () => {
    await rejects(resolveUri({ ...none, ...options }, { read }), (thrown) => {
      ok(thrown instanceof PluginError);
      strictEqual(thrown.code, code);
      ok(!thrown.report.includes("s3cret"), thrown.report);
      return true;
    });
  });
}

Deno.test("resolveUri: any password comes out of the connection string as it stood in its file", async () => {
  const password = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) =>
    text.trim() !== "" && !/[\r\n]$/.test(text)
  );
  await fc.assert(fc.asyncProperty(password, async (text) => {
    const uri = await resolveUri(
      { ...none, uri: "mongodb://u@h/", password_file: "/p" },
      { read: holding(`${text}\n`) },
    );
    const [, encoded] = /^mongodb:\/\/u:([^@:/?#\s]*)@h\/$/.exec(uri.reveal()) ?? [];
    strictEqual(decodeURIComponent(encoded ?? ""), text);
    strictEqual(maskUri(uri.reveal()), "mongodb://u:***@h/");
  }));
});

Deno.test("checkSecretMode: only the owner may have any right", () => {
  for (const mode of [0o600, 0o400, 0o700, 0o100600]) checkSecretMode("/p", mode);
  for (const mode of [0o640, 0o604, 0o610, 0o666]) {
    throws(() => checkSecretMode("/p", mode), { code: "secretUnreadable" });
  }
});
