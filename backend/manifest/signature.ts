/**
 * Ed25519 keys that sign manifests and keys that are trusted to have signed them.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { checkSecretMode, type SecretReader } from "../options/credentials.ts";
import type { Secret } from "../secret.ts";

const algorithm = { name: "Ed25519" };
/** PKCS #8 and SubjectPublicKeyInfo of Ed25519 in DER: a fixed head, then the 32 bytes of seed or key. */
const privateHead = Uint8Array.fromHex("302e020100300506032b657004220420");
const publicHead = Uint8Array.fromHex("302a300506032b6570032100");
const keyBytes = 32;

/** A key that signs. Its id is the first 16 hexadecimal digits of the BLAKE3 of its public half. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: TrustedKey;
}

/** A key that is trusted. */
export interface TrustedKey {
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
  const isPath = text.startsWith("/") && base64Key(text) === null;
  if (!isPath) return await importPrivate(text, keyVariable);
  // A mistyped seed isn't to be shown as a path that isn't there.
  if (/^[\w+/]{40,46}=?$/.test(text)) {
    await read(text).catch(() => {
      throw unusable(keyVariable, "it is neither the base64 of a 32-byte seed nor a file that can be read");
    });
  }
  const file = await readKeyFile(text, read);
  checkSecretMode(text, file.mode);
  return await importPrivate(file.text.trim(), text);
}

/** Reads the trusted public keys of files separated by colons: PEM, or the base64 of 32 bytes a line; `#` begins a comment. */
export async function loadTrustedKeys(paths: string, read: SecretReader): Promise<TrustedKey[]> {
  const keys: TrustedKey[] = [];
  for (const path of paths.split(":").filter((path) => path !== "")) {
    const { text } = await readKeyFile(path, read);
    const found = readPublicKeys(text);
    if (found.length === 0) throw unusable(path, "it holds no Ed25519 public key");
    for (const raw of found) keys.push(await importPublic(raw, path));
  }
  if (keys.length === 0) throw unusable("PODHEITOR_MONGODB_TRUSTED_KEYS", "it names no file");
  return keys;
}

/** The base64 signature over a manifest's digest. */
export async function sign(key: SigningKey, digest: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.sign(algorithm, key.privateKey, signedMessage(digest)))
    .toBase64();
}

/** Whether a signature over a digest is the key's own. */
export async function verifySignature(
  { key }: TrustedKey,
  digest: string,
  signature: string,
): Promise<boolean> {
  return await crypto.subtle.verify(algorithm, key, Uint8Array.fromBase64(signature), signedMessage(digest));
}

async function readKeyFile(path: string, read: SecretReader) {
  try {
    return await read(path);
  } catch (cause) {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause));
  }
}

async function importPrivate(text: string, origin: string): Promise<SigningKey> {
  const seed = pemBody(text, "PRIVATE KEY", privateHead) ?? base64Key(text);
  if (seed === null) {
    throw unusable(origin, "it is neither a PKCS #8 PEM of an Ed25519 key nor the base64 of a 32-byte seed");
  }
  const der = new Uint8Array([...privateHead, ...seed]);
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await importPublic(Uint8Array.fromBase64(x ?? "", { alphabet: "base64url" }), origin);
  return { id: publicKey.id, privateKey, publicKey };
}

async function importPublic(raw: Uint8Array<ArrayBuffer>, origin: string): Promise<TrustedKey> {
  try {
    const key = await crypto.subtle.importKey("raw", raw, algorithm, true, ["verify"]);
    return { id: blake3(raw).toHex().slice(0, 16), key };
  } catch (cause) {
    throw unusable(origin, cause instanceof Error ? cause.message : String(cause));
  }
}

function readPublicKeys(text: string): Uint8Array<ArrayBuffer>[] {
  const keys: Uint8Array<ArrayBuffer>[] = [];
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
  for (const block of blocks) {
    const raw = pemBody(block, "PUBLIC KEY", publicHead);
    if (raw !== null) keys.push(raw);
  }
  const lines = blocks.length > 0
    ? []
    : text.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
  for (const line of lines) {
    const raw = base64Key(line);
    if (raw !== null) keys.push(raw);
  }
  return keys;
}

/** The 32 bytes behind the fixed head of a PEM block, or null where it isn't such a block. */
function pemBody(text: string, label: string, head: Uint8Array): Uint8Array<ArrayBuffer> | null {
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

function base64Key(text: string): Uint8Array<ArrayBuffer> | null {
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

function unusable(origin: string, reason: string): PluginError {
  return new PluginError("signingKey", `Cannot use the key of ${origin}: ${reason}`, {
    hint:
      "Make a key with: openssl genpkey -algorithm ed25519 -out KEY, chmod 0600 KEY; its public half with: openssl pkey -in KEY -pubout",
  });
}
