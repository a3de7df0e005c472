/**
 * A manifest's seal: digest, signature, and the parts in which it travels.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { restoreObjectMaxBytes } from "../limits.ts";
import { canonicalText } from "./canonical.ts";
import { findContradictions, type Manifest, manifestSchema } from "./schema.ts";
import { sign, type SigningKey } from "./signature.ts";

/** A manifest as it is stored. */
export interface SealedManifest {
  readonly bytes: Uint8Array;
  /** The manifest's BLAKE3, hexadecimal. */
  readonly digest: string;
  /** Its first 16 digits. */
  readonly id: string;
  /** Id of the signing key, null without a signature. */
  readonly keyId: string | null;
}

/** A part of a sealed manifest, as a restore object. */
export interface ManifestPart {
  readonly name: string;
  /** From 1. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Seals a manifest, signed with `key` unless that is null. A manifest that no reader would take is refused here. */
export async function seal(manifest: Manifest, key: SigningKey | null): Promise<SealedManifest> {
  const checked = manifestSchema.safeParse(manifest);
  const faults = checked.success
    ? findContradictions(manifest)
    : checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  if (faults.length > 0) {
    throw new PluginError("internal", `Cannot seal the manifest: ${faults.slice(0, 3).join("; ")}`, {
      hint: "Report this; the backup is not usable.",
    });
  }
  const digest = blake3(new TextEncoder().encode(canonicalText(manifest))).toHex();
  const signature = key === null ? null : await sign(key, digest);
  const sealed = { blake3: digest, keyId: key?.id ?? null, manifest, signature };
  return {
    bytes: new TextEncoder().encode(canonicalText(sealed)),
    digest,
    id: digest.slice(0, 16),
    keyId: sealed.keyId,
  };
}

const partRoot = "podheitor-mongodb/manifest";

/** The parts of a sealed manifest, each small enough for a restore object. */
export function splitParts(sealed: SealedManifest, jobName: string, resource: string): ManifestPart[] {
  const parts = Math.ceil(sealed.bytes.length / restoreObjectMaxBytes);
  return Array.from({ length: parts }, (_, at) => ({
    name: `${partRoot}/${encodeURIComponent(jobName)}/${resource}/${at + 1}-of-${parts}`,
    index: at + 1,
    bytes: sealed.bytes.subarray(at * restoreObjectMaxBytes, (at + 1) * restoreObjectMaxBytes),
  }));
}

/** Puts parts together again: one sealed manifest for each job and resource among them. */
export function joinParts(
  parts: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Map<string, Uint8Array> {
  const groups = new Map<string, (Uint8Array | undefined)[]>();
  for (const { name, bytes } of parts) {
    const match = /^(podheitor-mongodb\/manifest\/[^/]+\/[^/]+)\/(\d{1,5})-of-(\d{1,5})$/.exec(name);
    const [part, of] = [Number(match?.[2]), Number(match?.[3])];
    if (match === null || part < 1 || part > of) throw unjoinable(`${name} is no name of a part`);
    const group = groups.get(match[1]!) ?? new Array<Uint8Array | undefined>(of).fill(undefined);
    if (group.length !== of || group[part - 1] !== undefined) {
      throw unjoinable(`${name} came twice or disagrees with another part`);
    }
    group[part - 1] = bytes;
    groups.set(match[1]!, group);
  }
  return new Map([...groups].map(([name, group]) => [name, concatenate(name, group)]));
}

function concatenate(name: string, group: readonly (Uint8Array | undefined)[]): Uint8Array {
  const whole = new Uint8Array(group.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  group.forEach((part, index) => {
    if (part === undefined) throw unjoinable(`${name}/${index + 1}-of-${group.length} is missing`);
    whole.set(part, at);
    at += part.length;
  });
  return whole;
}

function unjoinable(reason: string): PluginError {
  return new PluginError("manifestMissing", `Cannot put the manifest together: ${reason}`, {
    hint:
      "The catalog lost or changed restore objects of the job. The manifest is also in the backup itself: restore " +
      "/@mongodb/RESOURCE/manifest.JOB.json to a directory from a copy of the catalog, or rebuild the catalog.",
  });
}
