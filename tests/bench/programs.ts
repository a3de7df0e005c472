/**
 * Programs that are measured: our backend, and readers that do nothing with what they read.
 *
 * @module
 */

import { run } from "../lab/command.ts";
import type { Program } from "./process.ts";
import type { Bench } from "./turns.ts";

/** Any key does: the time that signing takes is the same. */
const signingKey = new Uint8Array(32).fill(7).toBase64();

/** Our backend with a command, and the options of a plugin command. */
export function ours({ backend, folder }: Bench, args: readonly string[], options: string): Program {
  return {
    path: backend,
    args: [...args, "--working-dir", folder, `podheitor-mongodb: ${options}`],
    env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
  };
}

/** Bundles the bare reader; resolves to what makes its program of its arguments. */
export async function makeBareReader({ folder }: Bench): Promise<(...args: string[]) => Program> {
  const bundle = `${folder}/bare_reader.js`;
  const source = new URL("bare_reader.ts", import.meta.url).pathname;
  await run(Deno.execPath(), ["bundle", "--quiet", "--minify", "--platform", "deno", "-o", bundle, source]);
  return (...args) => ({
    path: Deno.execPath(),
    args: ["run", "-A", "--quiet", "--no-config", "--no-code-cache", bundle, ...args],
  });
}
