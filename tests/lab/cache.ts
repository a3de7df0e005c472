/**
 * What the tests fetch or build once: a folder an entry, in `.cache/` of the checkout or where `PODHEITOR_CACHE` points.
 *
 * @module
 */

const checkout = new URL("../../", import.meta.url).pathname;

/** The cache's folder; it may not exist yet. */
function cacheFolder(): string {
  return Deno.env.get("PODHEITOR_CACHE") || `${checkout}.cache`;
}

/**
 * The folder of a cache entry, made when it isn't there yet. An entry is there only as a whole, and only one process makes it.
 *
 * @param name the entry's file name, with the version in it: an entry never changes
 * @param purpose what is done and why, for the line of progress: "fetching mongod 6.0.5, as this machine has none"
 * @param make fills the new folder; nothing in it may depend on the folder's own path, which changes at the end
 */
export async function cached(
  name: string,
  purpose: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = `${cacheFolder()}/${name}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(cacheFolder(), { recursive: true });
  // The kernel drops the lock with its holder, so a killed maker blocks nobody.
  using lock = await Deno.open(`${cacheFolder()}/.${name}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(folder)) return folder;
  const partial = `${cacheFolder()}/.${name}.partial`;
  if (await exists(partial)) await Deno.remove(partial, { recursive: true });
  await Deno.mkdir(partial);
  await withProgress(purpose, () => make(partial));
  await Deno.rename(partial, folder);
  return folder;
}

/** Says on stderr what is being done, and how many seconds it took. */
export async function withProgress<T>(purpose: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  console.error(`lab: ${purpose} …`);
  const result = await work();
  console.error(`lab: ${purpose}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, (cause) => {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  });
}
