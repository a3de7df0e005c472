/**
 * Writes REFERENCE.md from the tables in code: `deno task docs`, or `deno task docs --check` to see whether it is up to date.
 *
 * Exit status: 0 written or up to date, 1 out of date.
 *
 * @module
 */

import { errorTable } from "../backend/errors.ts";
import { manifestPath, metadataPath, segmentPath } from "../backend/job/object_path.ts";
import { metricRows } from "../exporter/metric_table.ts";
import { routes } from "../exporter/routes.ts";
import { environmentTable } from "../backend/options/environment.ts";
import { restoreFormName } from "../backend/options/restore_form.ts";
import type { OptionRow } from "../backend/options/row.ts";
import { type OptionName, optionRows } from "../backend/options/table.ts";
import { formatValue } from "../backend/options/value.ts";
import {
  commonFlags,
  exporterPermissions,
  type Permissions,
  permissionTable,
  type Place,
  places,
  protectedFlag,
} from "../packaging/permissions.ts";

const root = new URL("../", import.meta.url).pathname;

/** Where the reference is, from the project's root. */
export const referencePath = "REFERENCE.md";

/** The exporter among the backend's commands. */
const exporter = "podheitor-mongodb-exporter";

const uses = { backup: "backup", restore: "restore", both: "backup, restore" } as const;

/** The hundreds of error numbers by their first digit: heading, and the codes that belong there. */
export const errorHundreds: ReadonlyMap<number, { readonly heading: string; readonly codes: RegExp }> =
  new Map([
    [1, { heading: "Options and commands", codes: /^(option|secret|usage)/ }],
    [2, { heading: "Conversation with the File Daemon", codes: /^(protocol|peer|canceled)/ }],
    [3, { heading: "MongoDB", codes: /^(connect|authentication|server|unsupportedServer|incompleteRead)/ }],
    [4, { heading: "Oplog", codes: /^(oplog|parentUnknown|chainBroken|pointInTime|replay)/ }],
    [5, { heading: "Manifests and objects", codes: /^(manifest|object|signingKey)/ }],
    [6, { heading: "Restore", codes: /^restore/ }],
    [7, { heading: "Working directory", codes: /^state/ }],
    [8, { heading: "Volumes", codes: /^volume/ }],
    [9, { heading: "The program itself", codes: /^internal/ }],
  ]);

/** The whole text of REFERENCE.md. */
export async function reference(): Promise<string> {
  return `${
    [
      "# Reference",
      "Written by `deno task docs` from the tables in the code: change those, not this file.",
      ...commands(await usage("backend"), await usage("exporter")),
      ...options(),
      ...environment(),
      ...permissions(),
      ...files(),
      ...metrics(),
      ...errors(),
    ].join("\n\n")
  }\n`;
}

function commands(...usages: readonly string[]): string[] {
  return ["## Commands", ...usages.map((usage) => `\`\`\`text\n${usage.trim()}\n\`\`\``)];
}

/** What a program itself says of its commands. */
async function usage(program: "backend" | "exporter"): Promise<string> {
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

function options(): string[] {
  const form = optionRows.filter(([, row]) => row.form).map(([name]) => `\`${name}\``);
  return [
    "## Options",
    'The plugin command in a FileSet is `Plugin = "podheitor-mongodb: key=value key=value"`. A value with spaces stands in double or single quotes; within quotes a ' +
    "backslash takes the next character as it is. An unknown, repeated or malformed option fails the job before anything is read.",
    table(
      ["Option", "Value", "Default", "Used by", "Meaning", "Example"],
      optionRows.map(([name, row]) => [
        `\`${name}\``,
        valueOf(row),
        defaultOf(name, row),
        uses[row.use],
        row.summary,
        `\`${row.example}\``,
      ]),
    ),
    ...optionRows.flatMap(([name, row]) =>
      row.kind === "choice" && row.later.length > 0
        ? [`Not available in this version: ${row.later.map((value) => `\`${name}=${value}\``).join(", ")}.`]
        : []
    ),
    `${
      form.join(", ")
    } can also be given when a restore is started (\`mod\`, \`Plugin Options\` in bconsole; Bacula keeps the form as \`${restoreFormName}\`), ` +
    "or be left on the File Daemon's machine for the next restore with `podheitor-mongodb-backend prepare-restore`. What is given at the prompt comes before what was " +
    "prepared, and that before the plugin command.",
  ];
}

function valueOf(row: OptionRow): string {
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

function defaultOf(name: OptionName, row: OptionRow): string {
  if (row.kind === "size") return `\`${formatSize(row.default)}\``;
  if (Array.isArray(row.default) && row.default.length === 0) return "none";
  if (row.default !== null) return `\`${formatValue(row.default)}\``;
  if (name === "readPreference" || name === "tags") return "the connection string's";
  return name === "resource" ? "the replica set's name" : "none";
}

function formatSize(bytes: number): string {
  const mib = 1024 * 1024;
  return bytes % mib === 0 ? `${bytes / mib}M` : String(bytes);
}

function environment(): string[] {
  return [
    "## Environment variables",
    "Set for the File Daemon, for instance with `Environment=` in a drop-in of its systemd unit. None of them can be set in a plugin command.",
    table(
      ["Variable", "Meaning"],
      Object.entries(environmentTable).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  ];
}

function permissions(): string[] {
  const flagged = [...commonFlags, protectedFlag].filter((flag) => flag.startsWith("--deny")).map((flag) =>
    `\`${flag}\``
  );
  const list = (items: readonly string[]) => items.length === 0 ? "nothing" : items.join(", ");
  const namesOf = (chosen: readonly Place[]) => list(chosen.map((place) => places[place]));
  return [
    "## Permissions",
    "What the launcher lets Deno allow each command; anything else is refused by Deno. `job` stands with the kind of its session: B backup, R restore, E estimate, " +
    "L listing, Q query. Not given in any case: foreign code and libraries, and with them what these flags say: " +
    `${
      flagged.join(" ")
    } (but for keygen, the last). A path that is empty, begins with a dash, or has a comma, a quote or a control character is refused (MONGO-110), since it could make a list longer.`,
    table(
      ["Command", "Reads", "Writes", "Network", "Runs", "Variables", "Facts of the system", "Why not less"],
      Object.entries<Permissions>({ ...permissionTable, [exporter]: exporterPermissions }).map((
        [command, row],
      ) => [
        `\`${command}\``,
        namesOf(row.read),
        namesOf(row.write),
        row.net,
        list(row.run.map((program) => runnable[program])),
        list(row.env.map((name) => `\`${name.replace("PODHEITOR_MONGODB_", "…")}\``)),
        list(row.sys),
        row.why,
      ]),
    ),
  ];
}

const runnable = {
  mongodump: "`mongodump` in the folder of `…TOOLS`",
  mongorestore: "`mongorestore` in the folder of `…TOOLS`",
  mongod: "the program of `…MONGOD`",
  mongodOnPath: "the program of `…MONGOD` or `MONGOD_BIN`, else the `mongod` on PATH",
} as const satisfies Record<Permissions["run"][number], string>;

function files(): string[] {
  const resource = "rs0";
  const namespace = { database: "shop", collection: "orders" };
  return [
    "## Files and paths",
    table(["Path", "What it is"], [
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
    ]),
    "In Bacula's catalog, of a collection `shop.orders` in a backup of the resource `rs0`:",
    table(["Virtual file", "What it is"], [
      [`\`${segmentPath(resource, namespace, 0)}\``, "The first segment of its documents, as BSON."],
      [`\`${segmentPath(resource, namespace, 1)}\``, "A further segment; as many as the documents need."],
      [`\`${metadataPath(resource, namespace)}\``, "Its options and indexes, as mongodump writes them."],
      [
        `\`${manifestPath(resource, "mongodb.2026-11-23_04.33.00_07")}\``,
        "The job's sealed manifest: every object with size and digest, signed.",
      ],
    ]),
  ];
}

function metrics(): string[] {
  return [
    "## Metrics",
    "What the exporter serves, made at each scrape of the sidecars in the File Daemon's working directory ([fields](exporter/README.md)). A series is left out where its value isn't known. All " +
    "metrics are gauges, but for those that end with `_total`, which are counters.",
    table(
      ["Metric", "Labels", "Unit", "Meaning", "From"],
      metricRows.map(([name, { labels, unit, help, from }]) => [
        `\`${name}\``,
        labels.map((label) => `\`${label}\``).join(", "),
        unit,
        help,
        from,
      ]),
    ),
    table(["Path", "What is there"], routes.map(({ path, about }) => [`\`${path}\``, about])),
  ];
}

function errors(): string[] {
  const rows = Object.values(errorTable);
  const groups = Map.groupBy(rows, ({ number }) => Math.floor(number / 100));
  return [
    "## Error codes",
    "A failed job's log says `MONGO-<number>`, what failed and why, and in a line of its own what to do about it.",
    ...[...groups].flatMap(([hundred, rows]) => [
      `### ${hundred}xx ${errorHundreds.get(hundred)?.heading}`,
      table(["Code", "Meaning"], rows.map(({ number, summary }) => [`MONGO-${number}`, `${summary}.`])),
    ]),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const text = await reference();
  const path = `${root}${referencePath}`;
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(path, text);
  } else if (await Deno.readTextFile(path).catch(() => "") !== text) {
    console.error(`${referencePath} is out of date: run deno task docs`);
    Deno.exit(1);
  }
}
