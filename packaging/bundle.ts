/**
 * One JavaScript file of an executable's sources and packages, with the same bytes wherever it is made.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";

/** Bundles a module of the checkout into the file `out`. */
export async function bundle(checkout: string, entry: string, out: string): Promise<void> {
  // A minifier would be shorter, but forgets what `using` closes.
  await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "deno", "-o", out, entry], {
    cwd: checkout,
  });
  await Deno.writeTextFile(out, withoutPlaces(await Deno.readTextFile(out)));
}

/**
 * Names of packages' modules, in comments and in keys, without the way from the checkout to Deno's cache: the one thing that differs between two
 * places of building.
 */
function withoutPlaces(text: string): string {
  return text.replaceAll(
    /^(\/\/ | *")(?:[^\n"]*\/)?npm\/[^\s"/]+\/(?=(?:@[\w.-]+\/)?[\w.-]+\/\d)/gm,
    "$1npm:",
  );
}
