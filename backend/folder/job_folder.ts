/**
 * A folder in place of Bacula: one sub-folder a job, with the virtual files below `@mongodb/` and the catalog's objects in `restore-objects/`.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { ObjectReader } from "../manifest/audit.ts";
import type { FileHeader, ObjectReceiver, ObjectWriter, RestoreObjectHeader } from "../objects.ts";

const objectsFolder = "restore-objects";
/** As much as a restore takes of one. */
const restoreObjectMaxBytes = 64 << 20;
const fileNameMaxLength = 255;

/**
 * Receives one backup. What arrives is in a folder whose name begins with a dot until the job is good. That folder is locked as long as its writer
 * lives: by that, what a dead process left behind is told from what a living one is at.
 */
export class JobFolderWriter implements ObjectReceiver {
  readonly #directory: string;
  readonly #final: string;
  readonly #partial: string;
  readonly #handle: Deno.FsFile;
  #committed = false;

  private constructor(directory: string, final: string, partial: string, handle: Deno.FsFile) {
    this.#directory = directory;
    this.#final = final;
    this.#partial = partial;
    this.#handle = handle;
  }

  /** Begins a job's folder. What dead processes left unfinished in the directory is removed. */
  static async create(directory: string, jobName: string): Promise<JobFolderWriter> {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(jobName)) {
      throw new PluginError(
        "usage",
        `Cannot use the job name "${jobName}": letters, digits, "_", ".", ":" and "-" only`,
        { hint: "Choose another --job." },
      );
    }
    const final = `${directory}/${jobName}`;
    const partial = `${directory}/.${jobName}.partial`;
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      // Held to the end of this block: nobody takes a folder that isn't locked yet for a dead process's.
      using turn = await Deno.open(directory);
      await turn.lock(true);
      await removeLeftovers(directory);
      if (await exists(final)) throw taken(final, "there is a job of that name");
      if (await exists(partial)) throw taken(final, "another process is writing a job of that name");
      await Deno.mkdir(partial, { mode: 0o700 });
      const handle = await Deno.open(partial);
      await handle.lock(true);
      await Deno.mkdir(`${partial}/${objectsFolder}`, { mode: 0o700 });
      return new JobFolderWriter(directory, final, partial, handle);
    } catch (cause) {
      throw unusable(directory, cause);
    }
  }

  async file({ name }: FileHeader): Promise<ObjectWriter> {
    if (!name.startsWith("/@mongodb/") || name.split("/").includes("..")) {
      throw new PluginError("protocol", `Cannot keep ${name}: it is no virtual name`);
    }
    return await createFile(`${this.#partial}${toFilePath(name)}`);
  }

  async restoreObject({ index, objectType, name }: RestoreObjectHeader): Promise<ObjectWriter> {
    const order = String(index).padStart(6, "0");
    return await createFile(
      `${this.#partial}/${objectsFolder}/${order}-${objectType}-${encodeURIComponent(name)}`,
    );
  }

  /** Gives the folder its name, once all of it is on the disk. */
  async commit(): Promise<void> {
    try {
      await syncFolders(this.#partial);
      await Deno.rename(this.#partial, this.#final);
      this.#committed = true;
      this.#handle.close();
      await syncFolder(this.#directory);
    } catch (cause) {
      throw unwritable(this.#final, cause);
    }
  }

  /** Removes what has arrived, also where the job failed after all of it was there. */
  async discard(): Promise<void> {
    if (!this.#committed) this.#handle.close();
    try {
      await Deno.remove(this.#committed ? this.#final : this.#partial, { recursive: true });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw unwritable(this.#partial, cause);
    }
  }
}

/** Takes everything and keeps nothing. */
export const discardingReceiver: ObjectReceiver = {
  file: () => Promise.resolve(discardingWriter),
  restoreObject: () => Promise.resolve(discardingWriter),
  commit: () => Promise.resolve(),
};

const discardingWriter: ObjectWriter = { write: () => Promise.resolve(), end: () => Promise.resolve() };

/** A finished job's folder. */
export class JobFolder implements ObjectReader {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The job folders in a directory, or the directory itself where it is one; by name. */
  static async find(directory: string): Promise<JobFolder[]> {
    try {
      if (await isJobFolder(directory)) return [new JobFolder(directory)];
      const folders: JobFolder[] = [];
      for await (const { name } of Deno.readDir(directory)) {
        if (!name.startsWith(".") && await isJobFolder(`${directory}/${name}`)) {
          folders.push(new JobFolder(`${directory}/${name}`));
        }
      }
      return folders.sort((a, b) => (a.path < b.path ? -1 : 1));
    } catch (cause) {
      throw unusable(directory, cause);
    }
  }

  /** The restore objects, as Bacula's catalog would hand them back. */
  async restoreObjects(): Promise<{ header: RestoreObjectHeader; bytes: Uint8Array }[]> {
    const objects: { header: RestoreObjectHeader; bytes: Uint8Array }[] = [];
    const folder = `${this.path}/${objectsFolder}`;
    try {
      for (const fileName of await sortedNames(folder)) {
        const [, index, objectType, name] = /^(\d{6})-(25|27)-(.+)$/.exec(fileName) ?? [];
        if (name === undefined) {
          throw unusable(`${folder}/${fileName}`, new Error("it is no restore object's name"));
        }
        const path = `${folder}/${fileName}`;
        const { isFile, size } = await Deno.lstat(path);
        if (!isFile || size > restoreObjectMaxBytes) {
          throw unusable(path, new Error(`it is no file of at most ${restoreObjectMaxBytes} bytes`));
        }
        const bytes = await Deno.readFile(path);
        const header = {
          index: Number(index),
          jobId: 1,
          size: bytes.length,
          name: decodeURIComponent(name),
          command: "",
        };
        objects.push({ header: { ...header, objectType: objectType === "25" ? 25 : 27 }, bytes });
      }
    } catch (cause) {
      throw unusable(folder, cause);
    }
    return objects;
  }

  /** The virtual names, sorted. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    const walk = async (folder: string) => {
      for await (const { name, isDirectory, isFile } of Deno.readDir(`${this.path}${folder}`)) {
        if (isDirectory) await walk(`${folder}/${name}`);
        else if (isFile) names.push(`${folder}/${name}`);
        else throw unusable(`${this.path}${folder}/${name}`, new Error("it is neither a file nor a folder"));
      }
    };
    try {
      await walk("/@mongodb");
    } catch (cause) {
      throw unusable(this.path, cause);
    }
    return names.map(toVirtualName).sort();
  }

  /** A virtual file's bytes. A piece is a view that ends with the next one. */
  async *open(path: string): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(1 << 20);
    try {
      using file = await Deno.open(`${this.path}${toFilePath(path)}`);
      for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
        yield buffer.subarray(0, read);
      }
    } catch (cause) {
      throw unusable(`${this.path}${path}`, cause);
    }
  }

  /** A virtual file's header. */
  async header(path: string): Promise<FileHeader> {
    const { size, mode, mtime } = await Deno.stat(`${this.path}${toFilePath(path)}`).catch((cause) => {
      throw unusable(`${this.path}${path}`, cause);
    });
    const time = Math.floor((mtime?.getTime() ?? 0) / 1000);
    return { name: path, size, mode: (mode ?? 0) & 0o7777, atime: time, mtime: time, ctime: time };
  }
}

/**
 * A virtual name as a file's path: file systems take names of 255 bytes, so that a longer one stands in folders within each other, whose names end
 * with "%". No virtual name has a "%" before a "/": two digits follow each.
 */
function toFilePath(name: string): string {
  return name.split("/").map((part) =>
    part.length <= fileNameMaxLength ? part : part.match(/.{1,200}/g)!.join("%/")
  ).join("/");
}

function toVirtualName(path: string): string {
  return path.replaceAll("%/", "");
}

async function isJobFolder(path: string): Promise<boolean> {
  return await Deno.stat(`${path}/${objectsFolder}`).then(({ isDirectory }) => isDirectory, () => false);
}

/** Removes the unfinished folders that nobody has locked. */
async function removeLeftovers(directory: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (!isDirectory || !/^\..+\.partial$/.test(name)) continue;
    using leftover = await Deno.open(`${directory}/${name}`);
    if (await leftover.tryLock(true)) await Deno.remove(`${directory}/${name}`, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

async function sortedNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

async function createFile(path: string): Promise<ObjectWriter> {
  try {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    return {
      write: async (bytes) => {
        try {
          for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        } catch (cause) {
          throw unwritable(path, cause);
        }
      },
      end: async () => {
        try {
          await file.sync();
        } catch (cause) {
          throw unwritable(path, cause);
        }
        file.close();
      },
    };
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Brings the names in a folder and in all below it to the disk. */
async function syncFolders(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await syncFolders(`${folder}/${name}`);
  }
  await syncFolder(folder);
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

function taken(path: string, reason: string): PluginError {
  return new PluginError("usage", `Cannot write ${path}: ${reason}`, {
    hint: "Choose another --job or another folder.",
  });
}

function unwritable(path: string, cause: unknown): PluginError {
  return new PluginError("stateWrite", `Cannot write ${path}: ${reasonOf(cause)}`, {
    hint: "Check the folder's permissions and room.",
    cause,
  });
}

function unusable(path: string, cause: unknown): PluginError {
  if (cause instanceof PluginError) return cause;
  return new PluginError("usage", `Cannot use ${path}: ${reasonOf(cause)}`, {
    hint: "Check the folder's path, permissions and room.",
    cause,
  });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
