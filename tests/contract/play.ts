/**
 * Whole conversations between a player and an implementation, within this process.
 *
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { type ByteStream, connectInProcess } from "../../backend/protocol/channel.ts";
import { withDeadline } from "./deadline.ts";
import { runBackend, runFileDaemon } from "./parts.ts";
import { Player, type PlayerOptions } from "./player.ts";
import type { SessionVector } from "./vector.ts";

/** What became of the job in the eyes of the side that was played against. */
export type Verdict = "ok" | "failed";

/** How a conversation departs from its script. */
export interface Disturbance extends Pick<PlayerOptions, "tamper"> {
  /** Puts something between the implementation and its stream. */
  readonly through?: (stream: ByteStream) => ByteStream;
}

/** Plays side S of a vector against the backend; undisturbed, every frame and the exit status must be those of the vector. */
export async function playAgainstBackend(
  vector: SessionVector,
  disturbance: Disturbance = {},
): Promise<Verdict> {
  const { ours, theirs } = connect(disturbance);
  const status = runBackend(theirs, vector);
  const playing = follow(new Player(ours, "S", vector, disturbance), ours, disturbance);
  const [found] = await withDeadline(Promise.all([status, playing]), `session ${vector.name}`);
  const written = writtenStatus(vector);
  if (written !== undefined && disturbance.tamper === undefined) strictEqual(found, written, "exit status");
  return found === 0 ? "ok" : "failed";
}

/** Plays side B of a vector against the stand-in for the File Daemon. */
export async function playAgainstFileDaemon(
  vector: SessionVector,
  disturbance: Disturbance = {},
): Promise<Verdict> {
  const { ours, theirs } = connect(disturbance);
  const cancel = new AbortController();
  const verdict = runFileDaemon(theirs, vector, cancel.signal)
    .then(() => "ok" as const, () => "failed" as const)
    .finally(() => theirs.close());
  const expecting = (type: string) => type === "C" && cancel.abort();
  const playing = follow(new Player(ours, "B", vector, { ...disturbance, expecting }), ours, disturbance);
  const [taken] = await withDeadline(Promise.all([verdict, playing]), `session ${vector.name}`);
  // The job is good only if the backend has ended with 0 as well; its status isn't part of the conversation.
  return (writtenStatus(vector) ?? 0) === 0 ? taken : "failed";
}

function connect({ through }: Disturbance): { ours: ByteStream; theirs: ByteStream } {
  const [ours, theirs] = connectInProcess();
  return { ours, theirs: through?.(theirs) ?? theirs };
}

/** A player that sends damaged bytes gets other answers than its script says, and hangs up at the first. */
function follow(player: Player, stream: ByteStream, { tamper }: Disturbance): Promise<void> {
  return tamper === undefined ? player.play() : player.play().catch(() => {}).finally(() => stream.close());
}

function writtenStatus({ lines }: SessionVector): number | undefined {
  const exit = lines.findLast((line) => line.does === "exit");
  return exit?.does === "exit" ? exit.status : undefined;
}
