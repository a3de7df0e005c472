/**
 * What the parts of a Full share.
 *
 * @module
 */

import type { Namespace } from "../namespace.ts";
import type { ObjectSink } from "../objects.ts";
import type { Clock, JobLog } from "../ports.ts";
import type { DumpProgress } from "./dump_progress.ts";
import type { Lane } from "./lane.ts";
import type { ReadThrottle } from "./read_throttle.ts";
import type { SummedCollection } from "./second_reading.ts";
import type { SegmentSupply } from "./segment_supply.ts";
import type { SteadySource } from "./steady_source.ts";

/** What all collections of a backup share. */
export interface DumpContext {
  readonly source: SteadySource;
  readonly sink: ObjectSink;
  /** The sink takes one object at a time. */
  readonly lane: Lane;
  readonly supply: SegmentSupply;
  readonly resource: string;
  /** Takes counts that don't come out, to be settled when the oplog tells; null where there is no oplog. */
  readonly doubts: DoubtfulCount[] | null;
  /** How many collections have as many documents as the server counts. */
  readonly counted: { collections: number };
  /** Whether documents read are held against the server's own count. */
  readonly verify: boolean;
  /** Takes what each collection adds up to; null where nobody wants to know. */
  readonly sums: SummedCollection[] | null;
  /** Bytes of documents from which a collection is cut into ranges, and into how many. */
  readonly chunkThreshold: number;
  readonly chunks: number;
  readonly throttle: ReadThrottle;
  readonly progress: DumpProgress;
  readonly log: JobLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Unix seconds that every object carries as its times. */
  readonly timeSeconds: number;
}

/** A count that didn't come out, of a collection that may just have changed while it was read. */
export interface DoubtfulCount {
  readonly data: Namespace;
  readonly read: number;
}
