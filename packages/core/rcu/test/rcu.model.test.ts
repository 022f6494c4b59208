import { describe, expect, it } from 'vitest';
import { BUSTED_FLAVORS, type Bust } from './support/bust.js';
import { fuzzRcu } from './support/fuzz-rcu.js';

const RANDOM_SEED = Math.floor(Math.random() * 2 ** 32);
const FIXED_SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

/** Breaks of what a turn is. */
const BUSTED_TURNS: Readonly<Record<string, Bust>> = {
  'takes a microtask for a turn'(_rcu, loop) {
    loop.nextTurn = (callback) => queueMicrotask(callback);
  },
};

describe('Rcu against the model', () => {
  it(`holds for random operations, seed ${RANDOM_SEED}`, async () => {
    for (let i = 0; i < 40; i++) {
      await fuzzRcu(RANDOM_SEED + i);
    }
  });

  it('holds for the fixed seeds', async () => {
    for (const seed of FIXED_SEEDS) {
      await fuzzRcu(seed);
    }
  });

  it.each(Object.entries({ ...BUSTED_FLAVORS, ...BUSTED_TURNS }))('catches a domain that %s', async (_name, bust) => {
    await expect(fuzzAll(bust)).rejects.toThrow(/^Seed/);
  });
});

async function fuzzAll(bust: Bust): Promise<void> {
  for (const seed of FIXED_SEEDS) {
    await fuzzRcu(seed, bust);
  }
}
