/**
 * Programs that are measured: our backend, and those that do nothing but read or write.
 *
 * @module
 */

import { run } from "../lab/command.ts";
import type { Program } from "./process.ts";
import type { Bench } from "./turns.ts";

/** Any key does: the time that signing takes is the same. */
export const signingKey = new Uint8Array(32).fill(7).toBase64();

/** Our backend with a command, and the options of a plugin command. */
export function ours({ backend, folder }: Bench, args: readonly string[], options: string): Program {
  return {
    path: backend,
    args: [...args, "--working-dir", folder, `podheitor-mongodb: ${options}`],
    env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
  };
}

const bareSources = {
  bare_parser: new URL("bare_parser.ts", import.meta.url),
  bare_reader: new URL("bare_reader.ts", import.meta.url),
  bare_writer: new URL("bare_writer.ts", import.meta.url),
};

/** Bundles the program of a file beside this one; resolves to what makes it of its arguments. Deno gets `flags` besides. */
export async function makeBare(
  { folder }: Bench,
  name: keyof typeof bareSources,
  flags: readonly string[] = [],
): Promise<(...args: string[]) => Program> {
  const bundle = `${folder}/${name}.js`;
  const source = bareSources[name].pathname;
  await run(Deno.execPath(), ["bundle", "--quiet", "--minify", "--platform", "deno", "-o", bundle, source]);
  return (...args) => ({
    path: Deno.execPath(),
    args: ["run", "-A", "--quiet", "--no-config", "--no-code-cache", ...flags, bundle, ...args],
  });
}
