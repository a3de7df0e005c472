import { deepStrictEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { optionRows, optionTable } from "./table.ts";
import { formatValue, parseValue } from "./value.ts";
import { ValueFault } from "./value_fault.ts";

const good = [
  ...["yes", "true", "on", "1", "YES"].map((input) => ({ option: "sign", input, want: true } as const)),
  ...["no", "false", "off", "0"].map((input) => ({ option: "sign", input, want: false } as const)),
  { option: "parallel_dbs", input: "16", want: 16 },
  { option: "segment_size", input: "1048576", want: 1 << 20 },
  { option: "segment_size", input: "1M", want: 1 << 20 },
  { option: "segment_size", input: "2mb", want: 2 << 20 },
  { option: "segment_size", input: "2MiB", want: 2 << 20 },
  { option: "segment_size", input: "2048k", want: 2 << 20 },
  { option: "database", input: "b, a,b", want: ["b", "a"] },
  { option: "resource", input: "rs-0.b_1", want: "rs-0.b_1" },
  { option: "pit", input: "2026-11-23t08:15:00+01:00:7", want: "2026-11-23t08:15:00+01:00:7" },
  { option: "pit", input: ":inc=02", want: ":inc=02" },
  { option: "include", input: "app.*, *.orders,app.a.b", want: ["app.*", "*.orders", "app.a.b"] },
  { option: "ns_from", input: "a.x,a.x", want: ["a.x", "a.x"] },
  { option: "ns_to", input: "a.********", want: ["a.********"] },
  { option: "where", input: "/", want: "/" },
  { option: "dry_run", input: "yes", want: true },
  { option: "index_build", input: "none", want: "none" },
  { option: "write_concern", input: "majority", want: "majority" },
  { option: "write_concern", input: "1", want: 1 },
  { option: "write_concern", input: "50", want: 50 },
  { option: "readPreference", input: "nearest", want: "nearest" },
  { option: "source", input: "DB1.example", want: "db1.example:27017" },
  { option: "source", input: "[::1]:27018", want: "[::1]:27018" },
  { option: "avoid", input: "a:1, b,a:1", want: ["a:1", "b:27017"] },
  { option: "tags", input: "use:backup, dc:east;", want: "use:backup,dc:east;" },
  { option: "uri", input: "mongodb+srv://u@h/?x=1", want: "mongodb+srv://u@h/?x=1" },
] as const;

for (const { option, input, want } of good) {
  Deno.test(`parseValue: ${option}=${input}`, () =>
    deepStrictEqual(parseValue(optionTable[option], input), want));
}

const bad = [
  { option: "sign", input: "maybe", want: 'is "maybe", wanted yes or no' },
  { option: "sign", input: "", want: "has no value" },
  { option: "sign", input: "x@h", want: "has a value that isn't shown here, wanted yes or no" },
  { option: "parallel_dbs", input: "0", want: 'is "0", wanted 1 to 16' },
  { option: "parallel_dbs", input: "1e1", want: 'is "1e1", wanted a whole number' },
  { option: "segment_size", input: "1T", want: 'is "1T", wanted a size such as 32M' },
  { option: "segment_size", input: "1G", want: 'is "1G", wanted 1048576 to 268435456' },
  { option: "database", input: "a,,b", want: 'is "a,,b", wanted names separated by single commas' },
  {
    option: "database",
    input: "mongodb://x,",
    want: "has a value that isn't shown here, wanted names separated by single commas",
  },
  {
    option: "resource",
    input: "-a",
    want: 'is "-a", wanted at most 64 letters, digits, "_", "." and "-", a letter or digit first',
  },
  ...["app", "app.", ".orders", "a.b,", "a.b,,c.d", "*", "a..b"].map((input) => ({
    option: "include",
    input,
    want: `is "${input}", wanted patterns such as "app.*" separated by single commas`,
  } as const)),
  { option: "ns_to", input: "a.*********", want: 'is "a.*********", wanted at most 8 "*" in a pattern' },
  { option: "pit", input: "1795421234:0", want: "has an increment that is not within 1 to 4294967295" },
  { option: "where", input: "tmp", want: 'is no absolute path without ".."' },
  { option: "write_concern", input: "0", want: 'is "0", wanted 1 to 50' },
  { option: "write_concern", input: "51", want: 'is "51", wanted 1 to 50' },
  { option: "write_concern", input: "all", want: 'is "all", wanted "majority" or a number of members' },
  { option: "index_build", input: "during", want: "has an unknown value, wanted after, none" },
  {
    option: "readPreference",
    input: "Secondary",
    want: "has an unknown value, wanted secondaryPreferred, secondary, primaryPreferred, primary, nearest",
  },
  { option: "source", input: "a b", want: 'is "a b", wanted host:port' },
  { option: "source", input: "u:p@h:1", want: "has a value that isn't shown here, wanted host:port" },
  { option: "avoid", input: "a:1,,b", want: 'is "a:1,,b", wanted host:port' },
  { option: "tags", input: "east", want: 'has tags that are not "name:value" separated by "," and ";"' },
  { option: "mode", input: "hunter2", want: "has an unknown value, wanted dump, rehearse" },
  { option: "password_file", input: "hunter2", want: 'is no absolute path without ".."' },
  { option: "password_file", input: "/a/../b", want: 'is no absolute path without ".."' },
  {
    option: "uri",
    input: "http://h",
    want: 'has no connection string that begins with "mongodb://" or "mongodb+srv://"',
  },
  {
    option: "uri",
    input: "mongodb://u:a b@h",
    want: "has white space within the connection string, which is written %20 there",
  },
] as const;

for (const { option, input, want } of bad) {
  Deno.test(`parseValue: refuses ${option}=${input}`, () => {
    throws(() => parseValue(optionTable[option], input), { name: "ValueFault", message: want });
  });
}

Deno.test("parseValue: reads what formatValue writes, and throws nothing but a ValueFault", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...optionRows),
      fc.string({ unit: "binary" }),
      fc.nat({ max: 300 << 20 }),
      (row, text, number) => {
        for (
          const input of [
            text,
            String(number),
            `/${text}`,
            `mongodb://${text}`,
            row[1].example.split("=").slice(1).join("="),
          ]
        ) {
          try {
            const value = parseValue(row[1], input);
            ok(value !== null);
            deepStrictEqual(parseValue(row[1], formatValue(value)), value);
          } catch (thrown) {
            ok(thrown instanceof ValueFault, String(thrown));
          }
        }
      },
    ),
  );
});
