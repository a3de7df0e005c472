/**
 * A backend that is started under conditions of a test's own.
 *
 * @module
 */

import { build } from "../../packaging/build.ts";
import { compileLauncher } from "../../packaging/launcher.ts";

/**
 * Makes a backend whose launcher starts a script that does something to itself and then becomes Deno; returns its path. The File Daemon starts it where
 * `PODHEITOR_MONGODB_BACKEND` names it. Variables that change what a
 * program loads get no further than the launcher.
 *
 * @param prelude lines of a shell's script
 */
export async function wrapRuntime(folder: string, prelude: string): Promise<string> {
  const { backend } = await build();
  const deno = `${folder}/wrapped-deno`;
  await Deno.writeTextFile(deno, `#!/bin/sh\n${prelude}\nexec '${Deno.execPath()}' "$@"\n`, { mode: 0o700 });
  const path = `${folder}/wrapped-backend`;
  await compileLauncher("backend", path, { deno, module: `${backend}.js` });
  return path;
}
