import { describe, expect, test } from 'vitest';

import { SeededRng } from '@core/base';
import { SHRINK_STOP, type Shrinker, ShrinkerRegistry, type Zone } from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import type { ShrinkerList } from '../src/internal/shrinker-list.js';
import { busted, caught, manual, type Manual, type MakeRegistry, turn } from './support.js';

// Passes, registrations and ends in any order, with scans that are answered in any order: what each party is promised
// is checked as it goes, and the books at the end.

interface Watched {
  shrinker: Shrinker;
  /** Set when free was called: no run may begin any more. */
  freeing: boolean;
  /** Set when free has resolved: no callback may be called any more. */
  gone: boolean;
  /** Scans that were called and not answered, at most one for each run in progress. */
  readonly open: Set<Manual>;
}

const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];

async function play(seed: number, steps: number, make: MakeRegistry): Promise<void> {
  const rng = new SeededRng(seed);
  const registry = make();
  const all: Watched[] = [];
  const errors: string[] = [];
  let freed = 0;
  let names = 0;
  // Passes that wait, and frees that wait.
  const waiting = new Set<Promise<unknown>>();
  const wait = (promise: Promise<unknown>): void => {
    waiting.add(promise);
    void promise.catch((error: unknown) => errors.push(String(error))).finally(() => waiting.delete(promise));
  };

  const register = (): void => {
    const watched: Watched = { shrinker: null as never, freeing: false, gone: false, open: new Set() };
    const called = (what: string): void => {
      if (watched.gone) {
        errors.push(`${watched.shrinker.name}: ${what} was called after its end`);
      }
    };
    let counted = 0;
    watched.shrinker = registry.alloc({
      name: `${names++}`,
      seeks: rng.below(4),
      batch: 1 + rng.below(40),
      zoneAware: rng.below(2) === 0,
      count: () => {
        called('count');
        if (watched.freeing) {
          errors.push(`${watched.shrinker.name}: a run began after free was called`);
        }
        counted = rng.below(60);
        return counted;
      },
      scan: (sc) => {
        called('scan');
        const looked = rng.below(8) === 0 ? 0 : 1 + rng.below(sc.nrToScan + 3);
        if (rng.below(2) === 0) {
          sc.nrScanned = looked;
          const result = rng.below(5) === 0 ? SHRINK_STOP : rng.below(sc.nrToScan + 1);
          freed += Math.max(result, 0);
          return result;
        }
        const answer = manual();
        watched.open.add(answer);
        return answer.promise.then((result) => {
          sc.nrScanned = looked;
          watched.open.delete(answer);
          return result;
        });
      },
    });
    registry.register(watched.shrinker);
    all.push(watched);
  };

  const free = (watched: Watched): void => {
    watched.freeing = true;
    wait(
      registry.free(watched.shrinker).then(() => {
        watched.gone = true;
        if (watched.open.size > 0) {
          errors.push(`${watched.shrinker.name}: free did not wait for ${watched.open.size} scans`);
        }
      }),
    );
  };

  const answered = new WeakSet<Manual>();
  const settleOne = (): void => {
    const open = all.flatMap((watched) => [...watched.open]).filter((answer) => !answered.has(answer));
    if (open.length > 0) {
      const result = rng.below(6) === 0 ? SHRINK_STOP : rng.below(30);
      const answer = rng.pick(open);
      freed += Math.max(result, 0);
      answered.add(answer);
      answer.resolve(result);
    }
  };

  for (let step = 0; step < steps; step++) {
    const request = { zone: rng.pick(ZONES), priority: rng.below(5) };
    const living = all.filter(({ freeing }) => !freeing);
    switch (rng.below(8)) {
      case 0:
        if (living.length < 6) {
          register();
        }
        break;
      case 1:
        if (living.length > 0) {
          free(rng.pick(living));
        }
        break;
      case 2:
        registry.shrinkSlabSync(request);
        break;
      case 3:
        wait(registry.shrinkSlab(request));
        break;
      case 4:
        await turn();
        break;
      case 5:
        if (living.length > 0) {
          registry.debug.rename(rng.pick(living).shrinker.name, `renamed ${names++}`);
        }
        break;
      default:
        settleOne();
    }
    checkRegistry(registry);
    expect(errors).toEqual([]);
  }

  for (let turns = 0; waiting.size > 0 || all.some(({ open }) => open.size > 0); turns++) {
    settleOne();
    await turn();
    checkRegistry(registry);
    expect(turns, 'somebody waits for ever').toBeLessThan(5000);
  }
  const disposed = registry[Symbol.asyncDispose]();
  await turn();
  expect(errors).toEqual([]);
  expect(registry.debug.list()).toEqual([]);
  await disposed;
  // Whatever a scan said it freed was booked once.
  expect(registry.stats().freed).toBe(freed);
}

async function playAll(first: number, count: number, make: MakeRegistry): Promise<void> {
  for (let seed = first; seed < first + count; seed++) {
    try {
      await play(seed, 120, make);
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
}

describe('random interleavings', () => {
  test('every party gets what it was promised', async () => {
    const first = Number(process.env['SEED'] ?? Date.now() % 1e9);
    await playAll(first, 120, () => new ShrinkerRegistry());
  });

  const twins: [string, (list: ShrinkerList) => Partial<ShrinkerList>][] = [
    [
      'free does not wait',
      (list) => ({
        retire(entry) {
          entry.refs = -entry.refs + 1;
          if (entry.refs === 0) {
            list.unlink(entry);
          } else {
            entry.gone = Promise.resolve();
          }
          return Promise.resolve();
        },
      }),
    ],
    [
      'a run begins after free',
      () => ({
        tryGet(entry) {
          if (entry.refs === 0) {
            return false;
          }
          entry.refs += Math.sign(entry.refs);
          return true;
        },
      }),
    ],
    [
      'unlinked before the wait',
      (list) => ({
        retire(entry) {
          entry.refs = -entry.refs + 1;
          list.unlink(entry);
          entry.gone = new Promise((resolve) => {
            entry.complete = resolve;
          });
          return entry.gone;
        },
      }),
    ],
  ];
  test.each(twins)('busted: %s', async (_name, methods) => {
    await caught(() => playAll(1, 40, busted(methods)));
    await turn();
  });
});
