/**
 * The one table of options. Parser, types, reference and restore form are made from it.
 *
 * @module
 */

import type { OptionRow, WriteConcern } from "./row.ts";
import { sourceRows } from "./source_rows.ts";

const mib = 1024 * 1024;

/** Every option of the plugin command. */
export const optionTable = {
  uri: {
    kind: "uri",
    default: null,
    use: "both",
    form: true,
    summary:
      "MongoDB connection string. Bacula stores the plugin command on the volume and in the catalog: keep passwords out of it.",
    example: "uri=mongodb://backup@db1:27017,db2:27017/?replicaSet=rs0",
  },
  uri_file: {
    kind: "path",
    default: null,
    use: "both",
    summary: "File that holds the connection string, readable by its owner only; in place of uri.",
    example: "uri_file=/etc/podheitor/rs0.uri",
  },
  password_file: {
    kind: "path",
    default: null,
    use: "both",
    summary:
      "File that holds the password of the user named in the connection string, readable by its owner only.",
    example: "password_file=/etc/podheitor/rs0.password",
  },
  database: {
    kind: "list",
    default: ["*"],
    use: "backup",
    summary: "Databases to back up, separated by commas; * is all of them but config and local.",
    example: "database=app,shop",
  },
  resource: {
    kind: "name",
    default: null,
    use: "backup",
    summary: "Name of this source in virtual file names and sidecars; by default the replica set's name.",
    example: "resource=orders-prod",
  },
  parallel_dbs: {
    kind: "integer",
    default: 4,
    min: 1,
    max: 16,
    use: "backup",
    summary: "Databases that are read at the same time, at most.",
    example: "parallel_dbs=4",
  },
  parallel_collections: {
    kind: "integer",
    default: 4,
    min: 1,
    max: 16,
    use: "backup",
    summary: "Collections of one database that are read at the same time, at most.",
    example: "parallel_collections=2",
  },
  parallel_chunks: {
    kind: "integer",
    default: 4,
    min: 1,
    max: 16,
    use: "backup",
    summary: "Readers of one large collection at the same time, at most.",
    example: "parallel_chunks=2",
  },
  parallel_readers: {
    kind: "integer",
    default: 0,
    min: 0,
    max: 32,
    use: "backup",
    summary:
      "Readers over all databases and collections; 0 is the largest of parallel_dbs, parallel_collections and " +
      "parallel_chunks. Memory grows with it: a segment and two batches each.",
    example: "parallel_readers=8",
  },
  chunk_threshold: {
    kind: "size",
    default: 1024 * mib,
    min: mib,
    max: 1024 * 1024 * 1024 * mib,
    use: "backup",
    summary: "Size of documents from which a collection is cut into ranges of _id for several readers. " +
      "A range costs the server more than the same part of a natural scan.",
    example: "chunk_threshold=10G",
  },
  chunks: {
    kind: "integer",
    default: 16,
    min: 1,
    max: 1000,
    use: "backup",
    summary: "Ranges that such a collection is cut into; 1 reads every collection in natural order.",
    example: "chunks=1",
  },
  max_rate: {
    kind: "size",
    default: 0,
    min: 0,
    max: 1024 * 1024 * mib,
    use: "backup",
    summary: "Bytes of documents that all readers together read in a second, at most; 0 is no bound.",
    example: "max_rate=50M",
  },
  max_lag: {
    kind: "integer",
    default: 0,
    min: 0,
    max: 86_400,
    use: "backup",
    summary:
      "Seconds that the secondary may be behind its primary; while it is further behind, reading pauses. 0 is no bound.",
    example: "max_lag=60",
  },
  ...sourceRows,
  segment_size: {
    kind: "size",
    default: 16 * mib,
    min: mib,
    max: 256 * mib,
    use: "backup",
    summary: "Size at which a collection's documents are cut into another virtual file.",
    example: "segment_size=64M",
  },
  verify: {
    kind: "bool",
    default: true,
    use: "backup",
    summary: "Whether documents read are held against the server's own count.",
    example: "verify=yes",
  },
  verify_digests: {
    kind: "bool",
    default: false,
    use: "backup",
    summary:
      "Whether a Full reads every collection a second time, and compares digests of those that were not written to meanwhile.",
    example: "verify_digests=yes",
  },
  sign: {
    kind: "bool",
    default: true,
    use: "backup",
    summary: "Whether the manifest is signed; without a signature, changes to a backup can't be noticed.",
    example: "sign=no",
  },
  drop: {
    kind: "bool",
    default: false,
    use: "restore",
    form: true,
    summary: "Whether a restore may remove collections that are in its way.",
    example: "drop=yes",
  },
  allow_unsigned: {
    kind: "bool",
    default: false,
    use: "restore",
    form: true,
    summary:
      "Whether a restore takes an unsigned manifest. Heeded at the restore's prompt, among prepared parameters and on the command line, never in a FileSet.",
    example: "allow_unsigned=yes",
  },
  pit: {
    kind: "instant",
    default: null,
    use: "restore",
    form: true,
    summary:
      "Instant to restore to, inclusive; by default the end of the chosen jobs. A Unix second or RFC 3339 (through the end of that second), either with " +
      ":<increment> or @<increment> (that entry and all before it), :inc=N (the N-th incremental of the newest day) or @inc=N (the N-th since the Full).",
    example: "pit=2026-11-23T08:15:00+01:00",
  },
  dry_run: {
    kind: "bool",
    default: false,
    use: "restore",
    form: true,
    summary: "Whether a restore only says in the job log what it would do, and changes nothing.",
    example: "dry_run=yes",
  },
  include: {
    kind: "patterns",
    default: [],
    use: "both",
    form: true,
    summary:
      "Collections to back up or to restore, as patterns separated by commas; * is any run of characters within the database's or the collection's name. By default all " +
      "of database=, or all that are selected. What a FileSet says is for backups only.",
    example: "include=app.*,shop.orders",
  },
  exclude: {
    kind: "patterns",
    default: [],
    use: "both",
    form: true,
    summary:
      "Collections to leave out of a backup or a restore, as patterns like those of include, which they come before. What a FileSet says is for backups only.",
    example: "exclude=app.log_*",
  },
  ns_from: {
    kind: "patterns",
    default: [],
    use: "restore",
    form: true,
    summary:
      "Collections to restore under another name, as patterns like those of include; ns_to names their counterparts, and the first that fits counts.",
    example: "ns_from=app.*",
  },
  ns_to: {
    kind: "patterns",
    default: [],
    use: "restore",
    form: true,
    summary: "New names for ns_from, one each, with as many *, which take what those of ns_from stand for.",
    example: "ns_to=app_copy.*",
  },
  where: {
    kind: "path",
    default: null,
    use: "restore",
    form: true,
    summary:
      "Where to restore to in place of Bacula's where: / for the server, a directory for files in mongodump's layout.",
    example: "where=/var/tmp/dump",
  },
  index_build: {
    kind: "choice",
    default: "after",
    values: ["after", "none"],
    later: [],
    use: "restore",
    form: true,
    summary:
      "When a restore into a server builds the indexes: at its very end, or not at all; the job log then has the commands that build them.",
    example: "index_build=none",
  },
  parallel_indexes: {
    kind: "integer",
    default: 2,
    min: 1,
    max: 16,
    use: "restore",
    form: true,
    summary:
      "Collections whose indexes a restore builds at the same time. The server gives each up to 200 MB of its memory, and by default lets three go on at once.",
    example: "parallel_indexes=3",
  },
  write_concern: {
    kind: "write_concern",
    default: "majority",
    use: "restore",
    form: true,
    summary:
      "How many members of the set must have each write of a restore: a majority, or a number of them. With a number, the restore waits for the majority at its end, and warns if it doesn't come within a minute.",
    example: "write_concern=1",
  },
  parallel_restore: {
    kind: "integer",
    default: 4,
    min: 1,
    max: 16,
    use: "restore",
    form: true,
    summary:
      "Segments that a restore writes at the same time, of all collections together. Memory grows with it, by at most 48M each.",
    example: "parallel_restore=8",
  },
  users: {
    kind: "choice",
    default: "auto",
    values: ["auto", "yes", "no"],
    later: [],
    use: "both",
    form: true,
    summary:
      "Whether users and roles go along. auto: in a backup with database=* and without include=; in a restore where their files are among the selected ones, " +
      "without include=, exclude= and ns_from=. What a FileSet says is for backups only.",
    example: "users=yes",
  },
  mode: {
    kind: "choice",
    default: "dump",
    values: ["dump", "rehearse"],
    later: ["snapshot", "hot_backup", "backup_cursor", "sharded", "replicate"],
    use: "both",
    form: true,
    summary:
      "How the data is read. rehearse is for restores: into a throw-away server on the File Daemon's machine, which is read back, held against the backup, and removed.",
    example: "mode=rehearse",
  },
  engine: {
    kind: "choice",
    default: "native",
    values: ["native", "mongodump"],
    later: [],
    use: "both",
    form: true,
    summary:
      "Who reads a Full's documents and inserts a restore's: the backend itself, or stock mongodump for each collection and stock mongorestore for each segment, from the folder that PODHEITOR_MONGODB_TOOLS names. The backup is the same, and a restore of it uses the tool only when it is told so itself.",
    example: "engine=mongodump",
  },
} as const satisfies Record<string, OptionRow>;

/** Name of an option. */
export type OptionName = keyof typeof optionTable;

type Value<Row extends OptionRow> = Row extends { kind: "bool" } ? boolean
  : Row extends { kind: "integer" | "size" } ? number
  : Row extends { kind: "list" | "patterns" | "members" } ? readonly string[]
  : Row extends { kind: "choice" } ? Row["values"][number] | Extract<Row["default"], null>
  : Row extends { kind: "write_concern" } ? WriteConcern
  : string | null;

/** Every option with its value. */
export type Options = { readonly [Name in OptionName]: Value<(typeof optionTable)[Name]> };

/** The rows in the table's order. */
export const optionRows: readonly (readonly [OptionName, OptionRow])[] = Object.entries(optionTable) as [
  OptionName,
  OptionRow,
][];
