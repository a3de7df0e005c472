/**
 * What a row of the table of options says.
 *
 * @module
 */

/** Who looks at an option. */
export type OptionUse = "backup" | "restore" | "both";

interface Described {
  readonly use: OptionUse;
  /** One sentence for the reference. */
  readonly summary: string;
  readonly example: string;
  /** Whether an operator may give it at a restore's prompt. */
  readonly form?: true;
}

interface OptionTypes {
  bool: { kind: "bool"; default: boolean };
  integer: { kind: "integer"; default: number; min: number; max: number };
  size: { kind: "size"; default: number; min: number; max: number };
  choice: { kind: "choice"; default: string | null; values: readonly string[]; later: readonly string[] };
  list: { kind: "list"; default: readonly string[] };
  /** Patterns of namespaces. */
  patterns: { kind: "patterns"; default: readonly string[] };
  /** A point in time, as its text. */
  instant: { kind: "instant"; default: null };
  /** `host:port` of a member, and several of them. */
  member: { kind: "member"; default: null };
  members: { kind: "members"; default: readonly string[] };
  /** Sets of tags, as their text. */
  tags: { kind: "tags"; default: null };
  name: { kind: "name"; default: null };
  path: { kind: "path"; default: null };
  uri: { kind: "uri"; default: null };
  /** Whose word makes a write done. */
  write_concern: { kind: "write_concern"; default: WriteConcern };
}

/** A majority of the set, or a number of members. */
export type WriteConcern = "majority" | number;

/** A row of the table. */
export type OptionRow = Described & OptionTypes[keyof OptionTypes];
