/**
 * What a restore of some virtual files means: which collections, and whether all that they need was selected.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Manifest, ManifestCollection, ManifestSegment } from "../manifest/schema.ts";
import { formatNamespace } from "../namespace.ts";
import type { RestoredCollection } from "../ports.ts";
import { isManifestPath, objectRoot } from "./object_path.ts";

/** A collection of the manifest with its full name. */
export interface PlannedCollection extends RestoredCollection {
  readonly documents: number;
  readonly bytes: number;
  readonly segments: readonly ManifestSegment[];
}

/** What a virtual name stands for. */
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

/** Every object of a manifest by its virtual name. */
export function indexObjects(manifest: Manifest): Map<string, PlannedObject> {
  const objects = new Map<string, PlannedObject>();
  for (const database of manifest.databases) {
    for (const entry of database.collections) {
      const collection = planned(database.name, entry);
      const { path, size, blake3 } = entry.metadataObject;
      objects.set(path, { kind: "metadata", collection, size, blake3 });
      entry.segments.forEach((segment, index) =>
        objects.set(segment.path, { kind: "segment", collection, segment, index })
      );
    }
  }
  return objects;
}

function planned(database: string, entry: ManifestCollection): PlannedCollection {
  const { name, kind, data, metadata, documents, bytes, segments } = entry;
  return { namespace: { database, collection: name }, kind, data, metadata, documents, bytes, segments };
}

/**
 * The collections that the selected names touch, in the manifest's order.
 *
 * @throws PluginError `objectMissing` when a touched collection has segments that weren't selected, `objectMismatch` for a name of which the
 * manifest knows nothing
 */
export function planCollections(
  objects: Map<string, PlannedObject>,
  selected: ReadonlySet<string>,
): PlannedCollection[] {
  const touched = new Set<PlannedCollection>();
  for (const name of selected) {
    if (isManifestPath(name)) continue;
    touched.add(knownObject(objects, name).collection);
  }
  const missing = [...touched].flatMap((collection) =>
    collection.segments.filter(({ path }) => !selected.has(path))
  );
  if (missing.length > 0) throw missingObjects(missing.map(({ path }) => path));
  return [...new Set([...objects.values()].map(({ collection }) => collection))].filter((one) =>
    touched.has(one)
  );
}

/** The object of a name; a name that the signed manifest doesn't list is never restored. */
export function knownObject(objects: Map<string, PlannedObject>, name: string): PlannedObject {
  const object = objects.get(name);
  if (object !== undefined) return object;
  throw new PluginError(
    "objectMismatch",
    `Cannot restore ${name}: the signed manifest lists no such object`,
    {
      hint:
        "Restore files of one job and its own manifest; if they are, the catalog or the volume was changed.",
    },
  );
}

/** The failure for objects that the manifest lists and the restore doesn't bring. */
export function missingObjects(paths: readonly string[]): PluginError {
  const shown = paths.slice(0, 5).join(", ") + (paths.length > 5 ? ` and ${paths.length - 5} more` : "");
  const example = paths[0]?.slice(objectRoot.length).replace(/\.\d{5,}$/, "") ?? "";
  return new PluginError(
    "objectMissing",
    `Cannot restore completely: ${shown} did not come with the restore`,
    {
      hint: `Mark all segments of a collection, as in: mark ${objectRoot}${example}*`,
    },
  );
}

/** `app.orders, app.users and 3 more` */
export function nameCollections(
  collections: readonly { namespace: RestoredCollection["namespace"] }[],
): string {
  const names = collections.slice(0, 8).map(({ namespace }) => formatNamespace(namespace)).join(", ");
  return collections.length > 8 ? `${names} and ${collections.length - 8} more` : names;
}
