import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { parseRestoreForm, restoreForm } from "./restore_form.ts";
import { type OptionName, optionTable } from "./table.ts";

Deno.test("restoreForm: a prompt and a field for each option that may be given at a restore", () => {
  const fields: [OptionName, string][] = [
    ["uri", "STR"],
    ["drop", "BOOL"],
    ["allow_unsigned", "BOOL"],
    ["pit", "STR"],
    ["dry_run", "BOOL"],
    ["include", "STR"],
    ["exclude", "STR"],
    ["ns_from", "STR"],
    ["ns_to", "STR"],
    ["where", "STR"],
    ["index_build", "STR"],
    ["parallel_indexes", "STR"],
    ["write_concern", "STR"],
    ["parallel_restore", "STR"],
    ["users", "STR"],
    ["mode", "STR"],
    ["engine", "STR"],
  ];
  strictEqual(
    restoreForm(),
    fields.map(([name, kind]) =>
      `OptPrompt="${optionTable[name].summary.replaceAll('"', "'")}"\n${name}=@${kind}@\n`
    ).join("\n"),
  );
});

Deno.test("restoreForm: every line is one that bconsole understands", () => {
  for (const line of restoreForm().split("\n")) {
    ok(/^(|OptPrompt="[^"\\]*"|[a-z_]{1,127}=@(STR|BOOL)@)$/.test(line), line);
  }
});

const good = [
  { name: "nothing", input: "", want: [] },
  {
    name: "a filled form as Bacula writes it",
    input:
      '# Plugin Options\n#  MongoDB connection string.\nuri="mongodb://db1/?a=b"\n\n# Whether\ndrop=yes\nallow_unsigned=no\n',
    want: [["uri", "mongodb://db1/?a=b"], ["drop", true], ["allow_unsigned", false]],
  },
  {
    name: "escaped quotes and backslashes",
    input: 'uri="mongodb://a\\"b\\\\c"',
    want: [["uri", 'mongodb://a"b\\c']],
  },
  { name: "names in capitals", input: "DROP=yes", want: [["drop", true]] },
  {
    name: "every kind of parameter",
    input:
      'pit="1795421234:7"\ndry_run=yes\ninclude="app.*, shop.a b"\nns_from="a.*"\nns_to="b.*"\nwhere="/var/a b"\n',
    want: [["pit", "1795421234:7"], ["dry_run", true], ["include", ["app.*", "shop.a b"]], ["ns_from", [
      "a.*",
    ]], [
      "ns_to",
      ["b.*"],
    ], ["where", "/var/a b"]],
  },
  { name: "an answer left empty", input: 'uri=""\ndrop=\n', want: [] },
  { name: "lines that end as on Windows", input: "drop=yes\r\n", want: [["drop", true]] },
];

for (const { name, input, want } of good) {
  Deno.test(`parseRestoreForm: takes ${name}`, () => deepStrictEqual([...parseRestoreForm(input)], want));
}

const bad = [
  { name: "a field that the form doesn't have", input: 'password_file="/x"', want: /no answer to the form/ },
  { name: "a line without a field", input: "yes", want: /no answer to the form/ },
  {
    name: "a value of another kind",
    input: "drop=maybe",
    want: /option "drop" is "maybe", wanted yes or no/,
  },
  {
    name: "an instant that is none",
    input: 'pit="2026-02-30T00:00:00Z"',
    want: /option "pit" is no instant of the calendar/,
  },
];

for (const { name, input, want } of bad) {
  Deno.test(`parseRestoreForm: refuses ${name}`, () => {
    throws(() => parseRestoreForm(input), { code: "optionInvalid", message: want });
  });
}

Deno.test("parseRestoreForm: reads any connection string back from Bacula's quotes", () => {
  const answer = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/\s/.test(text)).map((
    text,
  ) => `mongodb://${text}`);
  fc.assert(fc.property(answer, (uri) => {
    deepStrictEqual([...parseRestoreForm(`uri="${uri.replace(/["\\]/g, "\\$&")}"\n`)], [["uri", uri]]);
  }));
});

Deno.test("parseRestoreForm: throws nothing but a PluginError, and never shows a piece of a secret", () => {
  const secret = fc.string({ unit: fc.constantFrom(..."GHJKLQXZ0123456789"), minLength: 6 });
  const form = fc.constantFrom(
    (text: string) => `uri=mongodb://u:x ${text}@h`,
    (text: string) => `uri="${text}"`,
    (text: string) => `drop="mongodb://u:${text}@h"`,
    (text: string) => text,
  );
  fc.assert(fc.property(secret, fc.string(), form, (pass, noise, fill) => {
    for (const text of [fill(pass), fill(noise)]) {
      try {
        parseRestoreForm(text);
      } catch (thrown) {
        ok(thrown instanceof PluginError, String(thrown));
        ok(!thrown.report.includes(pass), thrown.report);
      }
    }
  }));
});
