/** Links between the documents lead somewhere. */

import assert from "node:assert/strict";
import { type ProjectFile, readProject, resolvePath } from "./tidy/project.ts";

/** What a link to a heading has behind its "#". */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
}

function anchorsOf(text: string): Set<string> {
  const prose = text.replace(/^```[^]*?^```/gm, "");
  return new Set([...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!)));
}

/** Links of Markdown files that lead to no file, or to no heading of one. */
function findLostLinks(files: readonly ProjectFile[]): string[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const isThere = (path: string) =>
    texts.has(path) || [...texts.keys()].some((other) => other.startsWith(`${path.replace(/\/$/, "")}/`));
  return files.filter(({ path }) => path.endsWith(".md")).flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [target = "", anchor] = link.split("#", 2);
        const to = target === "" ? path : resolvePath(path, target);
        return !isThere(to) || (anchor !== undefined && !anchorsOf(texts.get(to) ?? "").has(anchor));
      }).map((link) => `${path}: ${link} leads nowhere`)
  );
}

Deno.test("links between documents lead to files and headings that are there", async () => {
  assert.deepEqual(findLostLinks(await readProject()), []);
});

Deno.test("findLostLinks() finds what it is for, and nothing else", () => {
  const files = [
    {
      path: "docs/a.md",
      text: "[x](b.md) [y](../c/) [z](#one-two) [w](../e.md#a) [v](https://x) \n## One, *two*",
    },
    { path: "c/d.ts", text: "" },
    { path: "e.md", text: "```\n# a\n```\n# b" },
  ];
  assert.deepEqual(findLostLinks(files), [
    "docs/a.md: b.md leads nowhere",
    "docs/a.md: ../e.md#a leads nowhere",
  ]);
});
