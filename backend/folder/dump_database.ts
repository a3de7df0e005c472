/**
 * The files in a folder of a dump, sorted by what they are.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { DumpFile } from "./dump_file.ts";
import { collectionFileName, oplogFileName, parseCollectionFileName, preludeFileName } from "./dump_name.ts";

/** A collection's file, and the name of its collection; null where the file's name was cut. */
export interface DumpedFiles {
  readonly file: DumpFile;
  readonly baseName: string;
  readonly name: string | null;
}

/** A database's folder in a dump, or its root. */
export class DatabaseFolder {
  readonly path: string;
  /** Names of folders in it. */
  readonly folders: readonly string[];
  /** Names of files that mongodump doesn't write, and of what is neither a file nor a folder. */
  readonly strangers: readonly string[];
  readonly #files: ReadonlyMap<string, DumpFile>;
  /** By the file's name without its suffix; what is taken is gone. */
  readonly #data = new Map<string, DumpFile>();
  readonly #metadata = new Map<string, DumpFile>();
  /** Their names by those of the collections, but for those that were cut. */
  readonly #dataNames = new Map<string, string>();

  private constructor(
    path: string,
    folders: readonly string[],
    strangers: string[],
    files: ReadonlyMap<string, DumpFile>,
  ) {
    this.path = path;
    this.folders = folders;
    this.strangers = strangers;
    this.#files = files;
    for (const [name, file] of files) {
      const [, baseName, suffix] = /^(.+)\.(bson|metadata\.json)$/s.exec(name) ?? [];
      if (suffix === "bson" && name !== oplogFileName) this.#data.set(baseName!, file);
      else if (suffix === "metadata.json") this.#metadata.set(baseName!, file);
      else if (name !== preludeFileName && name !== oplogFileName) strangers.push(name);
    }
    for (const { name, baseName } of this.dataFiles()) if (name !== null) this.#dataNames.set(name, baseName);
  }

  /** @throws PluginError `usage` when it can't be read, `objectDamaged` when a file is there both plain and compressed */
  static async read(path: string): Promise<DatabaseFolder> {
    const [folders, strangers]: [string[], string[]] = [[], []];
    const files = new Map<string, DumpFile>();
    try {
      for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
        const plain = name.replace(/\.gz$/, "");
        if (isDirectory) folders.push(name);
        else if (!isFile) strangers.push(name);
        else if (files.has(plain)) throw ambiguous(`${path}/${plain}`);
        else files.set(plain, { path: `${path}/${name}`, isCompressed: name !== plain });
      }
    } catch (cause) {
      if (cause instanceof PluginError) throw cause;
      throw new PluginError(
        "usage",
        `Cannot use ${path}: ${cause instanceof Error ? cause.message : cause}`,
        {
          hint: "Check the folder's path and permissions.",
          cause,
        },
      );
    }
    return new DatabaseFolder(path, folders.sort(), strangers, files);
  }

  /** Whether files of collections are in it. */
  get hasCollections(): boolean {
    return this.#data.size + this.#metadata.size > 0;
  }

  /** A file by its name without `.gz`, or null. */
  file(name: string): DumpFile | null {
    return this.#files.get(name) ?? null;
  }

  metadataFiles(): DumpedFiles[] {
    return list(this.#metadata);
  }

  /** Files of documents that nobody has taken. */
  dataFiles(): DumpedFiles[] {
    return list(this.#data);
  }

  /** Takes the file of a collection's documents, or null where there is none. */
  async takeData(collection: string): Promise<DumpFile | null> {
    const baseName = this.#dataNames.get(collection) ?? await collectionFileName(collection);
    const file = this.#data.get(baseName) ?? null;
    this.#data.delete(baseName);
    return file;
  }

  /** Whether a collection's files have this name. */
  async isNameOf(collection: string, baseName: string): Promise<boolean> {
    return await collectionFileName(collection) === baseName;
  }
}

function list(files: ReadonlyMap<string, DumpFile>): DumpedFiles[] {
  return [...files].map(([baseName, file]) => ({ file, baseName, name: parseCollectionFileName(baseName) }));
}

function ambiguous(path: string): PluginError {
  return new PluginError("objectDamaged", `Cannot read ${path}: it is there both plain and compressed`, {
    hint: "The folder holds two dumps: move one of the two files away.",
  });
}
