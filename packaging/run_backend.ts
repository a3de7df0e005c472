/** `deno task backend …`: the backend from its sources, with the permissions that it is installed with. */

import { runFromSources } from "./run_launcher.ts";

await runFromSources("backend");
