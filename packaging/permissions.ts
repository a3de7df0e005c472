/** What the backend may do, as Deno's flags: one list for the launcher, the stand-alone task and the tests. */

import { environmentTable } from "../backend/options/environment.ts";

/** Flags of the backend's process. Everything that isn't named is refused. */
export const backendFlags: readonly string[] = [
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--cached-only",
  "--no-code-cache",
  // MongoDB servers: which ones, only the job says.
  "--allow-net",
  // Secrets, keys, job folders.
  "--allow-read",
  // Working directory, job folders, restores to a directory.
  "--allow-write",
  // The driver asks for many variables; it gets none of them.
  "--ignore-env",
  `--allow-env=${Object.keys(environmentTable).join(",")}`,
  // The driver tells the server the name of this system.
  "--allow-sys=osRelease,uid",
  "--deny-ffi",
  "--deny-run",
  "--deny-import",
];
