/**
 * The keys that sign and those that are believed.
 *
 * @module
 */

import { findObjection, type TrustedKey } from "../../manifest/trusted_keys.ts";
import { findTrust, requireSigningKey } from "../machine.ts";
import type { Findings } from "./check.ts";

/** How long before its end a key is spoken of. */
const noticeDays = 30;

/** As a backup does that is about to sign. */
export async function examineSigningKey(sign: boolean, findings: Findings): Promise<void> {
  if (!sign) {
    findings.warn(
      "signing_key",
      "sign=no: changes to a backup can't be noticed, and restores take it with allow_unsigned=yes only",
      "Make a key with podheitor-mongodb-backend keygen, and leave sign= out.",
    );
    return;
  }
  const key = await findings.attempt("signing_key", () => requireSigningKey(sign));
  if (key !== null) {
    findings.ok("signing_key", `Key ${key.id} signs, and restores on this machine believe it`);
  }
}

/** Every key that a restore on this machine believes. */
export async function examineTrustedKeys(now: Date, findings: Findings): Promise<void> {
  const trust = await findings.attempt("trusted_keys", () => findTrust());
  if (trust === null) return;
  const { keys, allowUnsigned } = trust;
  if (allowUnsigned) {
    findings.warn(
      "trusted_keys",
      "PODHEITOR_MONGODB_ALLOW_UNSIGNED=yes: any restore takes backups that nobody signed",
      "Unset it, and say allow_unsigned=yes at the prompt of the restore that needs it.",
    );
  }
  if (keys.length === 0) {
    findings.fail(
      "trusted_keys",
      "No key is trusted: restores on this machine take nothing that is signed",
      "Set PODHEITOR_MONGODB_TRUSTED_KEYS or PODHEITOR_MONGODB_SIGNING_KEY in the File Daemon's environment, and here.",
    );
  }
  for (const [id, entries] of Map.groupBy(keys, ({ id }) => id)) examineKey(id, entries, now, findings);
}

function examineKey(id: string, entries: readonly TrustedKey[], now: Date, findings: Findings): void {
  if (entries.some(({ revoked }) => revoked)) {
    findings.ok("trusted_keys", `Key ${id} is revoked: nothing that it signed is believed`);
    return;
  }
  const objection = findObjection(entries, now.toISOString());
  if (objection !== null) {
    findings.ok("trusted_keys", `Key ${id} is trusted for older or later backups, not for one of now`);
    return;
  }
  const then = new Date(now.getTime() + noticeDays * 86_400_000).toISOString();
  if (findObjection(entries, then) === null) {
    findings.ok("trusted_keys", `Key ${id} is trusted`);
    return;
  }
  const last = entries.map(({ notAfter }) => notAfter ?? "").sort().at(-1);
  findings.warn(
    "trusted_keys",
    `Key ${id} is trusted until ${last} only`,
    "Make the next key now, and add it to the list: backend/manifest/KEYS.md says how.",
  );
}
