import { SeededRng } from '@core/base';
import type { Durability } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';
import { judge, runWorkload } from './support/workload.js';

describe('a journal after a power loss at every call', () => {
  it.each<[Durability, number, number]>([
    ['every', 1, 30],
    ['every', 2, 30],
    ['interval', 3, 30],
    ['none', 4, 50],
  ])('durability %s, seed %i', async (durability, seed, steps) => {
    const { instants, payloads } = await runWorkload(new SimDisk(), { durability, seed, steps });
    expect(instants.length).toBeGreaterThan(100);
    const rng = new SeededRng(seed);
    let states = 0;
    for (const instant of instants) {
      for (const disk of crashStates(instant.capture, { limit: 20, rng })) {
        states++;
        expect(await judge(disk, instant, payloads)).toBeNull();
      }
    }
    expect(states).toBeGreaterThan(1_000);
    console.log(states);
  });
});
