/**
 * One sidecar on the disk: whose it is, and its text within bounds.
 *
 * @module
 */

import type { SidecarText } from "./resource.ts";

/** Longest sidecar that is read: many times what one of 400 jobs has. */
const maxBytes = 32 << 20;

/** A sidecar that is there. */
export interface Sidecar {
  readonly file: string;
  /** Device and inode. */
  readonly id: string;
  /** Another text whenever the file is another one. */
  readonly stamp: string;
  /** Why it isn't read, or null. */
  readonly trouble: string | null;
}

/** What the directory says of a file; null where it has gone meanwhile. Links are not followed. */
export function statSidecar(
  directory: string,
  file: string,
  owners: ReadonlySet<number | null>,
): Sidecar | null {
  try {
    const info = Deno.lstatSync(`${directory}/${file}`);
    return { file, id: idOf(info), stamp: stampOf(info), trouble: troubleOf(info, owners) };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    return { file, id: "", stamp: reasonOf(cause), trouble: `It can't be looked at: ${reasonOf(cause)}` };
  }
}

/** Its text, or why it isn't read. What is opened is what was looked at: a file that was replaced in between is looked at again. */
export async function readSidecarText(
  directory: string,
  found: Sidecar,
  owners: ReadonlySet<number | null>,
): Promise<SidecarText> {
  const { file } = found;
  const refuse = (trouble: string): SidecarText => ({ file, content: { trouble } });
  try {
    for (let sidecar: Sidecar | null = found, tries = 0; sidecar !== null && tries < triesMax; tries++) {
      if (sidecar.trouble !== null) return refuse(sidecar.trouble);
      using opened = await Deno.open(`${directory}/${file}`, { read: true });
      const info = await opened.stat();
      if (idOf(info) === sidecar.id) {
        const bytes = await readAtMost(opened, info.size);
        return bytes === null ? refuse(tooLarge) : { file, content: { text: decode(bytes) } };
      }
      sidecar = statSidecar(directory, file, owners);
    }
    return refuse("It is replaced again and again, or was removed");
  } catch (cause) {
    return refuse(`It can't be read: ${reasonOf(cause)}`);
  }
}

const triesMax = 5;

const tooLarge = `It is larger than ${maxBytes} bytes`;

function troubleOf(
  { isFile, isSymlink, size, uid, mode }: Deno.FileInfo,
  owners: ReadonlySet<number | null>,
): string | null {
  if (isSymlink) return "It is a link, which may lead anywhere";
  if (!isFile) return "It is no regular file";
  if (!owners.has(uid)) {
    return `It belongs to the user ${uid}, who is neither root nor the directory's owner nor the exporter's user`;
  }
  if (mode !== null && (mode & 0o002) !== 0) return "Anybody may write to it";
  return size > maxBytes ? tooLarge : null;
}

function idOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}

/** Inode and times: a replaced file has another inode, a changed one another time. */
function stampOf({ dev, ino, size, mtime, ctime, mode, uid }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime(), mode, uid].join();
}

/** A file's bytes, as many as it has had or has now; null where it has more than may be. */
async function readAtMost(file: Deno.FsFile, size: number): Promise<Uint8Array | null> {
  let bytes = new Uint8Array(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) return bytes.subarray(0, length);
    length += read;
    if (length > maxBytes) return null;
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(2 * length, maxBytes + 1));
      larger.set(bytes);
      bytes = larger;
    }
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
