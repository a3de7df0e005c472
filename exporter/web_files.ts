/**
 * The files of a web configuration.
 *
 * @module
 */

import { parseWebConfig } from "./web_config.ts";

/** What a web configuration and its files say. */
export interface WebSettings {
  /** As PEM; null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Hashes of bcrypt by user; empty where nobody has to log in. */
  readonly users: ReadonlyMap<string, string>;
}

/** Longest of these files that is read. */
const maxBytes = 1 << 20;

/**
 * Reads them all, once.
 *
 * @throws Error with a sentence that names the file
 */
export async function readWebSettings(path: string): Promise<WebSettings> {
  const text = await readFile(path);
  const { tls, users } = saying(path, () => parseWebConfig(text));
  if (tls === null) return { tls: null, users };
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  const [cert, key] = [tls.certFile, tls.keyFile].map((file) =>
    file.startsWith("/") ? file : `${folder}/${file}`
  );
  return { tls: { cert: await readFile(cert!), key: await readFile(key!) }, users };
}

async function readFile(path: string): Promise<string> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > maxBytes) throw new Error(`it is no regular file of at most ${maxBytes} bytes`);
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) {
      throw new Error(`${path} can't be read: ${reasonOf(cause)}`);
    }
    throw new Error(
      `${path} may not be read: name each file in a line of its own in the web configuration, without a comma or a quote in it`,
    );
  }
}

function saying<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Error(`${path} can't be used: ${reasonOf(cause)}`);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
