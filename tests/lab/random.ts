/** Numbers that are the same each time: Marsaglia's xorshift with 32 bits of state. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = 0x9e37_79b9 ^ (seed + 1);
  }

  /** An unsigned number of 32 bits, never 0. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** A pronounceable word of four to eight letters. */
  word(): string {
    let word = "";
    for (let left = 2 + this.below(3); left > 0; left--) {
      word += "bdfgklmnprstvz".charAt(this.below(14)) + "aeiou".charAt(this.below(5));
    }
    return word;
  }
}
