import { describe, it } from 'vitest';
import { runModel } from './support/model-run.js';

describe('a cache and the source it stands before', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i', (seed) => {
    runModel({ seed, steps: 800 });
  });

  it.each([11, 12, 13])('that evicts all the time, seed %i', (seed) => {
    runModel({ seed, steps: 800, options: { max: 4, maxNegative: 1, maxListedTotal: 4, maxPaths: 8 } });
  });

  it.each([21, 22])('without listings, seed %i', (seed) => {
    runModel({ seed, steps: 800, options: { maxListed: 0 } });
  });

  it.each([31, 32])('that lists late, seed %i', (seed) => {
    runModel({ seed, steps: 800, options: { listAfter: 3, maxNegative: 0 } });
  });

  it.each([41, 42])('of a source that fails, seed %i', (seed) => {
    runModel({ seed, steps: 800, faults: 0.05 });
  });

  it.each([51, 52])('of a source that tells no kinds, seed %i', (seed) => {
    runModel({ seed, steps: 800, tellsKinds: false });
  });

  it.each([61, 62])('of a source in which case does not count, seed %i', (seed) => {
    runModel({ seed, steps: 800, caseSensitive: false });
  });

  it('that believes nothing', () => {
    runModel({ seed: 71, steps: 800, options: { policy: { validUntil: () => 0 }, clock: { now: () => 1 } } });
  });
});
