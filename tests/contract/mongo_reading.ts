/**
 * Reading a whole collection through a source, for tests.
 *
 * @module
 */

import { elements } from "../../backend/bson/document.ts";
import type { Namespace } from "../../backend/namespace.ts";
import type { Source } from "../../backend/ports.ts";

/** All documents of a namespace in their order, each as the hexadecimal digits of its bytes. */
export async function readDocuments(source: Source, namespace: Namespace): Promise<string[]> {
  const documents: string[] = [];
  for await (const batch of source.readBatches(namespace, new AbortController().signal)) {
    for (const { value } of elements(batch)) documents.push(value.toHex());
  }
  return documents;
}
