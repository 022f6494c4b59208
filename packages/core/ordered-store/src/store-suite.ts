import { atomicityCases } from './internal/suite/atomicity.js';
import { basicCases } from './internal/suite/basics.js';
import type { StoreCase, StorePlace, StoreSupports } from './internal/suite/case.js';
import { inputCases } from './internal/suite/input.js';
import { lifeCases } from './internal/suite/life.js';
import { modelCases } from './internal/suite/model.js';
import { rangeCases } from './internal/suite/ranges.js';
import { snapshotCases } from './internal/suite/snapshots.js';

export interface StoreSuiteOptions {
  /** Registers a test: `test` of vitest, of `node:test`, of tape with a wrapper. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  /** A fresh place, with nothing in it. */
  readonly factory: () => StorePlace | Promise<StorePlace>;
  readonly supports: StoreSupports;
  /** Of the random operations. Default: 1 to 6. */
  readonly seeds?: readonly number[];
}

const SEEDS: readonly number[] = [1, 2, 3, 4, 5, 6];

/**
 * The tests that every `OrderedStore` must pass, with no test framework of its own.
 *
 * Each registered test opens a place of its own, and removes it.
 */
export function storeSuite({ test, factory, supports, seeds = SEEDS }: StoreSuiteOptions): void {
  const cases: readonly StoreCase[] = [
    ...basicCases,
    ...inputCases,
    ...rangeCases,
    ...snapshotCases,
    ...atomicityCases,
    ...lifeCases,
    ...modelCases(seeds),
  ];
  for (const { name, needs, run } of cases) {
    if (needs === undefined || supports[needs]) {
      test(name, async () => {
        const place = await factory();
        try {
          await run(place, supports);
        } finally {
          await place.remove?.();
        }
      });
    }
  }
}
