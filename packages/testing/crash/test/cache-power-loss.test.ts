import { SeededRng } from '@core/base';
import type { Durability } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';
import { type CacheWorkloadOptions, judgeRun, LARGE, runCacheWorkload } from './support/cache-workload.js';

describe('journal and store after a power loss at any instant', () => {
  it.each<[Durability, number]>([
    ['every', 1],
    ['interval', 2],
    ['none', 3],
  ])('durability %s, seed %i', async (durability, seed) => {
    const run = await runCacheWorkload(new SimDisk(), { durability, seed, steps: 25 });
    const { fault, states } = await judgeRun(run, 1, new SeededRng(seed));
    expect(fault).toBeNull();
    expect(states).toBeGreaterThan(500);
  });

  it.each<[Durability, number]>([
    ['every', 4],
    ['interval', 5],
  ])('with many keys, so that flushes are of some of them, durability %s, seed %i', async (durability, seed) => {
    const run = await runCacheWorkload(new SimDisk(), { durability, seed, steps: 400, scale: LARGE, noted: 0.05 });
    const { fault, states } = await judgeRun(run, 1, new SeededRng(seed));
    expect(fault).toBeNull();
    expect(states).toBeGreaterThan(100);
  });

  it('every byte of a torn write, and every choice of what else arrived', async () => {
    const run = await runCacheWorkload(new SimDisk(), { seed: 6, steps: 2 });
    const { fault, states } = await judgeRun(run, 100, new SeededRng(6));
    expect(fault).toBeNull();
    expect(states).toBeGreaterThan(500);
  });

  it.each([7, 8])('again and again, also within a replay, seed %i', async (seed) => {
    const rng = new SeededRng(seed);
    let disk = new SimDisk();
    for (let life = 1; life <= 6; life++) {
      // Every other one opens, and no more.
      const run = await runCacheWorkload(disk, { seed: seed * 100 + life, steps: life % 2 === 0 ? 0 : 10, noted: 0.3 });
      expect((await judgeRun(run, 1, rng)).fault, `life ${life}`).toBeNull();
      disk = rng.pick([...crashStates(rng.pick(run.instants).capture, { limit: 10, rng })]);
    }
  });
});

/** Ways to break a cache, with what is needed to see it. */
const BUSTS: Readonly<Record<string, Partial<CacheWorkloadOptions>>> = {
  'has a mark ahead of its pins': {
    scale: LARGE,
    bust({ flusher }) {
      flusher.lowWithoutBatch = () => Infinity;
    },
  },
  'drops a pin before the store has synced': {
    bust({ flusher, journal }) {
      const { write } = flusher;
      flusher.write = (last: number) => {
        for (const { key } of flusher.batch.taken) {
          journal.unpin(key.pinned.pin);
        }
        return write.call(flusher, last);
      };
    },
  },
  'never pins': {
    bust({ core: { pins }, journal }) {
      const { add } = pins;
      pins.add = (key: any, sequence: number) => {
        add.call(pins, key, sequence);
        journal.unpin(key.pinned.pin);
      };
    },
  },
  'writes to the store before the journal has synced': {
    durability: 'interval',
    scale: LARGE,
    bust({ flusher }) {
      const { journal } = flusher.options;
      const early = {
        sync: async () => {},
        get lastSequence() {
          return journal.lastSequence;
        },
        get durableSequence() {
          return journal.lastSequence;
        },
      };
      flusher.options = { ...flusher.options, journal: early };
    },
  },
  'trusts a store that tells of a batch before it has it': { lies: { early: true } },
};

describe('the same checks catch a cache that', () => {
  it.each(Object.entries(BUSTS))('%s', async (_, options) => {
    const { scale } = options;
    let fault: string | null = null;
    for (let seed = 1; seed <= 10 && fault === null; seed++) {
      const size = scale === LARGE ? { steps: 400, noted: 0.02 } : { steps: 25, noted: 0.3 };
      const run = await runCacheWorkload(new SimDisk(), { seed, ...size, ...options });
      ({ fault } = await judgeRun(run, 1, new SeededRng(seed)));
    }
    expect(fault).toMatch(/is of no moment/);
  });
});
