/**
 * Writes REFERENCE.md, the manual pages and the shell's completion from the tables in code: `deno task docs`, or `deno task docs --check` to see whether it is up to date.
 *
 * Exit status: 0 written or up to date, 1 out of date.
 *
 * @module
 */

import { checkTable } from "../backend/commands/doctor/check.ts";
import { errorTable } from "../backend/errors.ts";
import { manifestPath, metadataPath, segmentPath } from "../backend/job/object_path.ts";
import { metricRows } from "../exporter/metric_table.ts";
import { routes } from "../exporter/routes.ts";
import { environmentTable } from "../backend/options/environment.ts";
import { restoreFormName } from "../backend/options/restore_form.ts";
import { optionRows } from "../backend/options/table.ts";
import {
  commonFlags,
  exporterPermissions,
  type Permissions,
  permissionTable,
  type Place,
  places,
  protectedFlag,
} from "../packaging/permissions.ts";
import { bacularisClass, bacularisPath } from "./docs/bacularis.ts";
import { completion } from "./docs/completion.ts";
import { backendPage, optionsPage } from "./docs/man_page.ts";
import { defaultOf, fileRows, root, usage, uses, valueOf } from "./docs/tables.ts";

/** The exporter among the backend's commands. */
const exporter = "podheitor-mongodb-exporter";

/** The documents that are written, by their path from the project's root. */
export const documents: Readonly<Record<string, () => Promise<string>>> = {
  "REFERENCE.md": reference,
  "packaging/man/podheitor-mongodb-backend.8": backendPage,
  "packaging/man/podheitor-mongodb.5": () => Promise.resolve(optionsPage()),
  [bacularisPath]: bacularisClass,
  "packaging/completion/podheitor-mongodb-backend.bash": completion,
};

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
async function reference(): Promise<string> {
  return `${
    [
      "# Reference",
      "Written by `deno task docs` from the tables in the code: change those, not this file.",
      ...commands(await usage("backend"), await usage("exporter")),
      ...doctor(),
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

function doctor(): string[] {
  return [
    "## Checks of the doctor",
    "`check` of `doctor --json`. Each may find several things; `code` is the number of the error that a job would fail with. What can't be looked at since something else is " +
    "missing is `skipped`. With `--restore`, the signing key, the scope and the chain aren't looked at.",
    table(
      ["Check", "Group", "What it tells"],
      Object.entries(checkTable).map(([check, { group, tells }]) => [`\`${check}\``, group, tells]),
    ),
  ];
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
    table(["Path", "What it is"], fileRows),
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
  for (const [path, write] of Object.entries(documents)) {
    const text = await write();
    if (!Deno.args.includes("--check")) await Deno.writeTextFile(`${root}${path}`, text);
    else if (await Deno.readTextFile(`${root}${path}`).catch(() => "") !== text) {
      console.error(`${path} is out of date: run deno task docs`);
      Deno.exitCode = 1;
    }
  }
}
