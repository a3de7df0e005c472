import { findElement } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { formatNamespace } from "../namespace.ts";
import type { Collection, JobLog } from "../ports.ts";

/** Options that stand for more than a backup can carry, with what it lacks of them. */
const beyondOptions: Readonly<Record<string, (options: Uint8Array) => string | null>> = {
  changeStreamPreAndPostImages: (images) =>
    findElement(images, "enabled")?.value[0] === 1
      ? "its pre- and post-images are not in the backup, only the option that makes the server keep them"
      : null,
  encryptedFields: () =>
    "its fields are encrypted by clients (Queryable Encryption): documents and state collections are in the backup as they are, " +
    "but they can be read only with the keys, which are in the key vault's collection and with its key provider",
};

/** Says loudly what of a collection is not in the backup, so that nobody learns it at the restore. */
export function reportBeyondBackup(collection: Collection, log: JobLog): void {
  const { namespace, metadata, unfinishedIndexes } = collection;
  if (unfinishedIndexes.length > 0) {
    log.warning(
      `${
        formatNamespace(namespace)
      }: still being built, and in the backup only if done within the Full's time or an increment: ${
        unfinishedIndexes.join(", ")
      }`,
    );
  }
  const options = findElement(parseExtendedJson(metadata), "options")?.value;
  if (options === undefined) return;
  for (const [key, describe] of Object.entries(beyondOptions)) {
    const option = findElement(options, key);
    const lack = option === undefined ? null : describe(option.value);
    if (lack !== null) log.warning(`${formatNamespace(namespace)}: ${lack}`);
  }
}
