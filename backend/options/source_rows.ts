/**
 * Options that say which member of a replica set a backup reads.
 *
 * @module
 */

import type { OptionRow } from "./row.ts";

/** Rows of the table of options. The names of MongoDB's own settings are MongoDB's. */
export const sourceRows = {
  readPreference: {
    kind: "choice",
    default: null,
    values: ["secondaryPreferred", "secondary", "primaryPreferred", "primary", "nearest"],
    later: [],
    use: "backup",
    summary:
      "Which members a backup may read; by default as the connection string says, or else secondaryPreferred: a secondary, and the primary with a warning " +
      "where none is usable. Among equals a hidden member comes first, then the one that lags least, then the one with the longest oplog.",
    example: "readPreference=secondary",
  },
  tags: {
    kind: "tags",
    default: null,
    use: "backup",
    summary:
      "Tags that a secondary must have to be read, name:value separated by commas; after a semicolon come those to look for where no member has the former, " +
      "and nothing stands for any member. By default the connection string's readPreferenceTags.",
    example: "tags=use:backup,dc:east;dc:east",
  },
  maxStalenessSeconds: {
    kind: "integer",
    default: 0,
    min: 0,
    max: 2_592_000,
    use: "backup",
    summary:
      "Seconds that a secondary may be behind and still be read; 0 is what the connection string says, or no bound. max_source_lag bounds it as well.",
    example: "maxStalenessSeconds=120",
  },
  source: {
    kind: "member",
    default: null,
    use: "backup",
    summary:
      "The one member to read, as the set's configuration names it; a delayed one is only read when it is named here. The job fails where it can't be read.",
    example: "source=db3:27017",
  },
  avoid: {
    kind: "members",
    default: [],
    use: "backup",
    summary: "Members that are never read, separated by commas.",
    example: "avoid=db1:27017,db2:27017",
  },
  max_source_absence: {
    kind: "integer",
    default: 60,
    min: 0,
    max: 3600,
    use: "backup",
    summary:
      "Seconds that a Full waits for its member where that goes away, so that it can read on when it is back: what was being read is read anew. 0 fails the job at once.",
    example: "max_source_absence=300",
  },
  max_source_lag: {
    kind: "integer",
    default: 300,
    min: 0,
    max: 2_592_000,
    use: "backup",
    summary:
      "Seconds that a member may be behind the primary and still be chosen when a job begins; 0 is no bound. A delayed member that source= names has its delay besides.",
    example: "max_source_lag=60",
  },
} as const satisfies Record<string, OptionRow>;
