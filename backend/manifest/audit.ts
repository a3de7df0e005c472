/**
 * Holds the objects of a backup against its manifest.
 *
 * @module
 */

import { Blake3 } from "../../wasm/hasher.ts";
import { countDocuments } from "../bson/document.ts";
import { abandonedObjects, type Manifest, type ManifestObject, manifestObjects } from "./schema.ts";

/** Where the objects of a backup are. */
export interface ObjectReader {
  /** Virtual names of all objects that are there, manifests too. */
  list(): Promise<string[]>;
  /** An object's bytes. */
  open(path: string): AsyncIterable<Uint8Array>;
}

/** Something that isn't as the manifest says. */
export interface Finding {
  readonly path: string;
  readonly problem: string;
}

/** Compares every object with the manifest, and reports what is missing, different, or not listed at all. */
export async function* auditObjects(
  manifest: Manifest,
  reader: ObjectReader,
  isManifest: (path: string) => boolean,
): AsyncGenerator<Finding> {
  const present = new Set(await reader.list());
  for (const object of manifestObjects(manifest)) {
    if (!present.delete(object.path)) yield { path: object.path, problem: "is missing" };
    else yield* auditObject(object, reader);
  }
  for (const path of abandonedObjects(manifest)) present.delete(path);
  for (const path of present) {
    if (!isManifest(path)) yield { path, problem: "is not listed in the manifest" };
  }
}

async function* auditObject(object: ManifestObject, reader: ObjectReader): AsyncGenerator<Finding> {
  const { path, size, blake3, documents } = object;
  using hasher = new Blake3();
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of reader.open(path)) {
    hasher.update(chunk);
    if (length + chunk.length <= size) bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length !== size) yield { path, problem: `has ${length} bytes, the manifest says ${size}` };
  else if (hasher.digest().toHex() !== blake3) {
    yield { path, problem: "has another BLAKE3 than the manifest says" };
  } else if (documents !== null) {
    const found = countDocuments(bytes);
    if (found !== documents) {
      yield { path, problem: `has ${found} documents, the manifest says ${documents}` };
    }
  }
}
