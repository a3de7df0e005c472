/**
 * What an update of the oplog makes of a document, worked out from the oplog's format alone: a second opinion on what a server made of it.
 *
 * @module
 */

import { type BsonElement, bsonType, elements, findElement, joinElements } from "../bson/document.ts";

/**
 * The document that an update leaves behind.
 *
 * @param document the one before
 * @param update the `o` of an entry with `op: "u"`: a whole document, or `{$v: 2, diff: …}`
 * @returns null for an update in another form: what it does can't be told here
 */
export function updatedDocument(document: Uint8Array, update: Uint8Array): Uint8Array | null {
  const fields = [...elements(update)];
  if (fields.some(({ key }) => key === "$v")) {
    const diff = fields.find(({ key }) => key === "diff");
    return diff?.type === bsonType.document ? join(changeDocument(document, diff.value)) : null;
  }
  if (fields.some(({ key }) => key.startsWith("$"))) return null;
  const id = findElement(document, "_id");
  const others = fields.filter(({ key }) => key !== "_id");
  return joinElements(id === undefined ? others : [id, ...others]);
}

function join(fields: readonly BsonElement[] | null): Uint8Array | null {
  return fields === null ? null : joinElements(fields);
}

/** What a diff has for one field. */
type Change = "deleted" | "inserted" | { readonly updated: BsonElement } | { readonly inner: Uint8Array };

/** The sections of a document's diff, then a field for each part that is changed within: `{d: {}, u: {}, i: {}, sName: {}}`. */
function changeDocument(document: Uint8Array, diff: Uint8Array): BsonElement[] | null {
  const changes = new Map<string, Change>();
  // An update of what isn't there any more makes it anew.
  const appended: BsonElement[] = [];
  for (const { key: section, value } of elements(diff)) {
    if (section.startsWith("s")) changes.set(section.slice(1), { inner: value });
    else if (section === "d") { for (const { key } of elements(value)) changes.set(key, "deleted"); }
    else if (section === "u" || section === "i") {
      for (const field of elements(value)) {
        changes.set(field.key, section === "u" ? { updated: field } : "inserted");
        appended.push(field);
      }
    } else return null;
  }
  const fields: BsonElement[] = [];
  const there = new Set<string>();
  for (const field of elements(document)) {
    const change = changes.get(field.key);
    if (change === undefined) fields.push(field);
    else if (typeof change === "object") {
      const changed = changeValue(field, change);
      if (changed === null) return null;
      fields.push(changed);
      there.add(field.key);
    }
  }
  return [...fields, ...appended.filter(({ key }) => !there.has(key))];
}

function changeValue(field: BsonElement, change: Exclude<Change, string>): BsonElement | null {
  if ("updated" in change) return change.updated;
  const isArray = findElement(change.inner, "a") !== undefined;
  // The data is newer than the diff: an entry behind it replaces the field, and until then it is null.
  if (field.type !== (isArray ? bsonType.array : bsonType.document)) return nothing(field.key);
  const value = isArray ? changeArray(field.value, change.inner) : changeDocument(field.value, change.inner);
  return value === null ? null : { ...field, value: joinElements(value) };
}

/** `{a: true, l: 3, u0: …, s2: {…}}`: the new length, new values and changes within, by their places. */
function changeArray(array: Uint8Array, diff: Uint8Array): BsonElement[] | null {
  const changes = new Map<number, Exclude<Change, string>>();
  let length: number | null = null;
  let reach = 0;
  for (const field of elements(diff)) {
    if (field.key === "a") continue;
    if (field.key === "l" && field.type === bsonType.int32) {
      length = new DataView(field.value.buffer, field.value.byteOffset).getInt32(0, true);
      continue;
    }
    const place = /^([us])(\d+)$/.exec(field.key);
    if (place === null) return null;
    const at = Number(place[2]);
    changes.set(at, place[1] === "u" ? { updated: field } : { inner: field.value });
    reach = Math.max(reach, at + 1);
  }
  const before = [...elements(array)];
  const values: BsonElement[] = [];
  for (let at = 0; at < Math.max(length ?? before.length, reach); at++) {
    const change = changes.get(at);
    const old = (length === null || at < length ? before[at] : undefined) ?? nothing("");
    const value = change === undefined ? old : changeValue(old, change);
    if (value === null) return null;
    values.push({ ...value, key: String(at) });
  }
  return values;
}

function nothing(key: string): BsonElement {
  return { key, type: bsonType.null, value: new Uint8Array(0) };
}
