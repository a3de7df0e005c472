/**
 * Ed25519 keys that sign manifests and keys that are trusted to have signed them.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { checkSecretMode, type SecretReader } from "../options/credentials.ts";
import { Secret } from "../secret.ts";
import {
  decodeKey,
  decodePem,
  encodePem,
  keyBytes,
  privateHead,
  readKeyFile,
  unusableKey,
} from "./key_text.ts";

const algorithm = { name: "Ed25519" };

/** A key that signs. Its id is the first 16 hexadecimal digits of the BLAKE3 of its public half. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: PublicKey;
}

/** A public key, with its id. */
export interface PublicKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** What is signed: the name of the format and the manifest's digest, so that a signature means nothing elsewhere. */
function signedMessage(digest: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`podheitor-mongodb-manifest/1\n${digest}\n`);
}

const keyVariable = "PODHEITOR_MONGODB_SIGNING_KEY";

/**
 * Reads a signing key: PEM (PKCS #8), the base64 of a 32-byte seed, or the absolute path of a file with either.
 *
 * @throws PluginError `signingKey`; never with key material in its text
 */
export async function loadSigningKey(value: Secret, read: SecretReader): Promise<SigningKey> {
  const text = value.reveal().trim();
  // The base64 of a seed may begin with a slash, too.
  const isPath = text.startsWith("/") && decodeKey(text) === null;
  if (!isPath) return await importPrivate(text, keyVariable);
  // A mistyped seed isn't to be shown as a path that isn't there.
  if (/^[\w+/]{40,46}=?$/.test(text)) {
    await read(text).catch(() => {
      throw unusableKey(
        keyVariable,
        "it is neither the base64 of a 32-byte seed nor a file that can be read",
      );
    });
  }
  const file = await readKeyFile(text, read);
  checkSecretMode(text, file.mode);
  return await importPrivate(file.text.trim(), text);
}

/** A new key, and the PEM that {@linkcode loadSigningKey} reads it from. */
export async function makeSigningKey(): Promise<{ key: SigningKey; pem: Secret }> {
  const pem = encodePem("PRIVATE KEY", privateHead, crypto.getRandomValues(new Uint8Array(keyBytes)));
  return { key: await importPrivate(pem.trim(), "a new key"), pem: new Secret(pem) };
}

/** The public half's 32 bytes as base64: how lists of trusted keys name it. */
export async function publicText({ key }: PublicKey): Promise<string> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key)).toBase64();
}

/** A public key of 32 bytes. */
export async function importPublic(raw: Uint8Array<ArrayBuffer>, origin: string): Promise<PublicKey> {
  try {
    const key = await crypto.subtle.importKey("raw", raw, algorithm, true, ["verify"]);
    return { id: blake3(raw).toHex().slice(0, 16), key };
  } catch (cause) {
    throw unusableKey(origin, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The base64 signature over a manifest's digest. */
export async function sign(key: SigningKey, digest: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.sign(algorithm, key.privateKey, signedMessage(digest)))
    .toBase64();
}

/** Whether a signature over a digest is the key's own. */
export async function verifySignature(
  { key }: PublicKey,
  digest: string,
  signature: string,
): Promise<boolean> {
  return await crypto.subtle.verify(algorithm, key, Uint8Array.fromBase64(signature), signedMessage(digest));
}

async function importPrivate(text: string, origin: string): Promise<SigningKey> {
  const seed = decodePem(text, "PRIVATE KEY", privateHead) ?? decodeKey(text);
  if (seed === null) {
    throw unusableKey(
      origin,
      "it is neither a PKCS #8 PEM of an Ed25519 key nor the base64 of a 32-byte seed",
    );
  }
  const der = new Uint8Array([...privateHead, ...seed]);
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await importPublic(Uint8Array.fromBase64(x ?? "", { alphabet: "base64url" }), origin);
  return { id: publicKey.id, privateKey, publicKey };
}
