/**
 * What a restore takes of a backup, and under which names it puts it into the target.
 *
 * @module
 */

import {
  type BsonElement,
  bsonType,
  elements,
  findElement,
  joinElements,
  stringElement,
  stringValue,
} from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { RestoredCollection } from "../ports.ts";
import { renameInPipeline } from "./view_pipeline.ts";

/** Wanted namespaces and their new names. Both are asked with the names of the backup. */
export interface Selection {
  accepts(namespace: Namespace): boolean;
  map(namespace: Namespace): Namespace;
  /** Nothing gets another name. */
  readonly keepsNames: boolean;
}

/** What a time series' buckets are called, before its name. */
export const bucketPrefix = "system.buckets.";

/** The namespace that users know: a time series by its own name, not by that of its buckets. */
export function userNamespace({ database, collection }: Namespace): Namespace {
  return {
    database,
    collection: collection.startsWith(bucketPrefix) ? collection.slice(bucketPrefix.length) : collection,
  };
}

/** A namespace's new name, that of buckets after that of their time series. */
export function mapNamespace(namespace: Namespace, names: Pick<Selection, "map">): Namespace {
  const to = names.map(userNamespace(namespace));
  return namespace.collection.startsWith(bucketPrefix)
    ? { ...to, collection: `${bucketPrefix}${to.collection}` }
    : to;
}

/** A collection under its new name; a view looks at the new names of what it looked at. */
export function mapCollection(
  collection: RestoredCollection,
  names: Pick<Selection, "map">,
): RestoredCollection {
  const { namespace, data, kind, metadata } = collection;
  const to = names.map(namespace);
  const mapped = { ...collection, namespace: to, data: data === null ? null : mapNamespace(data, names) };
  const isSame = formatNamespace(to) === formatNamespace(namespace);
  const options = findElement(parseExtendedJson(metadata), "options")?.value;
  if (to.collection !== namespace.collection && options !== undefined) refuseEncrypted(namespace, options);
  if (kind !== "view") {
    return isSame ? mapped : { ...mapped, metadata: renameInMetadata(metadata, to.collection, null) };
  }
  if (options === undefined) return mapped;
  const definition = joinElements(mapDefinition([...elements(options)], namespace, names));
  return isSame && definition.toHex() === options.toHex()
    ? mapped
    : { ...mapped, metadata: renameInMetadata(metadata, to.collection, definition) };
}

/** What a view looks at, under the new names. */
function mapDefinition(
  fields: readonly BsonElement[],
  view: Namespace,
  names: Pick<Selection, "map">,
): BsonElement[] {
  const rename = (collection: string) => {
    const base = { database: view.database, collection };
    const newBase = mapNamespace(base, names);
    if (newBase.database !== names.map(view).database) throw torn(view, base);
    return newBase.collection;
  };
  return fields.map((field) => {
    if (field.key === "viewOn" && field.type === bsonType.string) {
      return stringElement("viewOn", rename(stringValue(field.value)));
    }
    return field.key === "pipeline" && field.type === bsonType.array
      ? { ...field, value: renameInPipeline(field.value, rename) }
      : field;
  });
}

/** What belongs to an encrypted collection is found by names after its own, so that two would share it. */
function refuseEncrypted(namespace: Namespace, options: Uint8Array): void {
  if (findElement(options, "encryptedFields") === undefined) return;
  throw new PluginError(
    "restoreRequest",
    `Cannot rename ${formatNamespace(namespace)}: it has encryptedFields, and servers tie those to its name`,
    { hint: "Rename its database instead, with all of its collections: ns_from=app.* ns_to=app_copy.*." },
  );
}

function renameInMetadata(metadata: string, name: string, options: Uint8Array | null): string {
  const fields = [...elements(parseExtendedJson(metadata))].map((field) => {
    if (field.key === "collectionName") return stringElement("collectionName", name);
    return field.key === "options" && options !== null ? { ...field, value: options } : field;
  });
  return formatExtendedJson(joinElements(fields));
}

/** A view's record in `system.views` under its new name: `{_id: "db.name", viewOn, …}`, or only the `_id` of one. */
export function mapViewRecord(record: Uint8Array, names: Pick<Selection, "map">): Uint8Array {
  const view = viewNamespace(record);
  if (view === null) return record;
  const fields = mapDefinition([...elements(record)], view, names);
  const id = stringElement("_id", formatNamespace(names.map(view)));
  return joinElements(fields.map((field) => field.key === "_id" ? id : field));
}

/** The view that a record in `system.views` is of. */
export function viewNamespace(record: Uint8Array): Namespace | null {
  const id = findElement(record, "_id");
  if (id?.type !== bsonType.string) return null;
  const name = stringValue(id.value);
  const dot = name.indexOf(".");
  return { database: name.slice(0, dot), collection: name.slice(dot + 1) };
}

function torn(view: Namespace, base: Namespace): PluginError {
  return new PluginError(
    "restoreRequest",
    `Cannot rename ${formatNamespace(view)}: what it looks at, ${
      formatNamespace(base)
    }, would go to another database`,
    { hint: "Rename both into the same database, or leave the view out with exclude=." },
  );
}
