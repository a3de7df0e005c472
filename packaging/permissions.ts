/** What each command of the backend may do: one table for the launcher, REFERENCE.md and the tests. What it doesn't name is refused by Deno. */

import type { EnvironmentName } from "../backend/options/environment.ts";

/** A path, or several, that the launcher finds among a command's arguments and variables, in words of the reference. */
export const places = {
  anywhere: "everywhere but in /proc, /sys and the shadow files",
  to: "`--to`",
  from: "`--from`",
  operand: "the folder",
  working: "`--working-dir`",
  where: "`--where`",
  commandWhere: "everywhere but among programs and configuration, where the plugin command says `where`",
  notYetKnown:
    "everywhere but among programs and configuration, until the restore turns out to go into a server",
  keys: "`--key` and the files that the variables name",
  keyPair: "the file, and its `.pub`",
  webConfig: "`--web.config.file`, and the files that its lines name",
} as const;

/** Name of a place. */
export type Place = keyof typeof places;

/** What a program may do. */
export interface Permissions {
  readonly read: readonly Place[];
  readonly write: readonly Place[];
  readonly net: "anywhere" | "127.0.0.1" | "nowhere" | "`--listen`";
  readonly run: readonly ("mongodump" | "mongorestore" | "mongod" | "mongodOnPath")[];
  readonly env: readonly EnvironmentName[];
  /** Names of Deno's `--allow-sys`. */
  readonly sys: readonly ("osRelease" | "statfs" | "uid")[];
  /** Why it isn't less. */
  readonly why: string;
}

/** Who signs is held against who is trusted. */
const signing = [
  "PODHEITOR_MONGODB_SIGNING_KEY",
  "PODHEITOR_MONGODB_TRUSTED_KEYS",
] as const satisfies EnvironmentName[];
const trust = [...signing, "PODHEITOR_MONGODB_ALLOW_UNSIGNED"] as const satisfies EnvironmentName[];
const login = [
  "PODHEITOR_MONGODB_URI",
  "PODHEITOR_MONGODB_PASSWORD",
  "CREDENTIALS_DIRECTORY",
] as const satisfies EnvironmentName[];
/** It tells the server the name of this system; its file functions, which are Node's, ask for the user. */
const driver = ["osRelease", "uid"] as const;
/** Whose keys are believed. */
const ownUser = ["uid"] as const;
const silence = "PODHEITOR_MONGODB_SILENCE_SECONDS";
const server =
  "Which servers, and which files hold secrets and certificates, only the plugin command and the " +
  "connection string say.";
const nothing = { read: [], write: [], net: "nowhere", run: [], env: [], sys: [] } as const;

const question: Permissions = {
  ...nothing,
  read: ["anywhere"],
  net: "anywhere",
  env: [...login, silence],
  sys: driver,
  why: server,
};

/** The commands as the launcher tells them apart; a job by the kind of its session. */
export const permissionTable = {
  "job B": {
    read: ["anywhere"],
    write: ["working"],
    net: "anywhere",
    run: ["mongodump"],
    env: [...login, ...signing, silence, "PODHEITOR_MONGODB_TOOLS"],
    sys: driver,
    why: server,
  },
  "job R": {
    read: ["anywhere"],
    write: ["working", "notYetKnown"],
    net: "anywhere",
    run: ["mongod", "mongorestore"],
    env: [...login, ...trust, silence, "PODHEITOR_MONGODB_MONGOD", "PODHEITOR_MONGODB_TOOLS"],
    sys: driver,
    why: `${server} \`where=\` comes at the prompt or from a prepared file, after the start.`,
  },
  "job E": question,
  "job L": question,
  "job Q": question,
  backup: {
    read: ["anywhere"],
    write: ["to", "working"],
    net: "anywhere",
    run: ["mongodump"],
    env: [...login, ...signing, silence, "PODHEITOR_MONGODB_TOOLS"],
    sys: driver,
    why: server,
  },
  restore: {
    read: ["anywhere"],
    write: ["working", "where", "commandWhere"],
    net: "anywhere",
    run: ["mongorestore"],
    env: [...login, ...trust, silence, "PODHEITOR_MONGODB_TOOLS"],
    sys: driver,
    why: server,
  },
  rehearse: {
    read: ["from", "working", "keys"],
    write: ["working"],
    net: "127.0.0.1",
    run: ["mongodOnPath"],
    env: [...trust, silence, "PODHEITOR_MONGODB_MONGOD"],
    sys: driver,
    why: "The server that it restores into is its own.",
  },
  doctor: {
    read: ["anywhere"],
    write: ["working"],
    net: "anywhere",
    run: [],
    env: [...login, ...trust, "PODHEITOR_MONGODB_BACKEND", "PODHEITOR_MONGODB_TOOLS"],
    sys: [...driver, "statfs"],
    why: `${server} Whether a job could write is tried with a file that has no name any more.`,
  },
  verify: {
    ...nothing,
    read: ["operand", "keys"],
    env: trust,
    sys: ownUser,
    why: "",
  },
  chain: {
    ...nothing,
    read: ["operand", "working", "keys"],
    env: trust,
    sys: ownUser,
    why: "",
  },
  "prepare-restore": {
    ...nothing,
    read: ["working"],
    write: ["working"],
    why: "",
  },
  keygen: {
    ...nothing,
    write: ["keyPair"],
    why: "",
  },
  "--help": { ...nothing, why: "" },
  "--version": { ...nothing, why: "" },
} as const satisfies Record<string, Permissions>;

/** The exporter: it opens one port, and reads. */
export const exporterPermissions: Permissions = {
  ...nothing,
  read: ["working", "webConfig"],
  net: "`--listen`",
  sys: ownUser,
  why: "Whose sidecars are believed, its own user says.",
};

/** Flags of both programs, installed or from the sources. */
const sharedFlags = [
  "--quiet",
  "--no-prompt",
  // Packages ask for many variables; they get none of them.
  "--ignore-env",
  // Other processes' variables and memory, the system's settings and passwords: nobody's business here.
  "--deny-read=/etc/gshadow,/etc/shadow,/proc,/sys",
  "--deny-ffi",
  "--deny-import",
] as const;

/** Flags of all commands of the backend. Where documents are huge, read buffers are given back at once. */
export const commonFlags: readonly string[] = [...sharedFlags, "--v8-flags=--expose-gc"];

/** Flags of the exporter. Without compiled code it needs no memory that can be written and run. */
export const exporterFlags: readonly string[] = [...sharedFlags, "--v8-flags=--jitless"];

/** Programs and configuration: nothing is written there by any command but keygen, also not by a restore that may write anywhere else. */
export const protectedFlag =
  "--deny-write=/bin,/boot,/etc,/lib,/lib64,/opt/bacula/bin,/opt/bacula/lib,/opt/bacula/plugins,/proc,/sbin,/sys,/usr/bin,/usr/lib,/usr/lib64,/usr/sbin";
