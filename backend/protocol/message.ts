/**
 * What PTCOMM's frames say: one type for each letter, and its payload's exact layout.
 *
 * @module
 */

import { messageMaxBytes } from "../limits.ts";
import type { FileHeader, RestoreObjectHeader } from "../objects.ts";
import { type FrameType, protocolError } from "./frame.ts";
import { PayloadReader, PayloadWriter } from "./payload.ts";
import { isControl } from "./text.ts";

/** The protocol's version. */
export const protocolVersion = 1;

/** Backup, restore, estimate, listing of a path, query of a parameter. */
export type SessionKind = "B" | "R" | "E" | "L" | "Q";

/** What Bacula says of the job. */
export interface JobInfo {
  readonly kind: SessionKind;
  readonly level: "F" | "I" | "D" | " ";
  readonly accurate: boolean;
  readonly jobId: number;
  /** Unix seconds from which changes are wanted; 0: none. */
  readonly sinceTime: number;
  /** Unique name of this job. */
  readonly jobName: string;
  /** Unique name of the job that the since time comes from, or "". */
  readonly previousJobName: string;
  readonly clientName: string;
  readonly workingDirectory: string;
  readonly baculaVersion: string;
}

/** Counts of one side's output; frames without the Totals frame itself. */
export interface Totals {
  readonly files: number;
  readonly restoreObjects: number;
  readonly bytes: number;
  readonly frames: number;
}

/** `T` good, `f` failed, `A` cancelled: what became of the job on Bacula's side. */
export type FinishStatus = "T" | "f" | "A";

/** Everything that can be said. */
export type Message =
  | {
    readonly type: "H";
    readonly version: number;
    readonly program: string;
    readonly programVersion: string;
  }
  | { readonly type: "J"; readonly job: JobInfo }
  | { readonly type: "P"; readonly command: string }
  | { readonly type: "L"; readonly name: string }
  | { readonly type: "Q"; readonly text: string }
  | { readonly type: "S"; readonly replace: string; readonly where: string; readonly regexWhere: string }
  | { readonly type: "F"; readonly file: FileHeader; readonly isDirectory: boolean }
  | { readonly type: "R"; readonly object: RestoreObjectHeader }
  | { readonly type: "D"; readonly bytes: Uint8Array }
  | { readonly type: "E"; readonly size: number }
  | { readonly type: "A"; readonly answer: "extract" | "skip" }
  | { readonly type: "V"; readonly text: string }
  | { readonly type: "M"; readonly severity: "I" | "W" | "E"; readonly text: string }
  | { readonly type: "B"; readonly files: number; readonly bytes: number; readonly activity: string }
  | { readonly type: "T"; readonly totals: Totals }
  | { readonly type: "Z"; readonly status: FinishStatus; readonly totals: Totals }
  | { readonly type: "C"; readonly reason: string }
  | { readonly type: "X"; readonly code: number; readonly text: string };

/** Message of a given type. */
export type MessageOf<T extends FrameType> = Extract<Message, { type: T }>;

const sessionKinds = ["B", "R", "E", "L", "Q"] as const;
const levels = ["F", "I", "D", " "] as const;
const statuses = ["T", "f", "A"] as const;
const severities = ["I", "W", "E"] as const;
const replaceRules = ["a", "n", "w", "o", "\0"] as const;
const answers = ["extract", "skip"] as const;
const objectTypes = [25, 27, 28] as const;
const fileKinds = ["file", "directory"] as const;
const permissionBits = 0o7777;

/** The payload of a message. Data isn't copied. */
export function encodePayload(message: Message): Uint8Array {
  const out = new PayloadWriter();
  switch (message.type) {
    case "H":
      return out.u16(message.version).text(message.program).text(message.programVersion).done();
    case "J": {
      const { job } = message;
      out.letter(job.kind).letter(job.level).u8(job.accurate ? 1 : 0).u32(job.jobId).i64(job.sinceTime);
      out.text(job.jobName).text(job.previousJobName).text(job.clientName).text(job.workingDirectory);
      return out.text(job.baculaVersion).done();
    }
    case "P":
      return out.rest(message.command).done();
    case "L":
      return out.text(message.name).done();
    case "Q":
    case "V":
      return out.text(message.text).done();
    case "S":
      return out.letter(message.replace).text(message.where).text(message.regexWhere).done();
    case "F": {
      const { mode, size, atime, mtime, ctime, name } = message.file;
      const kind = fileKinds.indexOf(message.isDirectory ? "directory" : "file") + 1;
      return out.u8(kind).u32(mode).u64(size).i64(atime).i64(mtime).i64(ctime).text(name).done();
    }
    case "R": {
      const { objectType, index, jobId, size, name, command } = message.object;
      return out.u32(objectType).u32(index).u32(jobId).u64(size).text(name).text(command).done();
    }
    case "D":
      return message.bytes;
    case "E":
      return out.u64(message.size).done();
    case "A":
      return out.u8(answers.indexOf(message.answer) + 1).done();
    case "M":
      return out.letter(message.severity).text(message.text).done();
    case "B":
      return out.u64(message.files).u64(message.bytes).text(message.activity).done();
    case "T":
      return writeTotals(out, message.totals).done();
    case "Z":
      return writeTotals(out.letter(message.status), message.totals).done();
    case "C":
      return out.text(message.reason).done();
    case "X":
      return out.u16(message.code).text(message.text).done();
  }
}

/** Reads a payload, every byte of it. Data is a view on `payload`. */
export function decodePayload(type: FrameType, payload: Uint8Array): Message {
  if (type === "D") {
    if (payload.length === 0) {
      throw protocolError("Cannot read a Data frame: it is empty, wanted at least 1 byte");
    }
    return { type, bytes: payload };
  }
  const input = new PayloadReader(type, payload);
  const message = readMessage(type, input);
  input.end();
  return message;
}

function readMessage(type: Exclude<FrameType, "D">, input: PayloadReader): Message {
  switch (type) {
    case "H":
      return { type, version: input.u16(), program: input.text(), programVersion: input.text() };
    case "J":
      return { type, job: readJob(input) };
    case "P":
      return { type, command: input.rest() };
    case "L":
      return { type, name: input.text() };
    case "Q":
      return { type, text: input.text() };
    case "S":
      return { type, replace: input.letter(replaceRules), where: input.text(), regexWhere: input.text() };
    case "F": {
      const isDirectory = input.oneOf(fileKinds[input.u8() - 1], fileKinds) === "directory";
      return { type, file: readFile(input), isDirectory };
    }
    case "R": {
      const objectType = input.oneOf(input.u32(), objectTypes);
      const [index, jobId, size] = [input.u32(), input.u32(), input.u64()];
      if (index < 1) throw input.fault("an index of 1 at least");
      return { type, object: { objectType, index, jobId, size, name: input.text(), command: input.text() } };
    }
    case "E":
      return { type, size: input.u64() };
    case "A":
      return { type, answer: input.oneOf(answers[input.u8() - 1], answers) };
    case "V": {
      const text = readText(input);
      if (text.includes("\n")) throw input.fault("a text of one line");
      return { type, text };
    }
    case "M":
      return { type, severity: input.letter(severities), text: readText(input) };
    case "B":
      return { type, files: input.u64(), bytes: input.u64(), activity: input.text() };
    case "T":
      return { type, totals: readTotals(input) };
    case "Z":
      return { type, status: input.letter(statuses), totals: readTotals(input) };
    case "C":
      return { type, reason: input.text() };
    case "X":
      return { type, code: input.u16(), text: readText(input) };
  }
}

function readJob(input: PayloadReader): JobInfo {
  return {
    kind: input.letter(sessionKinds),
    level: input.letter(levels),
    accurate: input.oneOf(input.u8(), [0, 1]) === 1,
    jobId: input.u32(),
    sinceTime: input.i64(),
    jobName: input.text(),
    previousJobName: input.text(),
    clientName: input.text(),
    workingDirectory: input.text(),
    baculaVersion: input.text(),
  };
}

function readFile(input: PayloadReader): FileHeader {
  const mode = input.u32();
  if (mode > permissionBits) throw input.fault("permission bits of at most 07777");
  const size = input.u64();
  const [atime, mtime, ctime] = [input.i64(), input.i64(), input.i64()];
  const name = input.text();
  if (name === "") throw input.fault("a name");
  return { mode, size, atime, mtime, ctime, name };
}

function writeTotals(out: PayloadWriter, { files, restoreObjects, bytes, frames }: Totals): PayloadWriter {
  return out.u64(files).u64(restoreObjects).u64(bytes).u64(frames);
}

function readTotals(input: PayloadReader): Totals {
  return { files: input.u64(), restoreObjects: input.u64(), bytes: input.u64(), frames: input.u64() };
}

function readText(input: PayloadReader): string {
  const text = input.text();
  if (new TextEncoder().encode(text).length > messageMaxBytes) {
    throw input.fault(`a text of at most ${messageMaxBytes} bytes`);
  }
  if ([...text].some(isControl)) throw input.fault("a text without control characters but line feeds");
  return text;
}
