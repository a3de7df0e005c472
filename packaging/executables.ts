/**
 * The product's executables: each is one module, bundled, behind a launcher of its name.
 *
 * @module
 */

import type { Room } from "./launcher.ts";

/** Where packages put things. */
export const installed = {
  plugins: "/opt/bacula/plugins",
  programs: "/opt/bacula/bin",
  /** What the launchers start: Deno and the bundles. */
  runtime: "/opt/bacula/lib/podheitor-mongodb",
} as const;

/** An executable of the product. */
export interface Executable {
  readonly room: Room;
  readonly name: string;
  /** Its module, in the checkout. */
  readonly entry: string;
}

/** The executables of this checkout. */
export function findExecutables(checkout: string): Executable[] {
  return (["backend", "exporter"] as const).map((room) => ({
    room,
    name: `podheitor-mongodb-${room}`,
    entry: `${room}/main.ts`,
  })).filter(({ entry }) => exists(`${checkout}/${entry}`));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}
