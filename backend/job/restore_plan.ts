/**
 * What a restore of some virtual files means: which collections, which pieces of the oplog, up to which instant, and whether all that is needed was
 * selected. Nothing is written before there is a plan.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { linkChain } from "../manifest/chain.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import {
  abandonedObjects,
  type Manifest,
  type ManifestOplogSegment,
  type ManifestSegment,
} from "../manifest/schema.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { NamespaceFilter, NamespaceMap } from "../options/namespace_pattern.ts";
import { parsePointInTime, resolvePointInTime } from "../options/point_in_time.ts";
import type { Options } from "../options/table.ts";
import type { RestoredCollection } from "../ports.ts";
import { compareTimestamps, type Timestamp } from "../timestamp.ts";
import { isUsersOrRoles, isUsersOwn } from "../oplog/scope.ts";
import { acceptsOf } from "./backup_scope.ts";
import { isManifestPath, objectRoot } from "./object_path.ts";
import { mapCollection, type Selection, userNamespace } from "./selection.ts";
import { gatheringOf, haveUsers, wantsUsers } from "./users_restore.ts";

/** A collection of the Full, as it is to be restored. */
export interface PlannedCollection extends RestoredCollection {
  /** Its name in the backup; the namespace above is that in the target. */
  readonly source: Namespace;
  readonly documents: number;
  readonly bytes: number;
  readonly segments: readonly ManifestSegment[];
}

/** What a virtual name of the Full stands for. */
export type PlannedObject =
  | {
    readonly kind: "segment";
    readonly collection: PlannedCollection;
    readonly segment: ManifestSegment;
    readonly index: number;
  }
  | {
    readonly kind: "metadata";
    readonly collection: PlannedCollection;
    readonly size: number;
    readonly blake3: string;
  };

/** What is going to be done with one resource. */
export interface RestorePlan {
  readonly resource: string;
  /** Full first, each the parent of the next. */
  readonly jobs: readonly OpenedManifest[];
  readonly collections: readonly PlannedCollection[];
  /** What is needed of the Full, by virtual name. */
  readonly objects: ReadonlyMap<string, PlannedObject>;
  /** Pieces of the oplog in the order in which they are applied, by virtual name. */
  readonly slices: ReadonlyMap<string, ManifestOplogSegment>;
  /** Where the first piece behind these begins; null where the chain has none. */
  readonly nextEntry: Timestamp | null;
  /** The instant that is restored: the last entry to apply has this timestamp, or an earlier one. Null without an oplog. */
  readonly limit: Timestamp | null;
  readonly selection: Selection;
  /** Whether users and roles are restored; into a server, they are gathered under other names and then merged with its own. */
  readonly users: boolean;
}

/** The parameters that a plan depends on. */
export type PlanOptions = Pick<Options, "pit" | "include" | "exclude" | "ns_from" | "ns_to" | "users">;

/**
 * Plans the restore of one resource.
 *
 * @param selected virtual names of that resource that are to come
 * @param dayOf calendar day of an instant in Unix seconds, in this machine's time zone
 * @throws PluginError `chainBroken`, `pointInTime`, `objectMissing` when something needed wasn't selected, `objectMismatch` for a name that no
 * manifest lists
 */
export function planRestore(
  manifests: readonly OpenedManifest[],
  selected: ReadonlySet<string>,
  options: PlanOptions,
  dayOf: (unixSeconds: number) => string,
  into: "server" | "directory",
): RestorePlan {
  const { resource, jobs } = linkChain(manifests);
  const { scope } = jobs[0]!.manifest;
  const limit = findLimit(jobs, options.pit, dayOf);
  const filter = new NamespaceFilter(options.include, options.exclude);
  const names = new NamespaceMap(options.ns_from, options.ns_to);
  const objects = indexObjects(jobs[0]!.manifest);
  const touched = touchedCollections(objects, jobs, selected);
  const all = new Set([...objects.values()].map(({ collection }) => collection));
  const isWhole = [...all].every((one) => isUsersOwn(one.source) || touched.has(one));
  const chosen = new Set([...touched].map(({ source }) => formatNamespace(source)));
  const own = [...all].filter(({ source }) => isUsersOwn(source));
  const isSelected = own.length === 0 ? null : own.some((one) => touched.has(one));
  const users = wantsUsers({ options, scope, isSelected, isWhole }) && haveUsers(jobs);
  const isInScope = acceptsOf(scope);
  // A server takes users and roles only, and has a version of its own.
  const isTaken = into === "directory" ? isUsersOwn : isUsersOrRoles;
  const selection: Selection = {
    accepts: (namespace) =>
      isUsersOwn(namespace)
        ? users && isTaken(namespace)
        : isInScope(namespace) && filter.accepts(namespace) &&
          (isWhole || chosen.has(formatNamespace(namespace))),
    map: (namespace) =>
      into === "server" && isUsersOwn(namespace) ? gatheringOf(namespace) : names.map(namespace),
    keepsNames: names.isIdentity,
  };
  const wanted = [...all].filter((one) =>
    (touched.has(one) || isUsersOwn(one.source)) && selection.accepts(one.source)
  );
  const renamed = new Map(wanted.map((one) => [one, { ...one, ...mapCollection(one, selection) }]));
  const collections = [...renamed.values()];
  refuseMerging(jobs, collections, selection);
  const needed = new Map(
    [...objects].flatMap(([path, object]) => {
      const collection = renamed.get(object.collection);
      return collection === undefined ? [] : [[path, { ...object, collection }] as const];
    }),
  );
  // Which views an entry changes isn't known before it is read, nor whether a later view is wanted.
  const mayHaveViews = (database: string) =>
    isWhole || collections.some(({ kind, source }) => kind === "view" && source.database === database);
  const slices = collectSlices(jobs, selection, limit, mayHaveViews);
  const required = [...needed].filter(([, { kind }]) => kind === "segment").map(([path]) => path);
  const missing = [...required, ...slices.keys()].filter((path) => !selected.has(path));
  if (missing.length > 0) throw missingObjects(missing);
  const nextEntry = limit === null ? null : firstBehind(jobs, limit);
  return { resource, jobs, collections, objects: needed, slices, nextEntry, limit, selection, users };
}

function findLimit(
  jobs: readonly OpenedManifest[],
  pit: string | null,
  dayOf: (unixSeconds: number) => string,
): Timestamp | null {
  const ends = jobs.flatMap(({ manifest: { job, oplog } }) =>
    oplog === null ? [] : [{ level: job.level, jobName: job.name, to: oplog.to }]
  );
  const last = ends.at(-1);
  if (pit === null) return last?.to ?? null;
  if (last !== undefined) return resolvePointInTime(parsePointInTime(pit), ends, dayOf);
  throw new PluginError(
    "pointInTime",
    "Cannot restore to a point in time: the backup is of a standalone server, which has no oplog",
    {
      hint: "Leave pit= out: the backup has the data as it was while it was read.",
    },
  );
}

/** Every object of a Full by its virtual name. */
function indexObjects({ databases }: Manifest): Map<string, PlannedObject> {
  const objects = new Map<string, PlannedObject>();
  for (const database of databases) {
    for (
      const { name, kind, data, metadata, metadataObject, documents, bytes, segments } of database.collections
    ) {
      const source = { database: database.name, collection: name };
      const collection = { namespace: source, source, kind, data, metadata, documents, bytes, segments };
      const { path, size, blake3 } = metadataObject;
      objects.set(path, { kind: "metadata", collection, size, blake3 });
      segments.forEach((segment, index) =>
        objects.set(segment.path, { kind: "segment", collection, segment, index })
      );
    }
  }
  return objects;
}

/** Refuses new names under which two collections would become one. */
function refuseMerging(
  jobs: readonly OpenedManifest[],
  collections: readonly PlannedCollection[],
  selection: Selection,
): void {
  const touched = jobs.flatMap(({ manifest }) => manifest.oplog?.namespaces ?? []).map(userNamespace)
    .filter((namespace) => namespace.collection !== "" && selection.accepts(namespace));
  const sources = new Map<string, string>();
  for (const namespace of [...collections.map(({ source }) => source), ...touched]) {
    const [from, to] = [namespace, selection.map(namespace)].map(formatNamespace) as [string, string];
    const other = sources.get(to) ?? from;
    if (other !== from) {
      throw new PluginError(
        "restoreRequest",
        `Cannot restore ${from} as ${to}: ${other} would go there too`,
        {
          hint: "Give each its own name with ns_from= and ns_to=, or leave one out with exclude=.",
        },
      );
    }
    sources.set(to, from);
  }
}

/** The collections of which a file was selected. */
function touchedCollections(
  objects: ReadonlyMap<string, PlannedObject>,
  jobs: readonly OpenedManifest[],
  selected: ReadonlySet<string>,
): Set<PlannedCollection> {
  const slices = new Set(
    jobs.flatMap(({ manifest }) => manifest.oplog?.segments.map(({ path }) => path) ?? []),
  );
  // They came with the files that they were superseded by.
  const abandoned = new Set(jobs.flatMap(({ manifest }) => [...abandonedObjects(manifest)]));
  const touched = new Set<PlannedCollection>();
  for (const name of selected) {
    if (isManifestPath(name) || slices.has(name) || abandoned.has(name)) continue;
    const object = objects.get(name);
    if (object === undefined) throw unlisted(name);
    touched.add(object.collection);
  }
  return touched;
}

/** The pieces that are needed: up to the limit, of jobs whose slice touches anything that is restored. */
function collectSlices(
  jobs: readonly OpenedManifest[],
  selection: Selection,
  limit: Timestamp | null,
  mayHaveViews: (database: string) => boolean,
): Map<string, ManifestOplogSegment> {
  const isTouching = (namespace: Namespace) =>
    namespace.collection === "" ||
    (namespace.collection === "system.views" && mayHaveViews(namespace.database)) ||
    selection.accepts(userNamespace(namespace));
  const touches = jobs.some(({ manifest: { oplog } }) => oplog?.namespaces.some(isTouching));
  if (limit === null || !touches) return new Map();
  const segments = jobs.flatMap(({ manifest }) => manifest.oplog?.segments ?? []);
  return new Map(
    segments.filter(({ first }) => compareTimestamps(first, limit) <= 0).map((
      segment,
    ) => [segment.path, segment]),
  );
}

function firstBehind(jobs: readonly OpenedManifest[], limit: Timestamp): Timestamp | null {
  const segments = jobs.flatMap(({ manifest }) => manifest.oplog?.segments ?? []);
  return segments.find(({ first }) => compareTimestamps(first, limit) > 0)?.first ?? null;
}

/** The failure for a name that no signed manifest lists: it is never restored. */
export function unlisted(name: string): PluginError {
  return new PluginError(
    "objectMismatch",
    `Cannot restore ${name}: the signed manifest lists no such object`,
    {
      hint:
        "Restore files of one job, or of one chain of jobs, with their own manifests; if they are, the catalog or the volume was changed.",
    },
  );
}

/** The failure for objects that the manifest lists and the restore doesn't bring. */
export function missingObjects(paths: readonly string[]): PluginError {
  const shown = paths.slice(0, 5).join(", ") + (paths.length > 5 ? ` and ${paths.length - 5} more` : "");
  const example =
    paths[0]?.slice(objectRoot.length).replace(/\.\d{5,}$/, "").replace(/(\/oplog\.)[^/]+\/.*$/, "$1") ?? "";
  return new PluginError(
    "objectMissing",
    `Cannot restore completely: ${shown} did not come with the restore`,
    {
      hint:
        `Mark all segments of a collection and the oplog of all jobs, as in: mark ${objectRoot}${example}*`,
    },
  );
}

/** `app.orders, app.users and 3 more` */
export function nameCollections(namespaces: readonly Namespace[]): string {
  const names = namespaces.slice(0, 8).map(formatNamespace).join(", ");
  return namespaces.length > 8 ? `${names} and ${namespaces.length - 8} more` : names;
}
