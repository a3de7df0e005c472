/** `deno task backend …`: the backend from its sources, with the permissions that it is installed with. */

import { allowedProgramScript, backendFlags } from "./permissions.ts";

const checkout = new URL("..", import.meta.url).pathname;
/** What only makes sense for the installed bundle: from its sources, the backend needs its packages. */
const installedOnly = new Set([
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--cached-only",
  "--no-code-cache",
]);

const flags = backendFlags.filter((flag) => !installedOnly.has(flag)).map((flag) => `'${flag}'`).join(" ");
const script = `${allowedProgramScript}
exec '${Deno.execPath()}' run '--config=${checkout}deno.json' ${flags} "$run" '${checkout}backend/main.ts' "$@"`;
const child = new Deno.Command("sh", {
  args: ["-c", script, "podheitor-mongodb-backend", ...Deno.args],
  stdin: "inherit",
  stdout: "inherit",
  stderr: "inherit",
}).spawn();
// Ctrl-C reaches the child by itself; it says how that ends.
Deno.addSignalListener("SIGINT", () => {});
Deno.exit((await child.status).code);
