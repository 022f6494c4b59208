import { describe, expect, it } from 'vitest';
import type { Srcu, SrcuIndex } from '../src/index.js';
import { BUSTED_FLAVORS } from './support/bust.js';
import { exhaustSrcu } from './support/exhaust-srcu.js';
import { fuzzSrcu } from './support/fuzz-srcu.js';

const RANDOM_SEED = Math.floor(Math.random() * 2 ** 32);
const FIXED_SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

/** Breaks of what a reader of this flavour is. */
const BUSTED_READERS: Readonly<Record<string, (srcu: Srcu) => void>> = {
  'does not count every reader'(srcu) {
    const { readLock, readUnlock } = srcu;
    const uncounted = new Set<SrcuIndex>();
    let locks = 0;
    srcu.readLock = () => {
      const index = readLock.call(srcu);
      if (++locks % 4 === 0) {
        readUnlock.call(srcu, index);
        const nothing = { domain: srcu };
        uncounted.add(nothing);
        return nothing;
      }
      return index;
    };
    srcu.readUnlock = (index) => {
      if (!uncounted.delete(index)) {
        readUnlock.call(srcu, index);
      }
    };
  },
  'ends a reader where it awaits'(srcu) {
    srcu.read = (section: () => unknown): any => {
      const index = srcu.readLock();
      const result = section();
      srcu.readUnlock(index);
      return result;
    };
  },
  'never ends the section of a guard'(srcu) {
    const { guard } = srcu;
    srcu.guard = (label) => {
      const real = guard.call(srcu, label);
      real.release = () => {};
      return real;
    };
  },
};

describe('Srcu against the model', () => {
  it(`holds for random operations, seed ${RANDOM_SEED}`, async () => {
    for (let i = 0; i < 40; i++) {
      await fuzzSrcu(RANDOM_SEED + i);
    }
  });

  it('holds for the fixed seeds', async () => {
    for (const seed of FIXED_SEEDS) {
      await fuzzSrcu(seed);
    }
  });

  it.each(Object.entries({ ...BUSTED_FLAVORS, ...BUSTED_READERS }))('catches a domain that %s', async (_name, bust) => {
    await expect(fuzzAll(bust)).rejects.toThrow(/^Seed/);
  });
});

describe('Srcu, every sequence of operations', () => {
  it('holds for five operations', () => {
    expect(exhaustSrcu(5)).toBe(7 ** 5);
  });

  it.each([
    'counts the rest of the running grace period',
    'says that a grace period is over when it starts',
    'runs callbacks in the next turn, whoever reads',
    'starts no grace period for startPoll',
    'lets the process exit',
  ] as const)('catches a domain that %s', (name) => {
    expect(() => exhaustSrcu(5, BUSTED_FLAVORS[name])).toThrow(/^Sequence/);
  });
});

async function fuzzAll(bust: (srcu: Srcu, loop: any) => void): Promise<void> {
  for (const seed of FIXED_SEEDS) {
    await fuzzSrcu(seed, bust);
  }
}
