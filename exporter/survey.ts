/**
 * What the exporter's answers are made of.
 *
 * @module
 */

import type { Assessment } from "./assessment.ts";
import type { Resource } from "./sidecar/resource.ts";

/** All resources of a working directory at one time. */
export interface Survey {
  /** Sorted by name. */
  readonly resources: readonly Assessment[];
  /** Why the directory itself can't be read, or null. */
  readonly trouble: string | null;
  /** Another number whenever anything is different. */
  readonly revision: number;
}

/** Where resources are known from. */
export interface SidecarReader {
  /** Everything, in short. Calls at the same time share one look at the directory, and only files that changed are read. */
  survey(): Promise<Survey>;
  /** One resource with all its jobs, read now; null where there is none of that name. */
  history(resource: string): Promise<Resource | null>;
}
