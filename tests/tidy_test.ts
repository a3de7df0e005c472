/**
 * Style as a test: each rule of `tests/tidy/` holds in the whole project, and each is shown to find what it is for.
 *
 * @module
 */

import assert from "node:assert/strict";
import { errorTable } from "../backend/errors.ts";
import { environmentTable } from "../backend/options/environment.ts";
import { documents } from "./docs.ts";
import {
  findCycles,
  findForeignImports,
  findHomeless,
  findOutsideAccess,
  findPrinting,
  findSharedC,
  findUpwardImports,
} from "./tidy/layers.ts";
import { codeOf, type ProjectFile, readProject } from "./tidy/project.ts";
import {
  findDeadExports,
  findDeadFiles,
  findMisnumbered,
  findMissingProofs,
  findUndescribedCodes,
  findUnlistedVariables,
  findUnusedCodes,
} from "./tidy/tables.ts";
import {
  findBarrels,
  findLeftOutTests,
  findLong,
  findRegistryHosts,
  findRepeatedTestNames,
  findSilenced,
  findUnfinished,
  findUnpinnedActions,
  findVagueNames,
} from "./tidy/text.ts";

/** In samples only: this file has tests of its own. */
const denoTest = "Deno.test";
const codes = Object.keys(errorTable);
const raiseAll = codes.map((code) => `"${code}"`).join();
const describeAll = Object.values(errorTable).map(({ number, summary }) =>
  `## MONGO-${number}\n\n${summary}.\n\n**Why:** x\n\n**What to do:** y\n\n`
).join("");
const variables = Object.keys(environmentTable);
const readAll = variables.map((name) => `getenv("${name}")`).join();

type Rule = (files: readonly ProjectFile[]) => string[];
/** Files by path, and the number of findings in them. */
type Sample = readonly [files: Readonly<Record<string, string>>, findings: number];

/** `import` of a name, apart from the word `from` so that this file doesn't import it. */
const importOf = (name: string) => `import { x } ${"from"} "${name}";\n`;

const rules: readonly { name: string; find: Rule; samples: readonly Sample[] }[] = [
  {
    name: "every file of the product belongs to a layer",
    find: findHomeless,
    samples: [
      [{ "backend/cellar/wine.ts": "" }, 1],
      [{ "backend/job/wine.ts": "", "tests/cellar/wine.ts": "", "backend/cellar/wine_test.ts": "" }, 0],
    ],
  },
  {
    name: "imports go down the layers",
    find: findUpwardImports,
    samples: [
      [{ "backend/errors.ts": importOf("./options/table.ts") }, 1],
      [{ "backend/bson/document.ts": importOf("../job/backup.ts") }, 1],
      [{ "backend/mongo/source.ts": importOf("../protocol/backend_session.ts") }, 1],
      [{ "backend/mongo/source.ts": `export type { X } ${"from"} "../commands/job.ts";` }, 1],
      [{ "backend/mongo/source.ts": `const { x } = await import${"("}"../main.ts");` }, 1],
      [{ "backend/job/backup.ts": importOf("../mongo/source.ts") }, 1],
      [{ "backend/folder/job_folder.ts": importOf("../mongo/source.ts") }, 1],
      [{ "wasm/hasher.ts": importOf("../backend/state/store.ts") }, 1],
      [{ "backend/job/backup.ts": importOf("./x_test.ts") + importOf("../../tests/tally.ts") }, 2],
      [{ "exporter/collector.ts": importOf("../backend/mongo/client.ts") }, 1],
      [{ "exporter/main.ts": importOf("../backend/options/table.ts") }, 1],
      [{ "backend/main.ts": importOf("../exporter/main.ts") }, 1],
      [{
        "backend/job/backup.ts": importOf("../ports.ts") + importOf("./lane.ts") +
          importOf("../../wasm/hasher.ts"),
      }, 0],
      [{ "backend/protocol/backend_session.ts": importOf("./channel.ts") }, 0],
      [{ "backend/mongo/source.ts": importOf("./client.ts") + importOf("../bson/document.ts") }, 0],
      [{
        "exporter/collector.ts": importOf("../backend/state/job_record.ts") +
          importOf("../backend/manifest/schema.ts"),
      }, 0],
      [{ "backend/commands/job.ts": importOf("../mongo/source.ts") + importOf("../job/backup.ts") }, 0],
    ],
  },
  {
    name: "packages stay in their rooms",
    find: findForeignImports,
    samples: [
      [{ "backend/job/backup.ts": importOf("mongodb") }, 1],
      [{ "backend/commands/job.ts": importOf("mongodb/lib/x.js") }, 1],
      [{ "backend/options/table.ts": importOf("fast-check") }, 1],
      [{ "backend/options/table.ts": importOf("node:fs") }, 1],
      [{ "backend/main.ts": importOf("npm:chalk") }, 1],
      [{ "backend/mongo/client.ts": importOf("mongodb"), "backend/job/x_test.ts": importOf("mongodb") }, 0],
      [{ "backend/main.ts": importOf("node:util"), "backend/state/job_record.ts": importOf("zod") }, 0],
    ],
  },
  {
    name: "only edges and entries reach the outside",
    find: findOutsideAccess,
    samples: [
      [{ "backend/job/backup.ts": "await Deno.readFile(path);" }, 1],
      [{ "backend/state/job_record.ts": "Deno.build.os;" }, 1],
      [{ "backend/state/store.ts": 'Deno.env.get("HOME"); Deno.exit(1);' }, 2],
      [{ "backend/secret.ts": 'Symbol.for("Deno.customInspect"); // Deno.inspect' }, 0],
      [{
        "backend/state/store.ts": "Deno.open(path);",
        "backend/main.ts": "Deno.exit(1);",
        "wasm/build.ts": "Deno.args",
      }, 0],
    ],
  },
  {
    name: "only entries print",
    find: findPrinting,
    samples: [
      [{ "backend/job/backup.ts": "console.log(1);\nconsole.error(2);" }, 2],
      [{ "exporter/collector.ts": "console.warn(1);" }, 1],
      [
        { "backend/main.ts": "console.log(1);", "backend/job/x.ts": "// console.log\nsay('console.log');" },
        0,
      ],
    ],
  },
  {
    name: "no file imports itself by way of others",
    find: findCycles,
    samples: [
      [{ "a.ts": importOf("./b.ts"), "b.ts": importOf("./c.ts"), "c.ts": importOf("./a.ts") }, 1],
      [{ "a.ts": importOf("./b.ts") + importOf("./c.ts"), "b.ts": importOf("./c.ts"), "c.ts": "" }, 0],
    ],
  },
  {
    name: "the shim shares no code",
    find: findSharedC,
    samples: [
      [{ "cshim/session.c": '#include "../tests/vectors/x.h"\n' }, 1],
      [{ "wasm/fast.c": "", "packaging/launcher/x.c": '#include "../../cshim/frame.h"\n' }, 2],
      [{ "backend/protocol/frame.ts": importOf("../../cshim/frame.ts") }, 1],
      [{ "cshim/session.c": '#include "frame.h"\n#include <stdio.h>\n', "cshim/frame.h": "" }, 0],
    ],
  },
  {
    name: "source files have 350 lines at most",
    find: findLong,
    samples: [
      [{ "a.ts": "\n".repeat(351), "b.c": "\n".repeat(400) }, 2],
      [{ "a.ts": "\n".repeat(350), "a.md": "\n".repeat(400), "wasm/pkg/x.d.ts": "\n".repeat(400) }, 0],
    ],
  },
  {
    name: "files and classes say what they are",
    find: findVagueNames,
    samples: [
      [
        { "backend/utils.ts": "", "backend/helpers/x.ts": "", "cshim/common.h": "", "backend/index.ts": "" },
        4,
      ],
      [{ "a.ts": "export class JobManager {}\ninterface FrameHandler {}" }, 2],
      [{ "backend/index_catalog.ts": '/** class JobManager */ const x = "interface FrameHandler";' }, 0],
    ],
  },
  {
    name: "mod.ts is the only public face",
    find: findBarrels,
    samples: [
      [{ "a.ts": `export * ${"from"} "./b.ts";\nexport {\n  x,\n} ${"from"} "./c.ts";\n` }, 2],
      [{ "backend/bson/mod.ts": "" }, 1],
      [{ "mod.ts": `export { x } ${"from"} "./b.ts";`, "a.ts": 'export { x };\nconst from = "y";' }, 0],
    ],
  },
  {
    name: "nothing is left unfinished",
    find: findUnfinished,
    samples: [
      [{ "a.ts": `// ${"TO"}DO: more`, "b.md": `${"FIX"}ME`, ".ci/run": `# ${"XX"}X` }, 3],
      [{ "a.ts": "const todoList = 1; // mastodon" }, 0],
    ],
  },
  {
    name: "nothing is hidden from compiler and linter",
    find: findSilenced,
    samples: [
      [{ "a.ts": `/${"/"} @ts-ignore\n/${"/"} deno-lint-ignore no-explicit-any\n` }, 2],
      [{
        "a.ts": "let x: any; f(y as any); const z: Map<string, any> = new Map<any, string>(); type A = any;",
      }, 5],
      [{
        "a.ts":
          '// at any rate: any word\nconst any = "x: any"; Promise.any(x); const y = { any: 1 }; f(any);',
      }, 0],
    ],
  },
  {
    name: "no file names a registry's host",
    find: findRegistryHosts,
    samples: [
      [{ "a.ts": `fetch("https://registry.npmjs${"."}org/x")`, "b.yml": `https://jsr${"."}io/x` }, 2],
      [{
        "a.ts": 'import "npm:zod"; "https://example.org";',
        "x/deno.lock": `https://registry.npmjs${"."}org`,
      }, 0],
    ],
  },
  {
    name: "a test's name is its own within its file",
    find: findRepeatedTestNames,
    samples: [
      [{ "a_test.ts": ["x", "y", "x"].map((name) => `${denoTest}("${name}", () => {});`).join("\n") }, 1],
      [{ "a_test.ts": `${denoTest}({\n  name: "x" });\n${denoTest}("x", f);` }, 1],
      [{ "a_test.ts": `${denoTest}("x", f)`, "b_test.ts": `${denoTest}("x", f)` }, 0],
    ],
  },
  {
    name: "every test runs",
    find: findLeftOutTests,
    samples: [
      [{
        "a_test.ts":
          'Deno.test.only("x", f); Deno.test.ignore("y", f); Deno.test({ name: "z", ignore: true, fn });',
      }, 3],
      [{ "a_test.ts": `${denoTest}({ name: "x", ignore: !hasMongod, fn });` }, 0],
    ],
  },
  {
    name: "workflows name actions by their full commit",
    find: findUnpinnedActions,
    samples: [
      [{ ".github/workflows/ci.yml": "- uses: actions/checkout@v5\n  uses: a/b@0123abc\n" }, 2],
      [{ ".github/workflows/ci.yml": `- uses: a/b@${"0a".repeat(20)} # v5\n  uses: ./.github/c\n` }, 0],
    ],
  },
  {
    name: "every error code is raised",
    find: findUnusedCodes,
    samples: [
      [{ "backend/errors.ts": raiseAll, "backend/x_test.ts": raiseAll }, codes.length],
      [{ "backend/job/backup.ts": raiseAll }, 0],
    ],
  },
  {
    name: "every error code has its entry in the troubleshooting guide",
    find: findUndescribedCodes,
    samples: [
      [{ "docs/troubleshooting.md": "" }, codes.length],
      [{ "docs/troubleshooting.md": describeAll }, 0],
      [{ "docs/troubleshooting.md": describeAll.replace("## MONGO-101", "## MONGO-999") }, 2],
      [{ "docs/troubleshooting.md": describeAll.replace("**Why:** x", "Why") }, 2],
    ],
  },
  {
    name: "variables of the environment stand in their table",
    find: findUnlistedVariables,
    samples: [
      [{ "cshim/child.c": readAll, "a.ts": `"PODHEITOR_MONGODB_${"SECRET"}"` }, 1],
      [{ "cshim/child.c": readAll.slice(readAll.indexOf(",") + 1) }, 1],
      [{ "cshim/child.c": readAll }, 0],
    ],
  },
  {
    name: "every source file is part of a program, a task or a test",
    find: findDeadFiles,
    samples: [
      [{ "backend/lost.ts": "", "backend/main.ts": importOf("./found.ts"), "backend/found.ts": "" }, 1],
      [{
        "deno.json": '"wasm": "deno run wasm/build.ts"',
        "wasm/build.ts": 'new URL("./made.ts")',
        "wasm/made.ts": "",
      }, 0],
    ],
  },
  {
    name: "every proof that a document names is a test",
    find: findMissingProofs,
    samples: [
      [{ "A.md": "| case | Proof |\n|---|---|\n| one | `x does …`, `tests/x_test.ts`, `y` |\n\nMore.\n" }, 3],
      [{
        "A.md": "Text\n| case | Proof |\n|---|---|\n| `z` | `x does …`, `tests/x_test.ts` |\n",
        "tests/x_test.ts": `${denoTest}("x does it");`,
      }, 0],
    ],
  },
  {
    name: "exported values are used in other files",
    find: findDeadExports,
    samples: [
      [{ "a.ts": "export function f() {}\nexport const c = f();\nexport class K {}", "b.ts": "// f c K" }, 3],
      [{ "a.ts": "export function f() {}", "a_test.ts": "f();" }, 1],
      [{
        "a.ts": "export async function f() {}\nf();\nexport interface I {}",
        "a_test.ts": "f();",
        "mod.ts": "export const x = 1;",
      }, 0],
    ],
  },
];

const project = await readProject();

for (const { name, find, samples } of rules) {
  Deno.test(`tidy: ${name}`, () => assert.deepEqual(find(project), []));
  Deno.test(`${find.name}() finds what it is for, and nothing else`, () => {
    for (const [files, findings] of samples) {
      const found = find(Object.entries(files).map(([path, text]) => ({ path, text })));
      assert.equal(found.length, findings, `${JSON.stringify(files)}\n${found.join("\n")}`);
    }
  });
}

Deno.test("tidy: numbers of errors are unique and in their hundred", () =>
  assert.deepEqual(findMisnumbered(), []));

Deno.test("findMisnumbered() finds repeated, misplaced and homeless numbers", () => {
  assert.deepEqual(findMisnumbered({ optionInvalid: { number: 101 }, optionUnknown: { number: 101 } }), [
    "optionUnknown is 101, after 101",
  ]);
  assert.deepEqual(findMisnumbered({ restoreWrite: { number: 501 } }), ["restoreWrite is 501, wanted 6xx"]);
  assert.deepEqual(findMisnumbered({ weather: { number: 101 } }), ["weather belongs to no hundred"]);
});

for (const [path, write] of Object.entries(documents)) {
  Deno.test(`tidy: ${path} says what the code's tables say`, async () => {
    const written = project.find((file) => file.path === path)?.text;
    assert.equal(written, await write(), "write it anew with: deno task docs");
  });
}

Deno.test("codeOf() blanks comments, texts and patterns and keeps the lines", () => {
  const rows = [
    { text: 'a("b // c"); // d', want: "a(        );     " },
    { text: "a(/[\"']x/g, b)", want: "a(       g, b)" },
    { text: "x = 4 / 2; y = 6 / 3;", want: "x = 4 / 2; y = 6 / 3;" },
    { text: "/* a\nb */ c", want: "    \n     c" },
    { text: "f(`a\n${b}`) + 'c'", want: "f(  \n     ) +    " },
    { text: '"a\\"b" + c', want: "       + c" },
  ];
  for (const { text, want } of rows) assert.equal(codeOf(text), want);
});
