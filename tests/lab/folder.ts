/**
 * A folder for as long as a test.
 *
 * @module
 */

/** Makes a folder, and removes it with all that it holds when it was used. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
