/**
 * Secrets that the backends of all tests know, and that must be found in nothing that they leave or say.
 *
 * @module
 */

/** Letters and digits alone: hardly any encoding changes it. */
const core = "c4n4ryS3cret";

/** The secrets. */
export const canary = {
  /** A password with all that percent-encoding, JSON and shells mind. */
  password: `${core}@:/%"'\\ ${core}`,
  /** A key that signs: 32 bytes in base64. */
  signingKey: btoa(`${core}.of-the-signing-key.`),
} as const;

/** The core in base64 depends on how many bytes stand before it, modulo 3; its last character may depend on what follows. */
const inBase64 = [0, 1, 2].map((before) =>
  btoa(" ".repeat(before) + core).slice(Math.ceil(before * 4 / 3)).replace(/.?=+$/, "")
);
const inHex = new TextEncoder().encode(core).toHex();
const needles = [core, ...inBase64, inHex, inHex.toUpperCase()];

/**
 * Looks for the secrets, as they are, percent-encoded, in JSON, in base64 (whatever stands before them) and in hexadecimal.
 *
 * @param paths files, and folders with all that is below them
 * @param texts by what they are
 * @returns paths and names where there is one
 */
export async function findCanary(
  paths: readonly string[],
  texts: Readonly<Record<string, string>>,
): Promise<string[]> {
  const patterns = needles.flatMap((needle) => ["-e", needle]);
  const { code, stdout, stderr } = await new Deno.Command("grep", {
    args: ["-rlaF", ...patterns, "--", ...paths],
  }).output();
  // 1: nothing found; more: something could not be read.
  if (code > 1) throw new Error(`Cannot look for secrets: ${new TextDecoder().decode(stderr)}`);
  const files = new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "");
  const said = Object.entries(texts).filter(([, text]) => needles.some((needle) => text.includes(needle)));
  return [...files, ...said.map(([name]) => name)];
}
