/**
 * Ed25519 keys as text: PEM, or the base64 of 32 bytes.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { SecretFile, SecretReader } from "../options/credentials.ts";

/** PKCS #8 and SubjectPublicKeyInfo of Ed25519 in DER: a fixed head, then the 32 bytes of seed or key. */
export const privateHead = Uint8Array.fromHex("302e020100300506032b657004220420");
export const publicHead = Uint8Array.fromHex("302a300506032b6570032100");
export const keyBytes = 32;

/** A key's file; a failure says which one. */
export async function readKeyFile(path: string, read: SecretReader): Promise<SecretFile> {
  try {
    return await read(path);
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    throw unusableKey(path, cause instanceof Error ? cause.message : String(cause));
  }
}

/** A PEM block of 32 bytes behind their fixed head. */
export function encodePem(label: string, head: Uint8Array, raw: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${
    new Uint8Array([...head, ...raw]).toBase64()
  }\n-----END ${label}-----\n`;
}

/** The 32 bytes behind the fixed head of a PEM block, or null where it isn't such a block. */
export function decodePem(text: string, label: string, head: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const match = new RegExp(`^-----BEGIN ${label}-----\\s([A-Za-z0-9+/=\\s]+)-----END ${label}-----$`).exec(
    text,
  );
  if (match === null) return null;
  const der = decodeBase64(match[1]!.replace(/\s/g, ""));
  if (der === null || der.length !== head.length + keyBytes || !head.every((byte, at) => der[at] === byte)) {
    return null;
  }
  return der.slice(head.length);
}

/** The 32 bytes of a base64 text, or null where it is none of them. */
export function decodeKey(text: string): Uint8Array<ArrayBuffer> | null {
  const raw = decodeBase64(text);
  return raw?.length === keyBytes ? raw : null;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

/** The failure for a key that is no key, or can't be read. */
export function unusableKey(origin: string, reason: string): PluginError {
  return new PluginError("signingKey", `Cannot use the key of ${origin}: ${reason}`, {
    hint:
      "Make a key with: podheitor-mongodb-backend keygen FILE. It leaves the private half in FILE and the public one, as lists of trusted keys have it, in FILE.pub.",
  });
}
