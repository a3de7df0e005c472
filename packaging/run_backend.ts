/** `deno task backend …`: the backend from its sources, with the permissions that it is installed with. */

import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher } from "./launcher.ts";

const checkout = new URL("..", import.meta.url).pathname;
await ensureTools(["gcc", "musl"]);
const folder = await Deno.makeTempDir({ prefix: "podheitor-backend-" });
const launcher = `${folder}/podheitor-mongodb-backend`;
await compileLauncher("backend", launcher, {
  deno: Deno.execPath(),
  module: `${checkout}backend/main.ts`,
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
const { code } = await child.status;
await Deno.remove(folder, { recursive: true });
Deno.exit(code);
