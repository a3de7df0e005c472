/**
 * The processors that packages are for, and what builds for each: the machine's own tools, or those of Debian's cross compiler.
 *
 * @module
 */

import type { ToolName } from "../tests/lab/tools.ts";

/** A processor, as Debian calls it. */
export type Architecture = "amd64" | "arm64";

/** What building for a processor takes. */
export interface Target {
  readonly architecture: Architecture;
  /** What GNU's tools, RPM and Deno call it. */
  readonly machine: "x86_64" | "aarch64";
  /** Its number in the header of an ELF file. */
  readonly elfNumber: number;
  /** The compiler's flag that has jumps and returns guarded, where the processor can. */
  readonly branchProtection: string;
}

const targets: Readonly<Record<Architecture, Target>> = {
  amd64: {
    architecture: "amd64",
    machine: "x86_64",
    elfNumber: 62,
    branchProtection: "-fcf-protection",
  },
  arm64: {
    architecture: "arm64",
    machine: "aarch64",
    elfNumber: 183,
    branchProtection: "-mbranch-protection=standard",
  },
};

/** This machine's. */
export const ownTarget: Target = Deno.build.arch === "aarch64" ? targets.arm64 : targets.amd64;

/** @throws TypeError for a name that none has */
export function findTarget(name: string): Target {
  if (Object.hasOwn(targets, name)) return targets[name as Architecture];
  throw new TypeError(`There are no packages for ${name}, only for ${Object.keys(targets).join(" and ")}`);
}

/** What a build takes. What is shipped to another processor is proven on this one, whose tools it takes as well. */
export function toolsFor(target: Target): ToolName[] {
  return ["gcc", "make", "musl", ...(target === ownTarget ? [] : [`gcc-${target.architecture}`] as const)];
}

/** The name of `gcc` or `strip` for that processor. */
export function toolFor(target: Target, tool: "gcc" | "strip"): string {
  return target === ownTarget ? tool : `${target.machine}-linux-gnu-${tool}`;
}
