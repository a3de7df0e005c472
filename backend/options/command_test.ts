import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { checkRenames, overrideOptions, parsePluginCommand } from "./command.ts";
import { optionRows, optionTable } from "./table.ts";
import { formatValue } from "./value.ts";

const uri = "uri=mongodb://db1";

/** The sentence of the failure, and nothing else may be thrown. */
function faultOf(command: string): PluginError | null {
  try {
    parsePluginCommand(command);
    return null;
  } catch (thrown) {
    ok(thrown instanceof PluginError, String(thrown));
    return thrown;
  }
}

const good = [
  { name: "spaces around the colon", input: ` podheitor-mongodb : ${uri}`, want: { uri: "mongodb://db1" } },
  { name: "no colon", input: `podheitor-mongodb ${uri}`, want: { uri: "mongodb://db1" } },
  {
    name: "double quotes",
    input: `podheitor-mongodb: ${uri} database="a, b"`,
    want: { database: ["a", "b"] },
  },
  {
    name: "single quotes and an escape",
    input: `podheitor-mongodb: ${uri} database='a\\'b'`,
    want: { database: ["a'b"] },
  },
  {
    name: "an equals sign in the value",
    input: `podheitor-mongodb: ${uri}/?a=b`,
    want: { uri: "mongodb://db1/?a=b" },
  },
  {
    name: "sizes and switches",
    input: `podheitor-mongodb: ${uri} segment_size=64M verify=false sign=no`,
    want: { segment_size: 64 << 20, verify: false, sign: false },
  },
  {
    name: "what isn't given has its default",
    input: `podheitor-mongodb: ${uri}`,
    want: { parallel_dbs: 4, mode: "dump" },
  },
];

for (const { name, input, want } of good) {
  Deno.test(`parsePluginCommand: takes ${name}`, () => {
    const options: Record<string, unknown> = parsePluginCommand(input);
    for (const [option, value] of Object.entries(want)) deepStrictEqual(options[option], value);
  });
}

const bad = [
  {
    name: "another prefix",
    input: `podheitor-mongodbx: ${uri}`,
    want: 'it begins with "podheitor-mongodbx", wanted "podheitor-mongodb:"',
  },
  {
    name: "another prefix without a colon",
    input: `podheitor-mongodbx ${uri}`,
    want: 'it begins with "podheitor-mongodbx"',
  },
  { name: "no prefix", input: uri, want: 'it doesn\'t begin with "podheitor-mongodb:"' },
  { name: "an empty text", input: "", want: 'it doesn\'t begin with "podheitor-mongodb:"' },
  {
    name: "a mistyped option",
    input: `podheitor-mongodb: ${uri} databse=a`,
    want: 'part 2 names an unknown option: did you mean "database"?',
  },
  {
    name: "an unknown option",
    input: `podheitor-mongodb: ${uri} compression=9`,
    want: "part 2 names an unknown option",
  },
  {
    name: "an option twice",
    input: `podheitor-mongodb: ${uri} sign=no sign=no`,
    want: 'option "sign" is given twice',
  },
  {
    name: "a mode of later versions twice",
    input: `podheitor-mongodb: ${uri} mode=snapshot mode=snapshot`,
    want: 'option "mode" is given twice',
  },
  { name: "a word", input: `podheitor-mongodb: ${uri} hello`, want: "part 2 is no key=value" },
  {
    name: "a value without a name",
    input: `podheitor-mongodb: ${uri} =x`,
    want: 'part 2 has no name before its "="',
  },
  {
    name: "an open quote",
    input: `podheitor-mongodb: ${uri} database="a`,
    want: 'option "database" has a quote that isn\'t closed',
  },
  {
    name: "both uri and uri_file",
    input: `podheitor-mongodb: ${uri} uri_file=/u`,
    want: '"uri" and "uri_file" exclude each other',
  },
  {
    name: "several faults, all of them",
    input: `podheitor-mongodb: ${uri} sign=maybe parallel_dbs=99`,
    want: 'option "sign" is "maybe", wanted yes or no; option "parallel_dbs" is "99", wanted 1 to 16',
  },
];

for (const { name, input, want } of bad) {
  Deno.test(`parsePluginCommand: refuses ${name}`, () => {
    const fault = faultOf(input);
    strictEqual(fault?.code, "optionInvalid");
    ok(fault.message.includes(want), fault.message);
  });
}

Deno.test("parsePluginCommand: a mode of later versions is unavailable, not unknown", () => {
  throws(() => parsePluginCommand("podheitor-mongodb: mode=snapshot"), {
    code: "optionUnavailable",
    message: /mode=snapshot/,
  });
});

Deno.test("parsePluginCommand: throws nothing but a PluginError, whatever it is given", () => {
  const pieces = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("podheitor-mongodb", ":", " ", "=", '"', "'", "\\", ...Object.keys(optionTable)),
  );
  fc.assert(fc.property(fc.array(pieces).map((all) => all.join("")), (text) => void faultOf(text)));
  fc.assert(fc.property(fc.array(pieces), (all) => void faultOf(`podheitor-mongodb: ${all.join("")}`)));
});

Deno.test("parsePluginCommand: reads each option's own text as its value", () => {
  const list = fc.array(
    fc.string({ unit: "grapheme", minLength: 1 }).filter((one) => one.trim() === one && !one.includes(",")),
    {
      minLength: 1,
    },
  ).map((all) => [...new Set(all)]);
  const given = fc.record({
    uri: fc.webPath().map((path) => `mongodb://db1${path}`),
    database: list.filter((all) => !all.includes("")),
    parallel_dbs: fc.integer({ min: 1, max: 16 }),
    segment_size: fc.integer({ min: 1 << 20, max: 256 << 20 }),
    sign: fc.boolean(),
    password_file: fc.constantFrom("/etc/a b", '/etc/"q"', "/etc/back\\slash"),
  });
  fc.assert(fc.property(given, (values) => {
    const parts = Object.entries(values).map(([name, value]) =>
      `${name}="${formatValue(value).replace(/["\\]/g, "\\$&")}"`
    );
    const options: Record<string, unknown> = parsePluginCommand(`podheitor-mongodb: ${parts.join(" ")}`);
    for (const [name, value] of Object.entries(values)) deepStrictEqual(options[name], value);
  }));
});

Deno.test("parsePluginCommand: a secret that is torn apart, or stands in the wrong place, is in no error", () => {
  // Letters that no error's own words have in a row.
  const letters = "GHJKLQXZ";
  const piece = fc.string({ unit: fc.constantFrom(...letters), minLength: 4, maxLength: 12 });
  const glue = fc.constantFrom(
    " ",
    '"',
    "'",
    "=",
    " =",
    "= ",
    '" ',
    ' "',
    "\t",
    "\\",
    "://",
    "@",
    "/",
    "?",
    "&",
    ",",
    "%",
    ":",
  );
  const password = fc.tuple(piece, glue, piece, glue, piece);
  const template = fc.constantFrom(
    (secret: string) => `uri=mongodb://u:${secret}@h databse=x`,
    (secret: string) => `uri="mongodb://u:${secret}@h" sign=maybe`,
    (secret: string) => `uri='mongodb://u:${secret}@h' mode=x`,
    (secret: string) => `uri=u:${secret}@h`,
    (secret: string) => `uri=mongodb://h mode=${secret}`,
    (secret: string) => `password=${secret} uri=mongodb://h`,
    (secret: string) => `password_file=${secret} uri=mongodb://h`,
    (secret: string) => `uri_file=${secret}`,
    (secret: string) => `mongodb://u:${secret}@h`,
    (secret: string) => `sign=mongodb://u:${secret.replaceAll(/\s/g, "")}@h`,
  );
  fc.assert(
    fc.property(password, template, fc.boolean(), (pieces, fill, prefixed) => {
      const fault = faultOf(`${prefixed ? "podheitor-mongodb: " : ""}${fill(pieces.join(""))}`);
      for (const at of [0, 2, 4]) ok(!fault?.report.includes(pieces[at]!), fault?.report);
    }),
    { numRuns: 2000 },
  );
});

const unpaired = [
  { name: "more from than to", ns_from: ["a.*", "b.*"], ns_to: ["c.*"] },
  { name: "fewer from than to", ns_from: ["a.*"], ns_to: ["c.*", "d.*"] },
  { name: "more stars from than to", ns_from: ["a.*", "*.b*"], ns_to: ["c.*", "c.*"] },
  { name: "fewer stars from than to", ns_from: ["a.b"], ns_to: ["c.*"] },
];

for (const { name, ns_from, ns_to } of unpaired) {
  Deno.test(`checkRenames: refuses ${name}, also in a plugin command that has both`, () => {
    const wanted = { code: "optionInvalid", message: /"ns_from" and "ns_to" need as many patterns/ };
    throws(() => checkRenames({ ns_from, ns_to }), wanted);
    throws(
      () => parsePluginCommand(`podheitor-mongodb: ${uri} ns_from=${ns_from} ns_to=${ns_to}`),
      wanted,
    );
  });
}

Deno.test("checkRenames: takes pairs, and nothing; a plugin command may leave one of them to the prompt", () => {
  checkRenames({ ns_from: [], ns_to: [] });
  checkRenames({ ns_from: ["data.*_*", "a.b"], ns_to: ["*.*", "c.d"] });
  const { ns_from, ns_to } = parsePluginCommand(`podheitor-mongodb: ${uri} ns_to=c.*`);
  deepStrictEqual({ ns_from, ns_to }, { ns_from: [], ns_to: ["c.*"] });
  throws(() => checkRenames({ ns_from, ns_to }), { code: "optionInvalid" });
});

Deno.test("overrideOptions: a connection string replaces the file of one, other options stay", () => {
  const options = parsePluginCommand("podheitor-mongodb: uri_file=/u database=a");
  const replaced = overrideOptions(options, new Map([["uri", "mongodb://other"]]));
  deepStrictEqual(replaced, { ...options, uri: "mongodb://other", uri_file: null });
  deepStrictEqual(overrideOptions(options, new Map([["drop", true]])), { ...options, drop: true });
});

for (const [name, { example }] of optionRows) {
  Deno.test(`optionTable: the example of ${name} is taken`, () => {
    strictEqual(example.split("=")[0], name);
    strictEqual(faultOf(`podheitor-mongodb: ${name.startsWith("uri") ? "" : uri} ${example}`), null);
  });
}
