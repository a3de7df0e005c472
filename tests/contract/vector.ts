/**
 * The shared vectors as values; their format is described in `tests/vectors/README.md`.
 *
 * @module
 */

import type { FrameType } from "../../backend/protocol/frame.ts";
import type { Side } from "../../backend/protocol/order.ts";

const folder = new URL("../vectors/", import.meta.url);

/** A block of `frames.txt`. */
export interface FrameVector {
  readonly name: string;
  /** Number that the receiver waits for. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly expect: string;
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

/** What one side does at one moment of a session. */
export type SessionLine =
  | { readonly side: Side; readonly does: "frame"; readonly type: FrameType; readonly payload: Uint8Array }
  | { readonly side: Side; readonly does: "raw"; readonly bytes: Uint8Array }
  | { readonly side: Side; readonly does: "eof" }
  | { readonly side: Side; readonly does: "exit"; readonly status: number };

/** A file of `sessions/`. */
export interface SessionVector {
  /** Name of the file without `.txt`. */
  readonly name: string;
  readonly title: string;
  /** What becomes of each side that the session can be played against. */
  readonly expect: ReadonlyMap<"shim" | "backend", "ok" | "failed">;
  readonly lines: readonly SessionLine[];
}

/** All blocks of `frames.txt`. */
export async function loadFrameVectors(): Promise<FrameVector[]> {
  const vectors: FrameVector[] = [];
  let block = new Map<string, string>();
  const finish = () => {
    if (block.size === 0) return;
    vectors.push({
      name: field(block, "name"),
      sequence: Number(field(block, "sequence")),
      bytes: Uint8Array.fromHex(field(block, "bytes")),
      expect: field(block, "expect"),
      type: (block.get("type") ?? "D") as FrameType,
      payload: Uint8Array.fromHex(block.get("payload") ?? ""),
    });
  };
  for (const line of meaningfulLines(await Deno.readTextFile(new URL("frames.txt", folder)))) {
    const [key, value] = splitOnce(line);
    if (key === "name") {
      finish();
      block = new Map();
    }
    block.set(key, (key === "bytes" || key === "payload" ? block.get(key) ?? "" : "") + value);
  }
  finish();
  return vectors;
}

/** All files of `sessions/`, sorted by name. */
export async function loadSessionVectors(): Promise<SessionVector[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(new URL("sessions/", folder))) names.push(name);
  const load = async (name: string) =>
    parseSession(name.replace(/\.txt$/, ""), await Deno.readTextFile(new URL(`sessions/${name}`, folder)));
  return await Promise.all(names.sort().map(load));
}

function parseSession(name: string, text: string): SessionVector {
  const expect = new Map<"shim" | "backend", "ok" | "failed">();
  const lines: SessionLine[] = [];
  let title = "";
  for (const line of meaningfulLines(text)) {
    const [key, value] = splitOnce(line);
    if (key === "S>" || key === "B>") lines.push(parseLine(key === "S>" ? "S" : "B", value));
    else if (key === "title") title = value;
    else if (key === "expect") {
      const [side, verdict] = splitOnce(value);
      expect.set(side as "shim" | "backend", verdict as "ok" | "failed");
    } else if (key !== "job") throw new SyntaxError(`${name}: unknown line "${line}"`);
  }
  return { name, title, expect, lines };
}

function parseLine(side: Side, text: string): SessionLine {
  const [what, value] = splitOnce(text);
  if (what === "eof") return { side, does: "eof" };
  if (what === "exit") return { side, does: "exit", status: Number(value) };
  if (what === "raw") return { side, does: "raw", bytes: Uint8Array.fromHex(value) };
  const payload = value.startsWith("*")
    ? Uint8Array.from({ length: Number(value.slice(1)) }, (_, at) => at % 251)
    : Uint8Array.fromHex(value);
  return { side, does: "frame", type: what as FrameType, payload };
}

function meaningfulLines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** The first word and the rest. */
function splitOnce(line: string): [string, string] {
  const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  return [word, rest];
}

function field(block: ReadonlyMap<string, string>, key: string): string {
  const value = block.get(key);
  if (value === undefined) throw new SyntaxError(`frames.txt: "${block.get("name")}" has no ${key}`);
  return value;
}
