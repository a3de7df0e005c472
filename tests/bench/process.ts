/**
 * What a process costs: its time, its CPU, its memory.
 *
 * @module
 */

import { lastLines } from "../lab/command.ts";

/** The cost of one run of a program. */
export interface Cost {
  readonly wallSeconds: number;
  /** User and system time of the process with all its threads. */
  readonly cpuSeconds: number;
  /** Most memory that it had resident at once. */
  readonly peakRssBytes: number;
}

/** A program with its arguments. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Record<string, string>;
}

const pollIntervalMs = 10;

/** `/proc` counts CPU time in hundredths of a second on every Linux. */
const ticksPerSecond = 100;

/**
 * Runs a program to its end, one at a time: CPU time is what the kernel adds to this process's account of ended children.
 *
 * @throws Error with the end of its output when it fails
 */
export async function measure({ path, args, env }: Program): Promise<Cost & { readonly output: string }> {
  const cpuBefore = childrenCpuSeconds();
  const startedAt = performance.now();
  const child = new Deno.Command(path, {
    args: [...args],
    ...(env === undefined ? {} : { env }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let peakRssBytes = 0;
  const poll = setInterval(() => peakRssBytes = peakRssOf(child.pid) ?? peakRssBytes, pollIntervalMs);
  let result: Deno.CommandOutput;
  try {
    result = await child.output();
  } finally {
    clearInterval(poll);
  }
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const text = new TextDecoder();
  const output = text.decode(result.stdout);
  if (!result.success) {
    throw new Error(
      `${path}: exit status ${result.code}\n${lastLines(`${output}\n${text.decode(result.stderr)}`, 20)}`,
    );
  }
  return { wallSeconds, cpuSeconds: childrenCpuSeconds() - cpuBefore, peakRssBytes, output };
}

/** The high-water mark of a process's resident memory, or null when it is gone. */
export function peakRssOf(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch (cause) {
    // A read in the moment of its end fails with ESRCH, which has no class of its own.
    if (
      cause instanceof Deno.errors.NotFound ||
      (cause instanceof Error && cause.message.includes("os error 3"))
    ) {
      return null;
    }
    throw cause;
  }
}

/** CPU time of all children that have ended. */
function childrenCpuSeconds(): number {
  return cpuTimes("self").children;
}

/** CPU time of a process and of its children that have ended. */
export function cpuSecondsOf(pid: number): number {
  const { own, children } = cpuTimes(pid);
  return own + children;
}

function cpuTimes(pid: number | "self"): { own: number; children: number } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // Behind the name in parentheses, which may hold anything, come fields 3 and so on: from 14 on utime, stime, cutime and cstime.
  const [user, system, childUser, childSystem] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(
    11,
    15,
  )
    .map((ticks) => Number(ticks) / ticksPerSecond);
  return { own: user! + system!, children: childUser! + childSystem! };
}
