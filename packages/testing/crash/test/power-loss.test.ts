import { SeededRng } from '@core/base';
import type { Durability } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';
import { judgeAll, runWorkload, type WorkloadOptions } from './support/workload.js';

describe('a journal after a power loss at any instant', () => {
  it.each<[Durability, number, number]>([
    ['every', 1, 20],
    ['every', 2, 20],
    ['interval', 3, 20],
    ['none', 4, 20],
  ])('durability %s, seed %i', async (durability, seed, steps) => {
    const result = await runWorkload(new SimDisk(), { durability, seed, steps });
    const { fault, states } = await judgeAll(result, { limit: 16, rng: new SeededRng(seed) });
    expect(fault).toBeNull();
    expect(states).toBeGreaterThan(500);
  });

  it('every byte of a torn write, and every choice of what else arrived', async () => {
    const result = await runWorkload(new SimDisk(), { durability: 'every', seed: 5, steps: 3 });
    const { fault } = await judgeAll(result, { limit: 1_500, rng: new SeededRng(5) });
    expect(fault).toBeNull();
  });

  it.each([6, 7, 8])('again and again, seed %i', async (seed) => {
    const rng = new SeededRng(seed);
    let disk = new SimDisk();
    let earlier: Pick<WorkloadOptions, 'after' | 'payloads'> = {};
    for (let life = 1; life <= 5; life++) {
      const durability = rng.pick<Durability>(['every', 'interval', 'none']);
      const result = await runWorkload(disk, { durability, seed: seed + life * 100, steps: 12, life, ...earlier });
      expect((await judgeAll(result, { limit: 3, rng })).fault, `life ${life}`).toBeNull();
      const after = rng.pick(result.instants);
      disk = rng.pick([...crashStates(after.capture, { limit: 10, rng })]);
      earlier = { after, payloads: result.payloads };
    }
  });
});
