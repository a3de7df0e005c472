/**
 * A directory in mongodump's layout as the target of a restore: `<database>/<collection>.bson` and `….metadata.json`, which stock mongorestore
 * takes.
 *
 * @module
 */

import { elements, joinElements, stringValue } from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { OplogTarget, RestoredCollection, Target } from "../ports.ts";
import { program } from "../version.ts";
import { collectionFileName, databaseFolderName, oplogFileName, preludeFileName } from "./dump_name.ts";

/** Where a restore with `where=/some/dir` writes. */
export class DumpDirectory implements Target {
  readonly description: string;
  /** The oplog is kept as mongodump keeps it: `oplog.bson` at the root. */
  readonly oplog: OplogTarget;
  readonly users = null;
  readonly #root: string;
  readonly #written = new Set<string>();

  private constructor(root: string) {
    this.#root = root;
    this.description = `directory ${root}`;
    const path = `${root}/${oplogFileName}`;
    this.oplog = {
      kind: "directory",
      describe: (serverVersion, replace) => this.#writePrelude(serverVersion, replace),
      exists: () => exists(path),
      discard: () => removeFile(path),
      append: (entries) => this.#append(path, entries),
    };
  }

  /** Opens the directory, which is made when the first file is written. */
  static async open(root: string): Promise<DumpDirectory> {
    if (!root.startsWith("/") || root.split("/").includes("..")) {
      throw new PluginError(
        "restoreRequest",
        `Cannot restore to "${root}": where= is not a plain absolute path`,
        {
          hint: 'Give where=/ to restore into the server, or an absolute directory without any "..".',
        },
      );
    }
    const isOther = await Deno.stat(root).then(({ isDirectory }) => !isDirectory, () => false);
    if (isOther) throw unwritable(root, new Error("it is no directory"));
    return new DumpDirectory(root);
  }

  inOrder(): boolean {
    return true;
  }

  async check(): Promise<void> {}

  async findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]> {
    const occupied: Namespace[] = [];
    for (const collection of collections) {
      const paths = [await this.#metadataPath(collection), await this.#dataPath(collection)];
      const found = await Promise.all(paths.map((path) => path !== null && exists(path)));
      if (found.includes(true)) occupied.push(collection.namespace);
    }
    return occupied;
  }

  async drop(collection: RestoredCollection): Promise<void> {
    for (const path of [await this.#metadataPath(collection), await this.#dataPath(collection)]) {
      if (path !== null) await removeFile(path);
    }
  }

  async create(collection: RestoredCollection): Promise<void> {
    await this.#append(
      await this.#metadataPath(collection),
      new TextEncoder().encode(metadataText(collection)),
    );
    const data = await this.#dataPath(collection);
    if (data !== null) await this.#append(data, new Uint8Array());
  }

  async write(collection: RestoredCollection, documents: Uint8Array): Promise<void> {
    const path = await this.#dataPath(collection);
    if (path === null) {
      throw new PluginError(
        "internal",
        `Cannot write documents of ${formatNamespace(collection.namespace)}: it is a view`,
      );
    }
    await this.#append(path, documents);
  }

  async finish(collection: RestoredCollection): Promise<void> {
    for (const path of [await this.#metadataPath(collection), await this.#dataPath(collection)]) {
      if (path === null) continue;
      try {
        using file = await Deno.open(path, { write: true });
        await file.sync();
      } catch (cause) {
        throw unwritable(path, cause);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #metadataPath({ namespace }: RestoredCollection): Promise<string> {
    return `${await this.#basePath(namespace)}.metadata.json`;
  }

  async #dataPath({ data }: RestoredCollection): Promise<string | null> {
    return data === null ? null : `${await this.#basePath(data)}.bson`;
  }

  async #basePath({ database, collection }: Namespace): Promise<string> {
    return `${this.#root}/${databaseFolderName(database)}/${await collectionFileName(collection)}`;
  }

  /** Says of which server the data is: mongorestore goes by that. */
  async #writePrelude(serverVersion: string, replace: boolean): Promise<void> {
    const path = `${this.#root}/${preludeFileName}`;
    const text = JSON.stringify({
      ServerVersion: serverVersion,
      ToolVersion: `${program.name} ${program.version}`,
    });
    if (await exists(path)) {
      const found = await Deno.readTextFile(path).catch((cause) => {
        throw unwritable(path, cause);
      });
      if (found === text) return;
      if (!replace) {
        throw unwritable(path, new Error("an earlier restore left one of another server or tool"));
      }
      await removeFile(path);
    }
    await this.#append(path, new TextEncoder().encode(text));
  }

  /** A database's folder, or the directory itself. A link in a database's place would lead out of the directory. */
  async #makeFolder(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    if (path !== this.#root && (await Deno.lstat(path)).isSymlink) {
      throw new Error(`${path} is a symbolic link`);
    }
  }

  /** Adds bytes to a file: the first time it must not be there yet, so that nothing is followed or overwritten. */
  async #append(path: string, bytes: Uint8Array): Promise<void> {
    try {
      const first = !this.#written.has(path);
      if (first) await this.#makeFolder(path.slice(0, path.lastIndexOf("/")));
      using file = await Deno.open(
        path,
        first ? { write: true, createNew: true, mode: 0o600 } : { append: true },
      );
      this.#written.add(path);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }
}

/** What mongodump leaves out of its metadata: options where there are none, and a UUID that isn't the collection's own. */
function metadataText({ kind, metadata }: RestoredCollection): string {
  const kept = [...elements(parseExtendedJson(metadata))].filter(({ key, value }) => {
    if (key === "options") return elements(value).next().done !== true;
    return key !== "uuid" || (kind === "collection" && stringValue(value) !== "");
  });
  return formatExtendedJson(joinElements(kept));
}

async function removeFile(path: string): Promise<void> {
  if (!await exists(path)) return;
  try {
    await Deno.remove(path);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): PluginError {
  return new PluginError(
    "restoreTarget",
    `Cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`,
    {
      hint:
        "Choose a directory that the backend's user may write to and that has room, empty of an earlier restore.",
      cause,
    },
  );
}
