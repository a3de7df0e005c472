import { ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { checkSecretMode, maskUri, passwordWarning, resolveUri } from "./credentials.ts";

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
    strictEqual((await resolveUri(options, read)).reveal(), want));
}

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
    await rejects(resolveUri({ ...none, ...options }, read), (thrown) => {
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
      holding(`${text}\n`),
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
