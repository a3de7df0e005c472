/** Workflows and scripts, as their linters have them, and what the workflows may do. */

import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { parse } from "yaml";
import { run } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import { ensureTools } from "../lab/tools.ts";
import { readProject } from "../tidy/project.ts";
import { findActionlint } from "./actionlint.ts";

const root = new URL("../../", import.meta.url).pathname;
const workflows = [...Deno.readDirSync(`${root}.github/workflows`)].map(({ name }) =>
  `.github/workflows/${name}`
);

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly Step[]; readonly "timeout-minutes"?: number }>
  >;
}

Deno.test("actionlint finds nothing in the workflows, and something in a wrong one", async () => {
  await ensureTools(["shellcheck"]);
  const actionlint = await findActionlint();
  await run(actionlint, workflows, { cwd: root });
  await withFolder(async (folder) => {
    const text = await Deno.readTextFile(`${root}.github/workflows/ci.yml`);
    await Deno.writeTextFile(`${folder}/wrong.yml`, text.replace("runs-on:", "runs-no:"));
    await rejects(run(actionlint, [`${folder}/wrong.yml`]), /unexpected key "runs-no"/);
  });
});

Deno.test("shellcheck finds nothing in the scripts", async () => {
  await ensureTools(["shellcheck"]);
  const scripts = (await readProject()).filter(({ path, text }) =>
    /\.(sh|bash)$/.test(path) || /^#!\/bin\/(ba)?sh\n/.test(text)
  );
  const paths = scripts.map(({ path }) => path);
  for (const name of [".ci/run", "packaging/deb/postinst", "packaging/verify-artifacts.sh"]) {
    ok(paths.includes(name), `${name} isn't among ${paths}`);
  }
  await run("shellcheck", ["--shell=bash", ...paths.filter((path) => path.endsWith(".bash"))], { cwd: root });
  await run("shellcheck", paths.filter((path) => !path.endsWith(".bash")), { cwd: root });
});

for (const path of workflows) {
  Deno.test(`${path} pins its actions, has a bound of time, and may only read unless a job says more`, async () => {
    const text = await Deno.readTextFile(`${root}${path}`);
    const { permissions, jobs, on } = parse(text) as Workflow;
    deepStrictEqual(permissions, { contents: "read" });
    // It would run code of a stranger's with the project's rights.
    ok(!("pull_request_target" in on));
    const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`)) as { tasks: object };
    for (const [name, { steps, "timeout-minutes": minutes }] of Object.entries(jobs)) {
      ok(minutes !== undefined, name);
      for (const { uses, run = "" } of steps) {
        if (uses !== undefined) match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
        for (const [, task] of run.matchAll(/ task ([\w:]+)/g)) ok(Object.hasOwn(tasks, task!), task);
        // What comes from outside is no part of a script.
        ok(!/\$\{\{\s*github\.event/.test(run), name);
      }
    }
  });
}

Deno.test("programs_of_image.sh makes a mongod run with what its image has", async () => {
  const { path, env, version } = await findMongod();
  await withFolder(async (folder) => {
    // An image's content, of what this mongod loads here.
    const image = `${folder}/image`;
    const libraries = `${image}/usr/lib/x86_64-linux-gnu`;
    await Deno.mkdir(libraries, { recursive: true });
    await Deno.mkdir(`${image}/usr/bin`);
    const loaded = await run("ldd", [path], { env });
    for (const [library] of loaded.matchAll(/\/\S+/g)) {
      await Deno.copyFile(library, `${libraries}/${library.replace(/.*\//, "")}`);
    }
    const script = `${root}tests/workflows/programs_of_image.sh`;
    await rejects(run(script, [image, `${folder}/bin`]), /There is no mongod in /);
    await Deno.copyFile(path, `${image}/usr/bin/mongod`);
    await run(script, [image, `${folder}/bin`]);
    const said = await run("env", ["-i", `${folder}/bin/mongod`, "--version"]);
    match(said, new RegExp(`^db version v${version.replaceAll(".", "\\.")}$`, "m"));
  });
});
