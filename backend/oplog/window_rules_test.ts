import assert from "node:assert/strict";
import type { Document } from "bson";
import { commandBytes, place } from "../../tests/contract/oplog_entries.ts";
import { readCommand } from "./command.ts";
import { readEntry } from "./entry.ts";
import { WindowRules } from "./window_rules.ts";

const create = (name: string): Document => ({ create: name });
const drop = (name: string): Document => ({ drop: name });
const rename = (from: string, to: string): Document => ({ renameCollection: `app.${from}`, to: `app.${to}` });

const windows: readonly { name: string; commands: Document[]; refused: RegExp | null }[] = [
  {
    name: "what is made and dropped",
    commands: [create("a"), drop("a"), drop("old"), create("a")],
    refused: null,
  },
  {
    name: "an older collection renamed",
    commands: [rename("a", "b")],
    refused: /app\.a: it was renamed to app\.b/,
  },
  {
    name: "$out: what was just made takes an older one's place",
    commands: [create("tmp.agg_out"), rename("tmp.agg_out", "a")],
    refused: null,
  },
  { name: "renamed again", commands: [create("a"), rename("a", "b"), rename("b", "c")], refused: null },
  {
    name: "the old name again",
    commands: [create("a"), rename("a", "b"), rename("a", "c")],
    refused: /app\.a/,
  },
  {
    name: "made, dropped, then renamed",
    commands: [create("a"), drop("a"), rename("a", "b")],
    refused: /app\.a/,
  },
  {
    name: "changed otherwise",
    commands: [{ collMod: "a", validator: {} }, { dropDatabase: 1 }, { createIndexes: "a", name: "x" }],
    refused: null,
  },
];

Deno.test("WindowRules lets collections be renamed that the window made, and refuses older ones", () => {
  for (const { name, commands, refused } of windows) {
    const rules = new WindowRules();
    const follow = () =>
      commands.forEach((o) => rules.follow(readCommand(readEntry(commandBytes(place(1), "app", o)))));
    if (refused === null) follow();
    else assert.throws(follow, { code: "oplogUnreplayable", message: refused, hint: /\$out/ }, name);
  }
});

Deno.test("WindowRules keeps databases apart", () => {
  const rules = new WindowRules();
  rules.follow(readCommand(readEntry(commandBytes(place(1), "other", create("a")))));
  assert.throws(() => rules.follow(readCommand(readEntry(commandBytes(place(2), "app", rename("a", "b"))))));
});
