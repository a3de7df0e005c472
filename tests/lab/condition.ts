/** Waiting for something to become true: the tests' only way to wait. */

/** A probe's answer: `null`, `undefined` and `false` mean "not yet". */
type Answer<T> = T | null | undefined | false;

/**
 * Asks `probe` again and again until it gives a value, and returns that value.
 *
 * @param what what is awaited, for the error: "mongod 27017 to accept connections"
 * @throws Error when the deadline has passed, and whatever `probe` throws, at once
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  probe: () => Answer<T> | Promise<Answer<T>>,
): Promise<T> {
  const started = performance.now();
  while (true) {
    const answer = await probe();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    const elapsedMs = performance.now() - started;
    if (elapsedMs > deadlineMs) {
      throw new Error(`Waited ${Math.round(elapsedMs / 1000)} s in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, elapsedMs < 1000 ? 15 : 50));
  }
}
