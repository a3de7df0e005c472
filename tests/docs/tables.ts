/**
 * What the generated documents have in common: how tables of the code read.
 *
 * @module
 */

import type { OptionRow } from "../../backend/options/row.ts";
import type { OptionName } from "../../backend/options/table.ts";
import { formatValue } from "../../backend/options/value.ts";

/** The project's root, with a slash at its end. */
export const root = new URL("../../", import.meta.url).pathname;

/** Who looks at an option. */
export const uses = { backup: "backup", restore: "restore", both: "backup, restore" } as const;

/** Paths, and what is there; backticks stand around what is typed. */
export const fileRows: readonly (readonly [path: string, what: string])[] = [
  ["`/opt/bacula/bin/podheitor-mongodb-backend`", "The backend's executable."],
  ["`/opt/bacula/bin/podheitor-mongodb-exporter`", "The exporter's executable."],
  ["`podheitor-mongodb-fd.so` in the File Daemon's plugin directory", "The plugin."],
  [
    "`podheitor-mongodb-<resource>-stats.json` in the File Daemon's working directory",
    "The resource's last jobs, newest first, for monitoring; mode 0640.",
  ],
  [
    "`podheitor-mongodb-<resource>-tip.json` in the same place",
    "Where the resource's last jobs ended; the next incremental finds its parent there. Without it, a Full is needed. Mode 0640.",
  ],
  [
    "`podheitor-mongodb-<resource>-restore.json` in the same place",
    "Parameters prepared for the resource's next restore, which removes it; mode 0600, good for an hour.",
  ],
  [
    "`DIR/<job>/@mongodb/…`, `DIR/<job>/restore-objects/…`",
    "Stand-alone backup: virtual files, and what Bacula would keep in its catalog.",
  ],
  ["`DIR/.<job>.partial/`", "Stand-alone backup that is not finished, or did not come to its end."],
];

/** What a program itself says of its commands. */
export async function usage(program: "backend" | "exporter"): Promise<string> {
  const main = `${program}/main.ts`;
  const args = ["run", "--allow-all", "--no-check", `${root}${main}`, "--help"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot read the usage of ${main}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** What an option may be. */
export function valueOf(row: OptionRow): string {
  switch (row.kind) {
    case "bool":
      return "`yes`, `no`";
    case "integer":
      return `${row.min} to ${row.max}`;
    case "size":
      return `size, ${formatSize(row.min)} to ${formatSize(row.max)}`;
    case "choice":
      return row.values.map((value) => `\`${value}\``).join(", ");
    case "list":
      return "names, separated by commas";
    case "patterns":
      return "patterns, separated by commas";
    case "member":
      return "host:port";
    case "members":
      return "host:port, separated by commas";
    case "tags":
      return "tags, separated by commas and semicolons";
    case "instant":
      return "point in time";
    case "name":
      return "name";
    case "path":
      return "absolute path";
    case "uri":
      return "connection string";
    case "write_concern":
      return "`majority`, or 1 to 50";
  }
}

/** What an option is where nothing is said. */
export function defaultOf(name: OptionName, row: OptionRow): string {
  if (row.kind === "size") return `\`${formatSize(row.default)}\``;
  if (Array.isArray(row.default) && row.default.length === 0) return "none";
  if (row.default !== null) return `\`${formatValue(row.default)}\``;
  if (name === "readPreference" || name === "tags") return "the connection string's";
  return name === "resource" ? "the replica set's name" : "none";
}

/** `16M`, or bytes. */
export function formatSize(bytes: number): string {
  const mib = 1024 * 1024;
  return bytes % mib === 0 ? `${bytes / mib}M` : String(bytes);
}
