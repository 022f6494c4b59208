import { describe, expect, it } from 'vitest';
import { BUSTS } from './support/busts.js';
import { type Bust, fuzzPending } from './support/fuzz-pending.js';

const RANDOM_SEED = Math.floor(Math.random() * 2 ** 32);
const FIXED_SEEDS = 300;

describe('RcuPending against the model', () => {
  it(`holds for random operations, seed ${RANDOM_SEED}`, async () => {
    for (let i = 0; i < 300; i++) {
      await fuzzPending(RANDOM_SEED + i);
    }
  });

  it('holds for the fixed seeds', () => fuzzAll());

  it.each(Object.entries(BUSTS))('catches a pending that %s', async (_name, bust) => {
    await expect(fuzzAll(bust)).rejects.toThrow(/^Seed/);
  });
});

async function fuzzAll(bust?: Bust): Promise<void> {
  for (let seed = 0; seed < FIXED_SEEDS; seed++) {
    await fuzzPending(seed, bust);
  }
}
