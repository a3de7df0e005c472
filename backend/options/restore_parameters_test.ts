import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  describeParameters,
  formatParameters,
  isRestoreParameter,
  parseParameters,
  readParameter,
} from "./restore_parameters.ts";
import type { OptionRow } from "./row.ts";
import { type OptionName, optionRows, optionTable } from "./table.ts";
import type { OptionValue } from "./value.ts";

const createdAt = new Date("2026-11-23T08:00:00Z");
const expiresAt = new Date("2026-11-23T09:00:00Z");

const word = fc.string({ unit: fc.constantFrom(..."ab_*"), minLength: 1, maxLength: 4 });
const path = fc.string({ unit: fc.constantFrom(...'ab/ é"\\'), maxLength: 8 });

/** Values as the options' parser gives them. */
const valuesOf = {
  bool: fc.boolean(),
  uri: path.filter((text) => !text.includes(" ")).map((text) => `mongodb://u:p@h/${text}`),
  choice: fc.constantFrom("auto", "yes", "no"),
  path: path.map((text) => `/${text}`),
  instant: fc.oneof(fc.nat().map(String), fc.constantFrom("2026-11-23T08:15:00Z@5", ":inc=3", "@inc=4")),
  patterns: fc.array(fc.array(word, { minLength: 2, maxLength: 3 }).map((parts) => parts.join(".")), {
    minLength: 1,
    maxLength: 3,
  }),
  write_concern: fc.oneof(fc.constant("majority"), fc.integer({ min: 1, max: 50 })),
};

function valueOf(row: OptionRow): fc.Arbitrary<OptionValue> {
  if (row.kind === "choice") return fc.constantFrom(...row.values);
  if (row.kind === "integer") return fc.integer({ min: row.min, max: row.max });
  return valuesOf[row.kind as keyof typeof valuesOf];
}

const parameter = fc.oneof(
  ...optionRows.filter(([, row]) => row.form).map(([name, row]) =>
    valueOf(row).map((value) => [name, value] as const)
  ),
);

Deno.test("parseParameters() reads what formatParameters() writes", () => {
  const values = fc.uniqueArray(parameter, { selector: ([name]) => name }).map((all) =>
    new Map<OptionName, OptionValue>(all)
  );
  const created = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
  fc.assert(fc.property(values, created, fc.integer({ min: 0, max: 3_600_000 }), (values, createdAt, ms) => {
    const file = { resource: "rs0", createdAt, expiresAt: new Date(createdAt.getTime() + ms), values };
    deepStrictEqual(parseParameters(formatParameters(file)), file);
  }));
});

Deno.test("formatParameters() writes the texts of the options", () => {
  const values = new Map<OptionName, OptionValue>([["drop", true], ["include", ["a.*", "b.c"]], [
    "pit",
    "5:1",
  ], [
    "where",
    null,
  ]]);
  deepStrictEqual(JSON.parse(formatParameters({ resource: "rs0", createdAt, expiresAt, values })), {
    format: "podheitor-mongodb-restore/1",
    resource: "rs0",
    createdAt: "2026-11-23T08:00:00.000Z",
    expiresAt: "2026-11-23T09:00:00.000Z",
    parameters: { drop: "yes", include: "a.*,b.c", pit: "5:1" },
  });
});

const good = JSON.parse(formatParameters({ resource: "rs0", createdAt, expiresAt, values: new Map() }));
const bad = [
  { name: "what is no JSON", file: "{", want: /^it is no JSON$/ },
  { name: "another kind of JSON", file: [], want: /^the file: / },
  { name: "another format", file: { ...good, format: "podheitor-mongodb-restore/2" }, want: /^format: / },
  { name: "one field more", file: { ...good, more: 1 }, want: /more/ },
  { name: "one field less", file: { ...good, expiresAt: undefined }, want: /^expiresAt: / },
  { name: "a time that is none", file: { ...good, createdAt: "today" }, want: /^createdAt: / },
  {
    name: "more than an hour",
    file: { ...good, expiresAt: "2026-11-23T09:00:00.001Z" },
    want: /^expiresAt: more than 3600 seconds after createdAt$/,
  },
  {
    name: "a value that is no text",
    file: { ...good, parameters: { drop: true } },
    want: /^parameters.drop: /,
  },
  {
    name: "an unknown parameter",
    file: { ...good, parameters: { dorp: "yes" } },
    want: /^parameters: .*dorp/,
  },
  {
    name: "an option that is no parameter of a restore",
    file: { ...good, parameters: { password_file: "/x" } },
    want: /^parameters: .*password_file/,
  },
  {
    name: "a parameter of every object",
    file: { ...good, parameters: { constructor: "yes" } },
    want: /^parameters: .*constructor/,
  },
  {
    name: "a value that isn't one of its option",
    file: { ...good, parameters: { pit: "soon" } },
    want: /^option "pit" is no point in time/,
  },
];

for (const { name, file, want } of bad) {
  Deno.test(`parseParameters() refuses ${name}`, () => {
    const text = typeof file === "string" ? file : JSON.stringify(file);
    throws(() => parseParameters(text), { message: want });
  });
}

Deno.test("parseParameters() drops no parameter, whatever its name is", () => {
  const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "toString", "drop "));
  fc.assert(
    fc.property(name, (name) => {
      const text = JSON.stringify({ ...good, parameters: {} }).replace(
        '"parameters":{}',
        () => `"parameters":{${JSON.stringify(name)}:"yes"}`,
      );
      if (isRestoreParameter(name)) return;
      throws(() => parseParameters(text));
    }),
    { examples: [["__proto__"], ["constructor"]] },
  );
});

Deno.test("parseParameters() throws an Error without a piece of a connection string, whatever it is given", () => {
  const secret = fc.string({ unit: fc.constantFrom(..."GHJKLQXZ"), minLength: 4 });
  const form = fc.constantFrom(
    (text: string) => `{"parameters":{"uri":"mongodb://u:${text}@h"`,
    (text: string) => JSON.stringify({ ...good, parameters: { uri: `http://u:${text}@h` } }),
    (text: string) => JSON.stringify({ ...good, parameters: { drop: `mongodb://u:${text}@h` } }),
    (text: string) => JSON.stringify({ ...good, parameters: { uri: [text] } }),
    (text: string) => JSON.stringify({ ...good, format: text }),
    (text: string) => JSON.stringify(text),
  );
  fc.assert(fc.property(secret, form, (secret, fill) => {
    throws(
      () => parseParameters(fill(secret)),
      (thrown) => thrown instanceof Error && !thrown.message.includes(secret),
    );
  }));
});

Deno.test("isRestoreParameter() knows the options of the restore's form, and no others", () => {
  for (const [name, row] of optionRows) strictEqual(isRestoreParameter(name), row.form === true, name);
  for (const name of ["", "constructor", "__proto__", "DROP"]) ok(!isRestoreParameter(name), name);
});

Deno.test("readParameter() names the option whose text is wrong", () => {
  strictEqual(readParameter("resource", "rs0"), "rs0");
  throws(() => readParameter("drop", "maybe"), {
    name: "ValueFault",
    message: 'option "drop" is "maybe", wanted yes or no',
  });
});

Deno.test("describeParameters() says where each parameter comes from, and hides secrets", () => {
  const prompt = new Map<OptionName, OptionValue>([["pit", "5:1"], ["drop", false]]);
  const prepared = new Map<OptionName, OptionValue>([
    ["uri", "mongodb://u:secret@h"],
    ["drop", true],
    ["include", ["a.*", "b.c"]],
  ]);
  strictEqual(
    describeParameters(prompt, prepared),
    "Restore parameters: uri=mongodb://u:***@h (prepared file), drop=no (prompt), pit=5:1 (prompt), " +
      "include=a.*,b.c (prepared file); the prompt comes before the prepared file, that before the Plugin line",
  );
  strictEqual(describeParameters(new Map(), new Map()), null);
});

Deno.test("every parameter of a restore is for restores", () => {
  for (const [name, row] of optionRows) if (row.form) ok(optionTable[name].use !== "backup", name);
});
