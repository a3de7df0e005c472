/** `deno task backend …`: the backend from its sources, with the permissions that it is installed with. */

import { launcher } from "./launcher.ts";
import { runLauncher } from "./run_launcher.ts";

const checkout = new URL("..", import.meta.url).pathname;
const script = launcher({
  deno: Deno.execPath(),
  module: `${checkout}backend/main.ts`,
  config: `${checkout}deno.json`,
});
await runLauncher(script, "podheitor-mongodb-backend");
