/**
 * Running an executable from its sources, with the permissions that it is installed with.
 *
 * @module
 */

import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher, type Room } from "./launcher.ts";

const checkout = new URL("..", import.meta.url).pathname;

/** Runs an executable's sources with this program's arguments, and ends as it does. */
export async function runFromSources(room: Room): Promise<never> {
  await ensureTools(["gcc", "musl"]);
  const folder = await Deno.makeTempDir({ prefix: "podheitor-launcher-" });
  const launcher = `${folder}/podheitor-mongodb-${room}`;
  await compileLauncher(room, launcher, {
    deno: Deno.execPath(),
    module: `${checkout}${room}/main.ts`,
    config: `${checkout}deno.json`,
  });
  const child = new Deno.Command(launcher, {
    args: Deno.args,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  // Ctrl-C reaches the child by itself; it says how that ends.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  const { code } = await child.status;
  await Deno.remove(folder, { recursive: true });
  Deno.exit(code);
}
