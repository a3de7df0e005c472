/**
 * A folder that mongodump wrote in the place of a job's: it is read once for a manifest, which nobody signs, and again for the restore.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { MongodumpFolder } from "../folder/mongodump_folder.ts";
import { describeDump, type DumpReading, readDump } from "../job/dump_reading.ts";
import { formatNumberOf } from "../job/wording.ts";
import { type Manifest, manifestObjects } from "../manifest/schema.ts";
import { formatNamespace } from "../namespace.ts";
import { isUsersOwn } from "../oplog/scope.ts";
import { parsePluginCommand } from "../options/command.ts";
import { NamespaceFilter } from "../options/namespace_pattern.ts";
import type { FileHeader, ObjectSink } from "../objects.ts";
import type { JobInfo } from "../protocol/message.ts";
import { findTrust, systemClock } from "./machine.ts";
import { isWanted, type RestoreFeed } from "./restore_feed.ts";
import type { TerminalListener } from "./terminal.ts";

/** What stands for the name of the job that mongodump has none of, and for the resource unless the operator names one. */
export const mongodumpJobName = "mongodump";

/** A restore from such a folder, as the operator asked for it. */
interface MongodumpRestore {
  readonly pluginCommand: string;
  readonly from: string;
  readonly jobName: string | undefined;
  readonly only: readonly string[];
  readonly keyFile?: string;
  readonly listener: TerminalListener;
  readonly signal: AbortSignal;
}

/**
 * Reads the folder, all that is wanted of it, before anything of it is sent.
 *
 * @param job the job that would have made it
 * @throws PluginError `manifestSignature` unless the operator takes what nobody signed, `objectDamaged` for the first thing that is wrong
 */
export async function feedFromMongodump(run: MongodumpRestore, job: JobInfo): Promise<RestoreFeed> {
  const { from, listener, only } = run;
  const options = parsePluginCommand(run.pluginCommand);
  if (run.jobName !== undefined) {
    throw new PluginError(
      "usage",
      `Cannot choose the job ${run.jobName} in ${from}: mongodump wrote it, it has no jobs`,
      {
        hint: "Leave --job out.",
      },
    );
  }
  if (!options.allow_unsigned && !(await findTrust(run.keyFile)).allowUnsigned) throw unsigned(from);
  const filter = new NamespaceFilter(options.include, options.exclude);
  const dump = await MongodumpFolder.open(
    from,
    (namespace) => isUsersOwn(namespace) ? options.users !== "no" : filter.accepts(namespace),
  );
  listener.line(
    `${from} is a folder that mongodump ${dump.toolVersion} wrote of a server ${dump.serverVersion}: nothing in it is signed or has a checksum, so that only ` +
      "its form can be verified",
  );
  for (const warning of dump.warnings) listener.message("W", warning);
  if (dump.oplog === null) {
    listener.message(
      "W",
      `${from} has no oplog: its collections are of different instants, unless nobody wrote while it was made`,
    );
  }
  const reading: DumpReading = {
    dump,
    resource: options.resource ?? mongodumpJobName,
    job,
    signal: run.signal,
    clock: systemClock,
  };
  const { manifest, restoreObjects } = await describeDump(reading, options);
  listener.line(
    `Read ${formatNumberOf(manifest.totals.collections, "collection")} and ${
      formatNumberOf(manifest.totals.documents, "document")
    } of ${from}: all of them are whole`,
  );
  const names = [...manifestObjects(manifest)].map(({ path }) => path).filter((path) => isWanted(path, only));
  return {
    restoreObjects: restoreObjects.map(({ bytes, ...object }) => ({
      header: { ...object, size: bytes.length, jobId: 1, command: "" },
      bytes,
    })),
    names,
    files: readAgain(reading, manifest, new Set(names)),
  };
}

/** An object on its way from the reader to whoever restores. */
interface PassedFile {
  readonly header: FileHeader;
  readonly body: Parameters<ObjectSink["sendFile"]>[1];
  /** Tells the reader that it may go on. */
  readonly taken: PromiseWithResolvers<void>;
}

/** The wanted objects, each handed on and done with before the reader goes on: it has one segment. */
async function* readAgain(
  reading: DumpReading,
  manifest: Manifest,
  names: ReadonlySet<string>,
): AsyncGenerator<{ header: FileHeader; body: AsyncIterable<Uint8Array> }> {
  const stop = new AbortController();
  const { readable, writable } = new TransformStream<PassedFile, PassedFile>();
  const writer = writable.getWriter();
  const sink: ObjectSink = {
    sendFile: async (header, body) => {
      if (!names.has(header.name)) return;
      const taken = Promise.withResolvers<void>();
      await writer.write({ header, body, taken });
      await taken.promise;
    },
    sendRestoreObject: () => Promise.resolve(),
  };
  const signal = AbortSignal.any([reading.signal, stop.signal]);
  const done = readDump({ ...reading, signal }, wantedCollections(reading, manifest, names), sink)
    .then(() => writer.close(), (cause) => writer.abort(cause))
    .catch(() => {});
  let last: PassedFile | undefined;
  try {
    for await (const file of readable) {
      last = file;
      yield { header: file.header, body: bytesOf(file.body) };
      file.taken.resolve();
    }
  } finally {
    // Where the restore ended early, the reader must not wait for it.
    stop.abort(new PluginError("canceled", "The restore ended before all was read"));
    last?.taken.resolve();
    await done;
  }
}

function wantedCollections({ dump }: DumpReading, manifest: Manifest, names: ReadonlySet<string>) {
  const wanted = new Set(
    manifest.databases.flatMap(({ name, collections }) =>
      collections.filter(({ metadataObject, segments }) =>
        [metadataObject, ...segments].some(({ path }) => names.has(path))
      ).map((one) => formatNamespace({ database: name, collection: one.name }))
    ),
  );
  return dump.collections.filter(({ namespace }) => wanted.has(formatNamespace(namespace)));
}

/** Copies of the pieces: the restore in the same process moves the memory that they are views on. */
async function* bytesOf(body: PassedFile["body"]): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of body) yield bytes.slice();
}

function unsigned(from: string): PluginError {
  return new PluginError("manifestSignature", `Cannot trust ${from}: mongodump wrote it, and signs nothing`, {
    hint:
      "If you accept that nobody can tell whether it was changed, say allow_unsigned=yes in the plugin command.",
  });
}
