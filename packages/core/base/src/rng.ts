/** Where randomness comes from. Tests pass a seeded one and print the seed. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number;
}

/** A seeded generator (mulberry32): same seed, same sequence; not for secrets. */
export class SeededRng implements Rng {
  readonly seed: number;
  #state: number;

  /** @param seed any integer; its low 32 bits count */
  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
