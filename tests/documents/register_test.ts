/** Every command of the documents has a test that runs it, or a sentence that says why none does. */

import assert from "node:assert/strict";
import { readProject } from "../tidy/project.ts";
import { type Command, readDocument, readDocuments } from "./commands.ts";
import { describeBlock, otherBlocks, rowOf, rows } from "./register.ts";

const { commands, others } = await readDocuments();

function describe({ document, line, text }: Pick<Command, "document" | "line" | "text">): string {
  return `${document}:${line}: ${text}`;
}

Deno.test("every command of the documents has a runner, or a reason why it has none", () => {
  assert.deepEqual(commands.filter((command) => rowOf(command) === undefined).map(describe), []);
  const unknown = others.filter((block) => describeBlock(block) === undefined);
  assert.deepEqual(unknown.map(({ firstLine, ...at }) => describe({ ...at, text: firstLine })), []);
});

Deno.test("every row of the register is some command's", () => {
  const used = new Set(commands.map(rowOf));
  assert.deepEqual(rows.filter((row) => !used.has(row)), []);
  const blocks = otherBlocks.filter(({ firstLine }) =>
    !others.some((block) => firstLine.test(block.firstLine))
  );
  assert.deepEqual(blocks, []);
});

Deno.test("every runner takes its commands out of the documents, and every nearest test is there", async () => {
  const files = new Map((await readProject()).map(({ path, text }) => [path, text]));
  for (const row of rows) {
    if ("runner" in row) {
      assert.ok(files.get(row.runner)?.includes(`commandsOf("${row.runner}")`), row.runner);
    } else {
      assert.ok(files.has(row.nearest), row.nearest);
      assert.match(row.reason, /^[A-Z].*\.$/);
    }
  }
});

for (
  const { what, text, want } of [
    {
      what: "a fenced block with a language as one command",
      text: "## A\n```bash\nls a\nx <<END\nEND\n```",
      want: [[3, "A", "fence", "shell", "ls a\nx <<END\nEND"]],
    },
    {
      what: "each line of an indented block, in a list too",
      text: "1. x\n\n       ls a\n       curl b # c\n\n   y",
      want: [[3, "", "indented", "shell", "ls a"], [4, "", "indented", "shell", "curl b # c"]],
    },
    {
      what: "code in the text, several in a line",
      text: "| `status client` | `x` `ls a`, `rs.status()` |",
      want: [
        [1, "", "text", "bconsole", "status client"],
        [1, "", "text", "shell", "ls a"],
        [1, "", "text", "mongosh", "rs.status()"],
      ],
    },
    {
      what: "nothing of other languages, of text in a list, and of a fence's inside",
      text: "```ts\nls `ls a`\n```\n- x\n    ls a\n\n  ls a",
      want: [],
    },
  ]
) {
  Deno.test(`readDocument() takes ${what}`, () => {
    const read = readDocument({ path: "a.md", text });
    assert.deepEqual(
      read.commands.map(({ line, section, place, tool, text }) => [line, section, place, tool, text]),
      want,
    );
  });
}

Deno.test("readDocument() takes the comments of other files", () => {
  const text = "# As `ls a` says:\n#\n#     ls b\n#x=1\nls c `ls d`\n";
  const { commands } = readDocument({ path: "packaging/conf/a", text });
  assert.deepEqual(commands.map(({ line, text }) => [line, text]), [[1, "ls a"], [3, "ls b"]]);
});

Deno.test("readDocument() has the blocks that may be of commands that it doesn't know", () => {
  const text = "```\nfrobnicate --all\n```\n\n    also this\n\nText";
  assert.deepEqual(readDocument({ path: "a.md", text }), {
    commands: [],
    others: [
      { document: "a.md", line: 2, firstLine: "frobnicate --all" },
      { document: "a.md", line: 5, firstLine: "also this" },
    ],
  });
});

Deno.test("readDocument() refuses a block that has commands and other lines", () => {
  const text = "\n    ls a\n    frobnicate --all\n";
  assert.throws(() => readDocument({ path: "a.md", text }), /^Error: a\.md:3: a line among commands/);
});
