/**
 * Opens sealed manifests: nothing of one is believed before its seal has been checked.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { canonicalText } from "./canonical.ts";
import { findContradictions, type Manifest, manifestSchema, sealedSchema } from "./schema.ts";
import { verifySignature } from "./signature.ts";
import { findObjection, type TrustedKey } from "./trusted_keys.ts";
import type { Timestamp } from "../timestamp.ts";

/** Which manifests are believed. */
export interface TrustPolicy {
  readonly keys: readonly TrustedKey[];
  /** Whether a manifest without a signature is. */
  readonly allowUnsigned: boolean;
}

/** A manifest whose seal is good. */
export interface OpenedManifest {
  readonly manifest: Manifest;
  /** Its BLAKE3, hexadecimal: what a job that continues it names. */
  readonly digest: string;
  /** First 16 digits of it. */
  readonly id: string;
  /** Key that signed it, null for an unsigned one. */
  readonly keyId: string | null;
}

/** Longest sealed manifest that is read: room for half a million collections. */
const sealedMaxBytes = 256 << 20;

/**
 * Checks form, digest and signature, in that order, and returns the manifest.
 *
 * @throws PluginError `manifestInvalid` or `manifestSignature`
 */
export async function openManifest(bytes: Uint8Array, trust: TrustPolicy): Promise<OpenedManifest> {
  const sealed = parseSealed(bytes);
  const digest = blake3(new TextEncoder().encode(canonicalText(sealed.manifest))).toHex();
  if (digest !== sealed.blake3) throw untrusted(`its digest is ${digest}, its seal says ${sealed.blake3}`);
  const entries = await checkSignature(sealed, trust);
  const parsed = manifestSchema.safeParse(sealed.manifest);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw invalid(`${path.join(".") || "manifest"}: ${message}`);
  }
  const objection = entries.length === 0 ? null : findObjection(entries, parsed.data.createdAt);
  if (objection !== null) throw objectionable(objection);
  const [contradiction] = findContradictions(parsed.data);
  if (contradiction !== undefined) throw invalid(contradiction);
  return { manifest: parsed.data, digest, id: digest.slice(0, 16), keyId: sealed.keyId };
}

/** What a manifest says of its place among others, before it is verified. */
export interface ManifestPlace {
  readonly resource: string;
  readonly jobName: string;
  readonly level: "F" | "I" | "D";
  /** By this machine's clock. */
  readonly createdAt: string;
  /** Where it ended, by the server's clock; by this machine's where there is no oplog. */
  readonly end: Timestamp;
  readonly digest: string;
  /** Digest of the manifest that it continues; null for a Full. */
  readonly parentDigest: string | null;
}

/**
 * Reads a manifest's place without believing it: to find the files of a chain, not to restore them.
 *
 * @throws PluginError `manifestInvalid`
 */
export function readPlace(bytes: Uint8Array): ManifestPlace {
  const { blake3: digest, manifest } = parseSealed(bytes);
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) throw invalid(parsed.error.issues[0]!.message);
  const { resource, job, createdAt, oplog, parent } = parsed.data;
  return {
    resource,
    jobName: job.name,
    level: job.level,
    createdAt,
    end: oplog?.to ?? { t: Date.parse(createdAt) / 1000, i: 0 },
    digest,
    parentDigest: parent?.blake3 ?? null,
  };
}

/** Reads the seal; only the canonical form of what it says is taken, so that no two texts mean the same. */
function parseSealed(bytes: Uint8Array) {
  if (bytes.length > sealedMaxBytes) throw invalid(`${bytes.length} bytes are too many`);
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is no JSON (${cause instanceof Error ? cause.message : cause})`);
  }
  const sealed = sealedSchema.safeParse(value);
  if (!sealed.success) {
    throw invalid(`${sealed.error.issues[0]!.path.join(".") || "seal"}: ${sealed.error.issues[0]!.message}`);
  }
  let canonical: string;
  try {
    canonical = canonicalText(value);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
  if (canonical !== text) throw invalid("it is not in its canonical form");
  return sealed.data;
}

/** Resolves to what is said of the key that signed; to nothing for an unsigned manifest where that is allowed. */
async function checkSignature(
  { blake3: digest, keyId, signature }: { blake3: string; keyId: string | null; signature: string | null },
  { keys, allowUnsigned }: TrustPolicy,
): Promise<TrustedKey[]> {
  if (keyId === null || signature === null) {
    if (keyId !== signature) throw invalid("it has half a signature");
    if (allowUnsigned) return [];
    throw unsignedManifest();
  }
  const entries = keys.filter(({ id }) => id === keyId);
  if (entries.length === 0) {
    const known = keys.map(({ id }) => id).join(", ") || "none";
    throw untrusted(`it is signed by key ${keyId}, trusted are ${known}`);
  }
  // All entries of an id hold the same key.
  if (!await verifySignature(entries[0]!, digest, signature)) {
    throw untrusted(`the signature of key ${keyId} is wrong`);
  }
  return entries;
}

/** The failure for a manifest without a signature where nobody allowed that. */
export function unsignedManifest(): PluginError {
  return new PluginError("manifestSignature", "Cannot trust the manifest: it is not signed", {
    hint:
      "If the backup was made with sign=no and you accept that nobody can tell whether it was changed, say allow_unsigned=yes at the restore's " +
      "prompt (mod, Plugin Options) or on the command line, or set PODHEITOR_MONGODB_ALLOW_UNSIGNED=yes in the File Daemon's environment.",
  });
}

function invalid(reason: string): PluginError {
  return new PluginError("manifestInvalid", `Cannot read the manifest: ${reason}`, {
    hint: "The catalog or the volume was damaged or changed; restore another job.",
  });
}

function untrusted(reason: string): PluginError {
  return new PluginError("manifestSignature", `Cannot trust the manifest: ${reason}`, {
    hint:
      "If the signing key was replaced, add the old public key to PODHEITOR_MONGODB_TRUSTED_KEYS, or name it with a stand-alone command's --key. If it wasn't, the backup was changed: restore another job.",
  });
}

/** The failure for a manifest whose signature is good, of a key that may not vouch for it. */
function objectionable(reason: string): PluginError {
  return new PluginError("manifestSignature", `Cannot trust the manifest: ${reason}`, {
    hint:
      "The list of trusted keys says so. Restore a job that another key signed; before you trust this one all the same, hold its manifest id against the log " +
      "of the job that made it, as backend/manifest/KEYS.md says.",
  });
}
