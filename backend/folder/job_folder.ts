/**
 * A folder in place of Bacula: one sub-folder a job, with the virtual files below `@mongodb/` and the catalog's objects in `restore-objects/`.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { ObjectReader } from "../manifest/audit.ts";
import type { FileHeader } from "../ports.ts";
import type { ObjectReceiver, ObjectWriter } from "../protocol/file_daemon_session.ts";
import type { RestoreObjectHeader } from "../protocol/message.ts";

const objectsFolder = "restore-objects";

/** Receives one backup. What arrives is under a name that begins with a dot until the job is good. */
export class JobFolderWriter implements ObjectReceiver {
  readonly #final: string;
  readonly #partial: string;

  private constructor(final: string, partial: string) {
    this.#final = final;
    this.#partial = partial;
  }

  /** Begins a job's folder. What an earlier process left unfinished is removed. */
  static async create(directory: string, jobName: string): Promise<JobFolderWriter> {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(jobName)) {
      throw new PluginError("usage", `Cannot use the job name "${jobName}": letters, digits, "_", ".", ":" and "-" only`, { hint: "Choose another --job." });
    }
    const final = `${directory}/${jobName}`;
    const partial = `${directory}/.${jobName}.partial`;
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      await Deno.remove(partial, { recursive: true }).catch(ignoreMissing);
      if (await Deno.lstat(final).then(() => true, () => false)) {
        throw new PluginError("usage", `Cannot write ${final}: there is a job of that name`, { hint: "Choose another --job or another folder." });
      }
      await Deno.mkdir(`${partial}/${objectsFolder}`, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw unusable(directory, cause);
    }
    return new JobFolderWriter(final, partial);
  }

  async file({ name }: FileHeader): Promise<ObjectWriter> {
    if (!name.startsWith("/@mongodb/") || name.split("/").includes("..")) throw unusable(name, new Error("it is no virtual name"));
    return await createFile(`${this.#partial}${name}`);
  }

  async restoreObject({ index, objectType, name }: RestoreObjectHeader): Promise<ObjectWriter> {
    const order = String(index).padStart(6, "0");
    return await createFile(`${this.#partial}/${objectsFolder}/${order}-${objectType}-${encodeURIComponent(name)}`);
  }

  async commit(): Promise<void> {
    try {
      await Deno.rename(this.#partial, this.#final);
    } catch (cause) {
      throw unusable(this.#final, cause);
    }
  }

  /** Removes what has arrived. */
  async discard(): Promise<void> {
    await Deno.remove(this.#partial, { recursive: true }).catch(ignoreMissing);
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
        if (!name.startsWith(".") && await isJobFolder(`${directory}/${name}`)) folders.push(new JobFolder(`${directory}/${name}`));
      }
      return folders.sort((a, b) => (a.path < b.path ? -1 : 1));
    } catch (cause) {
      throw unusable(directory, cause);
    }
  }

  /** The restore objects, as Bacula's catalog would hand them back. */
  async restoreObjects(): Promise<{ header: RestoreObjectHeader; bytes: Uint8Array }[]> {
    const objects: { header: RestoreObjectHeader; bytes: Uint8Array }[] = [];
    for (const name of await sortedNames(`${this.path}/${objectsFolder}`)) {
      const match = /^(\d{6})-(25|27)-(.+)$/.exec(name);
      if (match === null) throw unusable(`${this.path}/${objectsFolder}/${name}`, new Error("it is no restore object's name"));
      const bytes = await Deno.readFile(`${this.path}/${objectsFolder}/${name}`);
      const objectType = match[2] === "25" ? 25 : 27;
      const header = { objectType, index: Number(match[1]), jobId: 1, size: bytes.length, name: decodeURIComponent(match[3]!), command: "" } as const;
      objects.push({ header, bytes });
    }
    return objects;
  }

  async list(): Promise<string[]> {
    const names: string[] = [];
    const walk = async (folder: string) => {
      for await (const { name, isDirectory, isFile } of Deno.readDir(`${this.path}${folder}`)) {
        if (isDirectory) await walk(`${folder}/${name}`);
        else if (isFile) names.push(`${folder}/${name}`);
        else throw unusable(`${this.path}${folder}/${name}`, new Error("it is neither a file nor a folder"));
      }
    };
    await walk("/@mongodb");
    return names.sort();
  }

  async *open(path: string): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(1 << 20);
    using file = await Deno.open(`${this.path}${path}`);
    for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) yield buffer.subarray(0, read);
  }

  /** A virtual file's header. */
  async header(path: string): Promise<FileHeader> {
    const { size, mode, mtime } = await Deno.stat(`${this.path}${path}`);
    const time = Math.floor((mtime?.getTime() ?? 0) / 1000);
    return { name: path, size, mode: (mode ?? 0) & 0o7777, atime: time, mtime: time, ctime: time };
  }
}

async function isJobFolder(path: string): Promise<boolean> {
  return await Deno.stat(`${path}/${objectsFolder}`).then(({ isDirectory }) => isDirectory, () => false);
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
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      },
      end: async () => {
        await file.sync();
        file.close();
      },
    };
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function ignoreMissing(cause: unknown): void {
  if (!(cause instanceof Deno.errors.NotFound)) throw cause;
}

function unusable(path: string, cause: unknown): PluginError {
  if (cause instanceof PluginError) return cause;
  return new PluginError("usage", `Cannot use ${path}: ${cause instanceof Error ? cause.message : cause}`, {
    hint: "Check the folder's path, permissions and room.",
    cause,
  });
}
