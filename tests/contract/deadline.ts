/** Rejects when a conversation hangs: no verdict of the protocol needs a time limit to come true. */
export async function withDeadline<T>(work: Promise<T>, what: string, limitMs = 5000): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} hangs: no end after ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
