/** Runs tasks one at a time, in the order in which they were handed in. A failed task doesn't stop those behind it. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `task` does, once all tasks before it are over. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  }
}
