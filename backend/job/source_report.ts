/**
 * Which member is read and why, as the operator reads it.
 *
 * @module
 */

import type { JobLog, Source } from "../ports.ts";

/** Says how the member was chosen, every member with its score and reason in one message, and what there is to warn of. */
export function reportSource({ deployment, warnings }: Source, log: JobLog): void {
  const { source, members, chosenBy } = deployment;
  if (members.length > 0) {
    const lines = members.map(({ host, state, score, reason }) =>
      `  ${host === source ? "*" : " "} ${host} ${state}, ${
        score === null ? "not usable" : `score ${score}`
      }: ${reason}`
    );
    log.info([`Chose ${source} to read from, by ${chosenBy}:`, ...lines].join("\n"));
  }
  for (const warning of warnings) log.warning(warning);
}
