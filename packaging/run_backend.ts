/** `deno task backend …`: the backend from its sources, with the permissions that it is installed with. */

import { launcher } from "./launcher.ts";

const checkout = new URL("..", import.meta.url).pathname;
const script = launcher({
  deno: Deno.execPath(),
  module: `${checkout}backend/main.ts`,
  config: `${checkout}deno.json`,
});
const child = new Deno.Command("sh", {
  args: ["-c", script, "podheitor-mongodb-backend", ...Deno.args],
  stdin: "inherit",
  stdout: "inherit",
  stderr: "inherit",
}).spawn();
// Ctrl-C reaches the child by itself; it says how that ends.
Deno.addSignalListener("SIGINT", () => {});
Deno.exit((await child.status).code);
