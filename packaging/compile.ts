/**
 * Programs that need no Deno beside them, where there is Deno's runtime for them. It can be had neither from a registry nor from a package of Debian
 * 12, so nobody has run one of these yet; the launchers with one private Deno are what is tested.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";
import type { Room } from "./launcher.ts";
import {
  commonFlags,
  exporterFlags,
  exporterPermissions,
  type Permissions,
  permissionTable,
} from "./permissions.ts";

/**
 * Compiles a bundle. What it may do is fixed for all of its commands, so it is what any of them needs.
 *
 * @param denort path of Deno's runtime for programs, of this Deno's version
 */
export async function compile(room: Room, module: string, program: string, denort: string): Promise<void> {
  // A folder around the bundle would come along whole.
  const folder = await Deno.makeTempDir({ prefix: "podheitor-compile-" });
  try {
    await Deno.copyFile(module, `${folder}/main.js`);
    const args = ["compile", "--no-config", "--no-lock", "--no-remote", "--cached-only", "--no-code-cache"];
    await run(Deno.execPath(), [...args, ...compiledFlags[room](), "-o", program, "main.js"], {
      cwd: folder,
      env: { DENORT_BIN: denort },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const compiledFlags: Record<Room, () => string[]> = {
  backend: compiledBackendFlags,
  exporter: () => [
    ...exporterFlags,
    "--allow-read",
    "--allow-net",
    `--allow-sys=${exporterPermissions.sys.join(",")}`,
  ],
};

/** Lists that hold what each row of the table has. */
function compiledBackendFlags(): string[] {
  const rows: Permissions[] = Object.values(permissionTable);
  const all = <T>(of: (row: Permissions) => readonly T[]) => [...new Set(rows.flatMap(of))].sort().join(",");
  return [
    ...commonFlags,
    "--allow-read",
    "--allow-write",
    "--allow-net",
    `--allow-run=${all(({ run }) => run.map((program) => program.replace("OnPath", "")))}`,
    `--allow-env=${all(({ env }) => env)}`,
    `--allow-sys=${all(({ sys }) => sys)}`,
  ];
}
