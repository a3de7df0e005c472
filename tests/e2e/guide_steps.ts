/**
 * The steps of a guide: its blocks of commands, and what comments of the form `<!-- test: … -->` say of them.
 *
 * @module
 */

import { readCode } from "../documents/markdown.ts";

/** What is done with a block: it is run, it starts a job that has to end well or fail with a code, or the register of commands has a reason why it isn't run. */
export type Treatment =
  | { readonly kind: "run" }
  | { readonly kind: "job"; readonly name: string | null; readonly failsWith: string | null }
  | { readonly kind: "not-run"; readonly reason: string };

/** A step of a guide, in its order. */
export type Step =
  | { readonly line: number; readonly action: string }
  | {
    readonly line: number;
    readonly language: string;
    readonly text: string;
    readonly treatment: Treatment;
  };

/** Languages whose blocks are commands. */
const commandLanguages = new Set(["bash", "bconsole", "console"]);

/**
 * Reads a guide.
 *
 * @throws Error with the line of a block of commands that no comment speaks of, or of a comment that speaks of none
 */
export function readGuide(markdown: string): Step[] {
  const steps: Step[] = [];
  const blocks = new Map(
    readCode(markdown).filter(({ place }) => place === "fence").map((code) => [code.line - 1, code]),
  );
  const lines = markdown.split("\n");
  let treatment: Treatment | null = null;
  for (let line = 1; line <= lines.length; line++) {
    const said = /^<!-- test: (.+) -->$/.exec(lines[line - 1]!)?.[1];
    const block = blocks.get(line);
    if (said !== undefined) {
      const found = readTreatment(said);
      if (treatment !== null) throw new Error(`line ${line}: the comment before it speaks of no block`);
      if (found === null) steps.push({ line, action: said });
      treatment = found;
    } else if (block !== undefined) {
      const { language, text } = block;
      if (language !== null && commandLanguages.has(language)) {
        if (treatment === null) throw new Error(`line ${line}: no comment says whether the block is run`);
        steps.push({ line, language, text, treatment });
        treatment = null;
      }
      line += text.split("\n").length + 1;
    } else if (treatment !== null && lines[line - 1] !== "") {
      throw new Error(`line ${line}: the comment before it speaks of no block`);
    }
  }
  if (treatment !== null) throw new Error("the last comment speaks of no block");
  return steps;
}

function readTreatment(said: string): Treatment | null {
  const [, job, name, code] = /^(job)(?: (?!fails)(\w+))?(?: fails (MONGO-\d+))?$/.exec(said) ?? [];
  if (job !== undefined) return { kind: "job", name: name ?? null, failsWith: code ?? null };
  if (said === "run") return { kind: "run" };
  const [, reason] = /^not-run (\w+)$/.exec(said) ?? [];
  return reason === undefined ? null : { kind: "not-run", reason };
}
