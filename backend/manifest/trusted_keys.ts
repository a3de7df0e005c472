/**
 * Lists of trusted keys: which keys may have signed a manifest, for which time, and which never again. KEYS.md explains them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { SecretReader } from "../options/credentials.ts";
import { decodeKey, decodePem, publicHead, readKeyFile, unusableKey } from "./key_text.ts";
import { importPublic, type PublicKey } from "./signature.ts";

/** A key of a list. */
export interface TrustedKey extends PublicKey {
  /** First second of the manifests that it may vouch for: RFC 3339 in UTC, without fractions. */
  readonly notBefore?: string;
  /** Last one, to its end. */
  readonly notAfter?: string;
  /** Nothing that it signed is believed, whatever other entries say. */
  readonly revoked?: true;
}

type Validity = Pick<TrustedKey, "notBefore" | "notAfter" | "revoked">;

/**
 * Reads the keys of files separated by colons: PEM blocks, and lines of base64 (32 bytes) with words behind it; `#` begins a comment. Whatever isn't
 * understood is refused: it may be what revokes a key.
 *
 * @throws PluginError `signingKey`
 */
export async function loadTrustedKeys(paths: string, read: SecretReader): Promise<TrustedKey[]> {
  const keys: TrustedKey[] = [];
  for (const path of paths.split(":").filter((path) => path !== "")) {
    const { text, mode } = await readKeyFile(path, read);
    checkWriters(path, mode);
    const found = readList(text, path);
    if (found.length === 0) throw unusableKey(path, "it holds no Ed25519 public key");
    for (const { raw, validity } of found) keys.push({ ...await importPublic(raw, path), ...validity });
  }
  if (keys.length === 0) throw unusableKey("PODHEITOR_MONGODB_TRUSTED_KEYS", "it names no file");
  return keys;
}

/**
 * Why a key may not vouch for a manifest of an instant, or null where it may.
 *
 * @param entries all that lists say of the key; at least one
 * @param instant RFC 3339 in UTC
 */
export function findObjection(entries: readonly TrustedKey[], instant: string): string | null {
  const id = entries[0]!.id;
  if (entries.some(({ revoked }) => revoked)) return `key ${id} is revoked`;
  const second = `${instant.slice(0, 19)}Z`;
  const covers = ({ notBefore = second, notAfter = second }: TrustedKey) =>
    notBefore <= second && second <= notAfter;
  if (entries.some(covers)) return null;
  const times = entries.map(({ notBefore, notAfter }) =>
    [notBefore && `from ${notBefore}`, notAfter && `to ${notAfter}`].filter(Boolean).join(" ")
  );
  return `it is of ${second}, key ${id} is trusted for manifests ${times.join(" and ")}`;
}

function readList(text: string, path: string) {
  const found: { raw: Uint8Array<ArrayBuffer>; validity: Validity }[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const first = at + 1;
    let line = lines[at]!.replace(/#.*/, "").trim();
    if (line.startsWith("-----BEGIN ")) {
      while (!lines[at]!.startsWith("-----END ") && at + 1 < lines.length) line += `\n${lines[++at]!.trim()}`;
      const raw = decodePem(line, "PUBLIC KEY", publicHead);
      if (raw === null) throw unusableKey(path, `line ${first} begins no PEM of an Ed25519 public key`);
      found.push({ raw, validity: {} });
    } else if (line !== "") {
      const [key = "", ...words] = line.split(/\s+/);
      const raw = decodeKey(key);
      if (raw === null) throw unusableKey(path, `line ${first} is neither PEM nor the base64 of 32 bytes`);
      found.push({ raw, validity: readValidity(words, `${path}, line ${first}`) });
    }
  }
  return found;
}

function readValidity(words: readonly string[], origin: string): Validity {
  const validity: { notBefore?: string; notAfter?: string; revoked?: true } = {};
  for (const word of words) {
    const [, bound, instant = ""] = /^(not-before|not-after)=(.*)$/.exec(word) ?? [];
    const name = bound === "not-before" ? "notBefore" : bound === "not-after" ? "notAfter" : "revoked";
    if (validity[name] !== undefined) throw unusableKey(origin, `"${word}" says again what was said`);
    if (bound === "not-before") validity.notBefore = readInstant(instant, "00:00:00", word, origin);
    else if (bound === "not-after") validity.notAfter = readInstant(instant, "23:59:59", word, origin);
    else if (word === "revoked") validity.revoked = true;
    else {
      throw unusableKey(origin, `"${word}" is none of not-before=TIME, not-after=TIME and revoked`);
    }
  }
  const { notBefore, notAfter } = validity;
  if (notBefore !== undefined && notAfter !== undefined && notAfter < notBefore) {
    throw unusableKey(origin, "not-after is before not-before");
  }
  return validity;
}

function readInstant(text: string, timeOfDay: string, word: string, origin: string): string {
  const second = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T${timeOfDay}Z` : text;
  const parsed = new Date(second);
  // What no calendar has is no date, or one of the next month.
  if (!Number.isNaN(parsed.getTime()) && parsed.toISOString() === second.replace("Z", ".000Z")) return second;
  throw unusableKey(origin, `"${word}" has no time such as 2026-11-23 or 2026-11-23T08:15:00Z`);
}

/** Who can write a list decides what is believed. */
function checkWriters(path: string, mode: number): void {
  if ((mode & 0o022) === 0) return;
  const bits = (mode & 0o7777).toString(8).padStart(4, "0");
  throw new PluginError(
    "signingKey",
    `Cannot trust the keys of ${path}: its mode is ${bits}, others than its owner can change it`,
    { hint: `Look at what it holds, then run: chmod go-w ${path}` },
  );
}
