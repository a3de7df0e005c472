/**
 * What the plugin command and the connection string say of the member to read.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { sourceRows } from "../options/source_rows.ts";
import type { Options } from "../options/table.ts";
import { formatTagSets, parseTagSets, type TagSet } from "../options/tag_sets.ts";
import { ValueFault } from "../options/value_fault.ts";
import type { Secret } from "../secret.ts";

/** The options of the plugin command that choose. */
export type SourceOptions = Pick<Options, Exclude<keyof typeof sourceRows, "max_source_absence">>;

/** What `readPreference` may be. */
export type ReadMode = (typeof sourceRows.readPreference.values)[number];

/** Which members may be read. */
export interface SourceRules {
  readonly readPreference: ReadMode;
  /** Tags to have, the first set that any member has; null for any. */
  readonly tagSets: readonly TagSet[] | null;
  /** Seconds that a secondary may be behind; 0 for no bound. */
  readonly maxStalenessSeconds: number;
  /** The same for every member. */
  readonly maxLagSeconds: number;
  /** The only one that will do, as `host:port` in lower case. */
  readonly source: string | null;
  readonly avoid: readonly string[];
  /** All of this and where it was said, for the job's log and the manifest. */
  readonly text: string;
}

/** Options of a plugin command that says nothing of members. */
export const anySource: SourceOptions = {
  readPreference: sourceRows.readPreference.default,
  tags: sourceRows.tags.default,
  maxStalenessSeconds: sourceRows.maxStalenessSeconds.default,
  source: sourceRows.source.default,
  avoid: sourceRows.avoid.default,
  max_source_lag: sourceRows.max_source_lag.default,
};

/**
 * What the plugin command says comes before what the connection string says, setting by setting.
 *
 * @throws PluginError `optionInvalid` for a connection string's setting that can't be read, and for what no member can meet
 */
export function sourceRules(options: SourceOptions, uri: Secret): SourceRules {
  const said = readUri(uri);
  const parts: string[] = [];
  const choose = <T>(
    name: string,
    own: T | null,
    other: T | null,
    otherwise: T,
    format: (value: T) => string,
  ): T => {
    if (own !== null && other !== null && format(own) !== format(other)) {
      parts.push(
        `${name}=${format(own)} (plugin command, in place of the connection string's ${format(other)})`,
      );
    } else if (own !== null) parts.push(`${name}=${format(own)}`);
    else if (other !== null) parts.push(`${name}=${format(other)} (connection string)`);
    return own ?? other ?? otherwise;
  };
  const readPreference = choose<ReadMode>(
    "readPreference",
    options.readPreference,
    said.readPreference,
    "secondaryPreferred",
    String,
  );
  if (parts.length === 0) parts.push(`readPreference=${readPreference}`);
  const own = options.tags === null ? null : parseTagSets(options.tags);
  const tagSets = choose<readonly TagSet[] | null>(
    "tags",
    own,
    said.tagSets,
    null,
    (sets) => formatTagSets(sets ?? []),
  );
  const maxStalenessSeconds = choose(
    "maxStalenessSeconds",
    options.maxStalenessSeconds || null,
    said.maxStalenessSeconds,
    0,
    String,
  );
  const { source, avoid, max_source_lag: maxLagSeconds } = options;
  if (source !== null) parts.push(`source=${source}`);
  if (avoid.length > 0) parts.push(`avoid=${avoid.join(",")}`);
  if (maxLagSeconds > 0) parts.push(`max_source_lag=${maxLagSeconds}`);
  if (readPreference === "primary" && (tagSets !== null || maxStalenessSeconds > 0)) {
    throw unmeetable(
      "readPreference=primary goes with neither tags nor maxStalenessSeconds, which are of secondaries",
    );
  }
  if (source !== null && avoid.includes(source)) throw unmeetable(`source= and avoid= both name ${source}`);
  return {
    readPreference,
    tagSets,
    maxStalenessSeconds,
    maxLagSeconds,
    source,
    avoid,
    text: parts.join(", "),
  };
}

/** The settings of a connection string that choose among members. Whoever connects leaves them out. */
export const choosingSettings: ReadonlySet<string> = new Set([
  "readpreference",
  "readpreferencetags",
  "maxstalenessseconds",
]);

function readUri(uri: Secret): Pick<SourceRules, "tagSets"> & {
  readonly readPreference: ReadMode | null;
  readonly maxStalenessSeconds: number | null;
} {
  const [, query = ""] = uri.reveal().split("?", 2);
  const given = [...new URLSearchParams(query)].map(([name, value]) => ({ name: name.toLowerCase(), value }));
  const last = (wanted: string) => given.findLast(({ name }) => name === wanted)?.value;
  const mode = last("readpreference");
  const modes: readonly string[] = sourceRows.readPreference.values;
  if (mode !== undefined && !modes.includes(mode)) {
    throw unreadable("readPreference", `one of ${modes.join(", ")}`);
  }
  const staleness = last("maxstalenessseconds");
  if (staleness !== undefined && !/^(-1|\d{1,9})$/.test(staleness)) {
    throw unreadable("maxStalenessSeconds", "a whole number");
  }
  const sets = given.filter(({ name }) => name === "readpreferencetags").flatMap(({ value }) =>
    readTags(value)
  );
  return {
    readPreference: mode === undefined ? null : mode as ReadMode,
    tagSets: sets.length === 0 ? null : sets,
    maxStalenessSeconds: staleness === undefined || staleness === "-1" ? null : Number(staleness),
  };
}

function readTags(text: string): TagSet[] {
  try {
    return parseTagSets(text);
  } catch (cause) {
    if (!(cause instanceof ValueFault)) throw cause;
    throw unreadable("readPreferenceTags", '"name:value" separated by commas');
  }
}

function unreadable(name: string, wanted: string): PluginError {
  return new PluginError("optionInvalid", `Cannot use the connection string: its ${name} isn't ${wanted}`, {
    hint: "Correct uri= or the file of uri_file=.",
  });
}

function unmeetable(reason: string): PluginError {
  return new PluginError("optionInvalid", `Cannot choose a member to read from: ${reason}`, {
    hint: "Correct the FileSet's Plugin line, or the connection string.",
  });
}
