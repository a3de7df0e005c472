/** `deno task exporter …`: the exporter from its sources, with the permissions that it is installed with. */

import { exporterLauncher } from "./exporter_launcher.ts";
import { runLauncher } from "./run_launcher.ts";

const checkout = new URL("..", import.meta.url).pathname;
const script = exporterLauncher({
  deno: Deno.execPath(),
  module: `${checkout}exporter/main.ts`,
  config: `${checkout}deno.json`,
});
await runLauncher(script, "podheitor-mongodb-exporter");
