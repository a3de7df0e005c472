import { deepStrictEqual, throws } from "node:assert/strict";
import type { Message, SessionKind } from "./message.ts";
import { SessionOrder, type Side } from "./order.ts";

const hello: Message = { type: "H", version: 1, program: "a", programVersion: "1" };
const command: Message = { type: "P", command: "x" };

function job(kind: SessionKind, level: "F" | "I" | "D" | " "): Message {
  return {
    type: "J",
    job: {
      kind,
      level,
      accurate: false,
      jobId: 1,
      sinceTime: 0,
      jobName: "j",
      previousJobName: "",
      clientName: "c",
      workingDirectory: "/",
      baculaVersion: "15.0.3",
    },
  };
}

function start(replace: string, where = "", regexWhere = ""): Message {
  return { type: "S", replace, where, regexWhere };
}

function object(jobId: number, storedCommand: string): Message {
  return {
    type: "R",
    object: { objectType: 27, index: 1, jobId, size: 0, name: "n", command: storedCommand },
  };
}

const file: Message & { type: "F" } = {
  type: "F",
  file: { name: "/a", size: 0, mode: 0, atime: 0, mtime: 0, ctime: 0 },
  isDirectory: false,
};
const directory: Message = { ...file, isDirectory: true };
const question: Message = { type: "Q", text: "/" };
const value: Message = { type: "V", text: "a=b" };

/** Sides and their messages up to the one that is looked at. */
type Turn = readonly [Side, Message];
const greeting: Turn[] = [["S", hello], ["B", hello]];
const backup: Turn[] = [...greeting, ["S", job("B", "F")], ["S", command], ["S", start("\0")]];

/** A listing or a query, begun. */
function asked(kind: "L" | "Q"): Turn[] {
  return [...greeting, ["S", job(kind, " ")], ["S", command], ["S", question], ["S", start("\0")]];
}

const good: { name: string; turns: Turn[] }[] = [
  ...(["F", "I", "D"] as const).map((level) => ({
    name: `a backup of level ${level}`,
    turns: [...greeting, ["S", job("B", level)]] as Turn[],
  })),
  {
    name: "an estimate of a level",
    turns: [...greeting, ["S", job("E", "I")], ["S", command], ["S", start("\0")]],
  },
  {
    name: "a restore with a rule of replacing",
    turns: [...greeting, ["S", job("R", " ")], ["S", start("n", "/w", "!a!b!")]],
  },
  {
    name: "a restore without files and PluginCommand",
    turns: [...greeting, ["S", job("R", " ")], ["S", start("a")]],
  },
  { name: "a backup's restore object", turns: [...backup, ["B", object(0, "")]] },
  { name: "a listing's files and directories", turns: [...asked("L"), ["B", directory], ["B", file]] },
  { name: "a query's values", turns: [...asked("Q"), ["B", value], ["B", value]] },
  { name: "a restore's restore object", turns: [...greeting, ["S", job("R", " ")], ["S", object(7, "c")]] },
];

for (const { name, turns } of good) {
  Deno.test(`SessionOrder: takes ${name}`, () => {
    const order = new SessionOrder();
    for (const [side, message] of turns) order.check(side, message);
  });
}

const bad: { name: string; turns: Turn[]; want: RegExp }[] = [
  {
    name: "a restore with a backup's level",
    turns: [...greeting, ["S", job("R", "F")]],
    want: /level is "F", wanted a space/,
  },
  {
    name: "a backup without a level",
    turns: [...greeting, ["S", job("B", " ")]],
    want: /level is " ", wanted F, I or D/,
  },
  {
    name: "an estimate without a level",
    turns: [...greeting, ["S", job("E", " ")]],
    want: /wanted F, I or D/,
  },
  ...(["L", "Q"] as const).map((kind) => ({
    name: `a session of kind ${kind} with a level`,
    turns: [...greeting, ["S", job(kind, "F")]] as Turn[],
    want: /level is "F", wanted a space/,
  })),
  {
    name: "a listing without a Question",
    turns: [...greeting, ["S", job("L", " ")], ["S", command], ["S", start("\0")]],
    want: /Start from the File Daemon plugin has no place here/,
  },
  {
    name: "a backup's Question",
    turns: [...greeting, ["S", job("B", "F")], ["S", command], ["S", question]],
    want: /Question from the File Daemon plugin/,
  },
  { name: "a second Question", turns: [...asked("L").slice(0, -1), ["S", question]], want: /Question/ },
  { name: "a backup's directory", turns: [...backup, ["B", directory]], want: /File from the backend/ },
  {
    name: "an estimate's directory",
    turns: [...greeting, ["S", job("E", "F")], ["S", command], ["S", start("\0")], ["B", directory]],
    want: /File from the backend/,
  },
  {
    name: "a restore's directory",
    turns: [...greeting, ["S", job("R", " ")], ["S", start("a")], ["S", command], ["S", directory]],
    want: /File from the File Daemon plugin/,
  },
  { name: "a query's file", turns: [...asked("Q"), ["B", file]], want: /File from the backend/ },
  { name: "a listing's value", turns: [...asked("L"), ["B", value]], want: /Value from the backend/ },
  { name: "a listing's restore object", turns: [...asked("L"), ["B", object(0, "")]], want: /RestoreObject/ },
  { name: "a backup's value", turns: [...backup, ["B", value]], want: /Value from the backend/ },
  ...[start("a"), start("\0", "/w"), start("\0", "", "!a!b!")].map((message) => ({
    name: `a backup's Start that says ${JSON.stringify(message)}`,
    turns: [...greeting, ["S", job("B", "F")], ["S", command], ["S", message]] as Turn[],
    want: /wanted a Start without replace, where and regexWhere/,
  })),
  {
    name: "an estimate's Start with a rule of replacing",
    turns: [...greeting, ["S", job("E", "F")], ["S", command], ["S", start("a")]],
    want: /wanted a Start without/,
  },
  {
    name: "a restore's Start without a rule",
    turns: [...greeting, ["S", job("R", " ")], ["S", start("\0")]],
    want: /with a rule of replacing/,
  },
  {
    name: "a backup's restore object of a job",
    turns: [...backup, ["B", object(7, "")]],
    want: /neither a job nor a command/,
  },
  {
    name: "a backup's restore object with a command",
    turns: [...backup, ["B", object(0, "c")]],
    want: /neither a job nor a command/,
  },
  {
    name: "a file within a file",
    turns: [...backup, ["B", file], ["B", file]],
    want: /File from the backend has no place here/,
  },
  { name: "B's Hello before S's", turns: [["B", hello]], want: /Hello from the backend/ },
  {
    name: "B's Abort before its Hello",
    turns: [["S", hello], ["B", { type: "X", code: 1, text: "" }]],
    want: /Abort from the backend/,
  },
];

for (const { name, turns, want } of bad) {
  Deno.test(`SessionOrder: refuses ${name}`, () => {
    const order = new SessionOrder();
    for (const [side, message] of turns.slice(0, -1)) order.check(side, message);
    const [side, message] = turns.at(-1)!;
    throws(() => order.check(side, message), { code: "protocol", message: want });
  });
}

/** A restore's file of four bytes, of which three came. */
const brokenOff: Turn[] = [
  ...greeting,
  ["S", job("R", " ")],
  ["S", start("a")],
  ["S", command],
  ["S", { ...file, file: { ...file.file, size: 4 } }],
  ["B", { type: "A", answer: "extract" }],
  ["S", { type: "D", bytes: new Uint8Array(3) }],
];

for (
  const [end, code, want] of [
    [3, "objectMismatch", /the volume brought 3 bytes of a file of 4/],
    [4, "protocol", /3 bytes came, its header says 4, its end 4/],
    [2, "protocol", /3 bytes came, its header says 4, its end 2/],
  ] as const
) {
  Deno.test(`SessionOrder: a restore's file of 4 bytes with 3 of Data and an End of ${end} is a fault of ${code}`, () => {
    const order = new SessionOrder();
    for (const [side, message] of brokenOff) order.check(side, message);
    throws(() => order.check("S", { type: "E", size: end }), { code, message: want });
  });
}

Deno.test("SessionOrder.totals: counts the frames of the counted side without its Totals", () => {
  const order = new SessionOrder();
  const data: Turn[] = [
    ["B", { ...file, file: { ...file.file, size: 2 } }],
    ["B", { type: "D", bytes: new Uint8Array(2) }],
    ["B", { type: "M", severity: "I", text: "t" }],
    ["B", { type: "E", size: 2 }],
  ];
  for (const [side, message] of [...backup, ...data]) order.check(side, message);
  const totals = { files: 1, restoreObjects: 0, bytes: 2, frames: 5 };
  deepStrictEqual(order.totals, totals);
  order.check("B", { type: "T", totals });
  throws(() => order.check("S", { type: "Z", status: "T", totals: { ...totals, bytes: 3 } }), {
    message: /3 bytes, the other 2/,
  });
});
