import { describe, expect, it } from 'vitest';
import { runConcurrently } from './support/concurrent-run.js';

describe('walks that wait, while the file system changes', () => {
  it('leave nothing behind that is not so', async () => {
    let restarts = 0;
    for (let seed = 1; seed <= 12; seed++) {
      restarts += await runConcurrently({ seed, steps: 400 });
    }
    // Else nothing was ever overtaken.
    expect(restarts).toBeGreaterThan(10);
  });

  it('without listings', async () => {
    for (let seed = 21; seed <= 25; seed++) {
      await runConcurrently({ seed, steps: 400, options: { maxListed: 0 } });
    }
  });

  it('with evictions all the time', async () => {
    for (let seed = 31; seed <= 35; seed++) {
      await runConcurrently({ seed, steps: 400, options: { max: 4, maxNegative: 1, maxListedTotal: 3 } });
    }
  });

  it('of a source that fails', async () => {
    for (let seed = 41; seed <= 45; seed++) {
      await runConcurrently({ seed, steps: 400, faults: 0.1 });
    }
  });

  it('of a cache that believes nothing', async () => {
    for (let seed = 51; seed <= 53; seed++) {
      await runConcurrently({
        seed,
        steps: 300,
        options: { policy: { validUntil: () => 0 }, clock: { now: () => 1 } },
      });
    }
  });
});
