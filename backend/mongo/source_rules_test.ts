import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Secret } from "../secret.ts";
import { anySource, type SourceOptions, type SourceRules, sourceRules } from "./source_rules.ts";

const tags = (values: Record<string, string>) => new Map(Object.entries(values));

const rows: { options?: Partial<SourceOptions>; query?: string; want: Partial<SourceRules> }[] = [
  {
    want: {
      readPreference: "secondaryPreferred",
      tagSets: null,
      maxStalenessSeconds: 0,
      maxLagSeconds: 300,
      text: "readPreference=secondaryPreferred, max_source_lag=300",
    },
  },
  {
    query:
      "replicaSet=rs0&readPreference=secondary&readpreferencetags=dc:east,use:b&readPreferenceTags=&maxStalenessSeconds=120",
    want: {
      readPreference: "secondary",
      tagSets: [tags({ dc: "east", use: "b" }), tags({})],
      maxStalenessSeconds: 120,
      text: "readPreference=secondary (connection string), tags=dc:east,use:b; (connection string), " +
        "maxStalenessSeconds=120 (connection string), max_source_lag=300",
    },
  },
  {
    options: { readPreference: "nearest", tags: "dc:west", maxStalenessSeconds: 90, max_source_lag: 0 },
    query: "readPreference=secondary&readPreferenceTags=dc:east&maxStalenessSeconds=90",
    want: {
      readPreference: "nearest",
      tagSets: [tags({ dc: "west" })],
      maxStalenessSeconds: 90,
      maxLagSeconds: 0,
      text: "readPreference=nearest (plugin command, in place of the connection string's secondary), " +
        "tags=dc:west (plugin command, in place of the connection string's dc:east), maxStalenessSeconds=90",
    },
  },
  {
    options: { source: "a:1", avoid: ["b:1", "c:1"] },
    query: "maxStalenessSeconds=-1",
    want: {
      source: "a:1",
      avoid: ["b:1", "c:1"],
      maxStalenessSeconds: 0,
      text: "readPreference=secondaryPreferred, source=a:1, avoid=b:1,c:1, max_source_lag=300",
    },
  },
];
for (const { options, query = "", want } of rows) {
  Deno.test(`sourceRules() of ${JSON.stringify(options ?? {})} and "${query}"`, () => {
    const rules = sourceRules({ ...anySource, ...options }, new Secret(`mongodb://u:p@h/?${query}`));
    deepStrictEqual({ ...rules, ...want }, rules);
  });
}

Deno.test("sourceRules() of a connection string without settings", () => {
  strictEqual(sourceRules(anySource, new Secret("mongodb+srv://h")).readPreference, "secondaryPreferred");
});

const faults: { options?: Partial<SourceOptions>; query?: string; want: RegExp }[] = [
  { query: "readPreference=primry", want: /connection string: its readPreference isn't one of/ },
  { query: "maxStalenessSeconds=much", want: /its maxStalenessSeconds isn't a whole number/ },
  { query: "readPreferenceTags=hunter2", want: /its readPreferenceTags isn't "name:value"/ },
  {
    query: "readPreference=primary&readPreferenceTags=a:b",
    want: /readPreference=primary goes with neither/,
  },
  {
    options: { readPreference: "primary", maxStalenessSeconds: 90 },
    want: /readPreference=primary goes with neither/,
  },
  { options: { source: "a:1", avoid: ["a:1"] }, want: /source= and avoid= both name a:1/ },
];
for (const { options, query = "", want } of faults) {
  Deno.test(`sourceRules() refuses ${JSON.stringify(options ?? {})} and "${query}"`, () => {
    throws(() => sourceRules({ ...anySource, ...options }, new Secret(`mongodb://h/?${query}`)), {
      code: "optionInvalid",
      message: want,
    });
  });
}
