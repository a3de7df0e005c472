/**
 * Who runs each command of the documents, or why nobody does.
 *
 * @module
 */

import type { Command, OtherBlock } from "./commands.ts";
import { readDocuments } from "./commands.ts";

/** Tests that take commands out of the documents by {@linkcode commandsOf} and run each of them, by their modules. */
export type Runner =
  | "tests/e2e/documents_test.ts"
  | "tests/e2e/guide_test.ts"
  | "tests/e2e/restore_table_test.ts"
  | "tests/monitoring/rules_test.ts"
  | "tests/package/packages_test.ts"
  | "tests/package/signatures.ts";

/** Commands of this form, anywhere or in one place, and what is done with them. The first row that fits a command is its row. */
export type Row =
  & {
    readonly text: RegExp;
    readonly document?: string;
    readonly section?: string;
    readonly place?: Command["place"];
  }
  & (
    | { readonly runner: Runner }
    | {
      /** Why it isn't run, in a sentence. */
      readonly reason: string;
      /** The test that is nearest to it. */
      readonly nearest: string;
    }
  );

const everything = /^/;

/** All rows. */
export const rows: readonly Row[] = [
  // What this machine lacks, or what can't be done to it.
  {
    text: /^(apt|apt-get|dnf) install |^rpm -e$/,
    reason: "It would install the product on the machine that tests run on.",
    nearest: "packaging/smoke/inside.sh",
  },
  {
    text: /^systemctl (daemon-reload|show bacula-fd|edit)/,
    reason: "It needs a machine with systemd, and an editor or a File Daemon under it.",
    nearest: "tests/boot/boot_test.ts",
  },
  {
    text: /^(systemctl (enable|restart|status)|journalctl|systemd-analyze) /,
    reason: "It needs a machine with systemd; a test boots one with this unit.",
    nearest: "tests/boot/boot_test.ts",
  },
  {
    text: /^runuser -u bacula /,
    reason: "Machines that tests run on have no user of that name.",
    nearest: "tests/e2e/unprivileged_test.ts",
  },
  {
    text: /^mongosh .*(backup|restore)\.js/,
    reason: "No package of a registry has MongoDB's shell; the scripts are run in a stand-in of it.",
    nearest: "tests/contract/roles_test.ts",
  },
  {
    text: /^(db|rs)\./,
    reason: "It is typed in MongoDB's shell, which no package of a registry has; all of it is MongoDB's own.",
    nearest: "tests/contract/doctor_server_test.ts",
  },
  {
    text: /^mongorestore --oplogReplay/,
    reason: "No package of a registry has MongoDB's tools; the test of folders runs it where it is on PATH.",
    nearest: "tests/e2e/mongodump_folder_test.ts",
  },
  {
    text: /^mongodump --db app --dumpDbUsersAndRoles$/,
    reason: "No package of a registry has MongoDB's tools; a stand-in writes the same folder.",
    nearest: "tests/contract/mongodump_users_test.ts",
  },
  {
    text: /^chown bacula:$|^chmod 640$/,
    reason: "The file isn't named, since it may be any of the working directory's.",
    nearest: "tests/contract/doctor_machine_test.ts",
  },
  // Whole runs of their own.
  {
    text: /^(npx --yes deno@2\.9\.6|deno) task demo$/,
    reason: "The demo is a test by itself, of a minute and more.",
    nearest: "tests/demo.ts",
  },
  {
    text: /^(npx --yes deno@2\.9\.6|deno) task test(:faults)?( --older| --long| unit cshim)?$/,
    reason: "It runs the tests, this one among them.",
    nearest: "tests/run.ts",
  },
  {
    text: /^deno task smoke( bacula-on-debian-13-made| NAME…)?$/,
    reason: "It takes podman and minutes, and is no stage; the workflow packages runs it.",
    nearest: "packaging/smoke/run.ts",
  },
  {
    text: /^deno task bench( |$)/,
    reason: "It measures, for many minutes, on a machine that does nothing else.",
    nearest: "tests/bench.ts",
  },
  {
    text: /^deno task docs$/,
    reason: "It writes into the checkout; a test compares what it would write with what is there.",
    nearest: "tests/docs.ts",
  },
  {
    text: /^deno task screenshots$/,
    reason: "It writes pictures into the checkout, which differ with each browser's letters.",
    nearest: "tests/e2e/exporter_page_test.ts",
  },
  {
    text: /^(deno task wasm|cargo test)/,
    reason: "It takes a Rust compiler of one version, which tests install nowhere.",
    nearest: "wasm/segment_test.ts",
  },
  // What is run.
  {
    text: everything,
    document: "docs/operators-guide.md",
    place: "fence",
    runner: "tests/e2e/guide_test.ts",
  },
  {
    text: everything,
    document: "README.md",
    section: "Verify the packages",
    runner: "tests/package/signatures.ts",
  },
  { text: /^deno task package$/, runner: "tests/package/packages_test.ts" },
  { text: /^promtool check /, runner: "tests/monitoring/rules_test.ts" },
  {
    text: /^(restore|cd|mark) /,
    document: "README.md",
    section: "Restore tonight",
    runner: "tests/e2e/restore_table_test.ts",
  },
  {
    text:
      /^(podheitor-mongodb-(backend|exporter)|backend|deno task (backend|verify|exporter|smoke --list|build)|deno test|packaging\/verify-artifacts\.sh) ?/,
    runner: "tests/e2e/documents_test.ts",
  },
  { text: /^(\.ls|\.query|estimate|status|list|restore …) ?/, runner: "tests/e2e/documents_test.ts" },
  { text: /^(chown|install|ls|set|curl) /, runner: "tests/e2e/documents_test.ts" },
  { text: everything, document: "backend/manifest/FORMAT.md", runner: "tests/e2e/documents_test.ts" },
  { text: /^openssl /, document: "backend/manifest/KEYS.md", runner: "tests/e2e/documents_test.ts" },
];

/** Blocks without a language that are no commands, by their first line, and what they are. */
export const otherBlocks: readonly { readonly firstLine: RegExp; readonly what: string }[] = [
  { firstLine: /^(FileSet|FileDaemon|Schedule) \{$|^Plugin = "/, what: "Bacula's configuration" },
  { firstLine: /^\[Service\]$/, what: "a drop-in of systemd" },
  { firstLine: /^mongod ── /, what: "the picture of the data's path" },
  { firstLine: /^\{"blake3":/, what: "the form of a sealed manifest" },
  { firstLine: /^BASE64 \[/, what: "the form of a line of trusted keys" },
  { firstLine: /^every session +S: H /, what: "the order of frames" },
  { firstLine: /^(name +heartbeat with text|title +what the session shows)$/, what: "the form of vectors" },
];

/** The row of a command, or undefined. */
export function rowOf(command: Command): Row | undefined {
  return rows.find(({ text, document, section, place }) =>
    text.test(command.text) && [command.document, undefined].includes(document) &&
    [command.section, undefined].includes(section) && [command.place, undefined].includes(place)
  );
}

/** What a block is that is none of commands, or undefined. */
export function describeBlock({ firstLine }: OtherBlock): string | undefined {
  return otherBlocks.find((block) => block.firstLine.test(firstLine))?.what;
}

/** The commands that a test has to run, in the documents' order. */
export async function commandsOf(runner: Runner): Promise<Command[]> {
  const { commands } = await readDocuments();
  return commands.filter((command) => {
    const row = rowOf(command);
    return row !== undefined && "runner" in row && row.runner === runner;
  });
}
