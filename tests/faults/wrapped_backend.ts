/**
 * A backend that is started under conditions of a test's own.
 *
 * @module
 */

import { build } from "../../packaging/build.ts";

/**
 * Writes a script that does something to itself and then becomes the built backend; returns its path. The File Daemon starts it where
 * `PODHEITOR_MONGODB_BACKEND` names it.
 *
 * @param prelude lines of a shell's script
 */
export async function wrapBackend(folder: string, prelude: string): Promise<string> {
  const { backend } = await build();
  const path = `${folder}/wrapped-backend`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${prelude}\nexec '${backend}' "$@"\n`, { mode: 0o700 });
  return path;
}
