import { SeededRng } from '@core/base';
import { Rcu } from '@core/rcu';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ObjectCache } from '../../src/index.js';
import { LRUCache } from '../../src/lru-compat/index.js';
import { TestLoop } from '../support/test-loop.js';

const KEYS = 12;
const STEPS = 400;

/** A cache, what it said of values that left, and how many sections are in use. */
class Subject {
  readonly cache: LRUCache<string, { n: number }>;
  readonly loop = new TestLoop();
  readonly told: string[] = [];
  private readonly ends: (() => void)[] = [];

  constructor(options: Pick<LRUCache.OptionsBase<string, { n: number }, unknown>, 'dispose' | 'fetchMethod'>) {
    const { loop } = this;
    this.cache = new LRUCache<string, { n: number }>({
      max: 8,
      dispose: (value, key, reason) => this.told.push(`${key}=${value.n} ${reason}`),
      ...options,
      perf: { now: () => 1000 + loop.timeMs },
      ttlResolution: 0,
      reclaim: { rcu: new Rcu({ clock: loop, scheduler: loop }), scheduler: loop },
    });
  }

  /** Until {@link end}. */
  hold(key: string): number | undefined {
    let held: number | undefined;
    void this.cache.use(key, async ({ n }) => {
      held = n;
      await new Promise<void>((resolve) => {
        this.ends.push(resolve);
      });
    });
    return held;
  }

  async end(): Promise<void> {
    for (const end of this.ends.splice(0)) {
      end();
    }
    await new Promise(setImmediate);
    this.loop.runSync();
  }
}

type AnyCache = ObjectCache<any, any>;
type Step = (subject: Subject) => unknown;

function randomStep(rng: SeededRng, values: readonly { n: number }[], ages: boolean): Step {
  const key = `k${rng.below(KEYS)}`;
  const value = rng.pick(values);
  const options = ages && rng.below(4) === 0 ? { ttl: 1 + rng.below(20) } : { noDisposeOnSet: rng.below(8) === 0 };
  const clears = rng.below(20) === 0;
  const steps: readonly Step[] = [
    ({ cache }) => void cache.set(key, value),
    ({ cache }) => void cache.set(key, value),
    ({ cache }) => void cache.set(key, value, options),
    ({ cache }) => cache.get(key)?.n,
    ({ cache }) => cache.get(key, { updateAgeOnGet: true })?.n,
    ({ cache }) => cache.peek(key)?.n,
    ({ cache }) => [cache.has(key), cache.size, cache.getRemainingTTL(key)],
    ({ cache }) => cache.delete(key),
    ({ cache }) => cache.pop()?.n,
    ({ cache }) => cache.find(({ n }) => n === value.n)?.n,
    ({ cache }) => [...cache.keys(), ...cache.rkeys()],
    ({ cache }) => cache.dump().map(([name, { value: of }]) => [name, of.n]),
    (subject) => subject.hold(key),
    ({ loop }) => {
      loop.timeMs += 5;
    },
    ({ cache }) => void (clears ? cache.clear() : cache.set(key, undefined)),
  ];
  return rng.pick(steps);
}

/** One cache that has values themselves as long as it can, and one that has entries from the start. */
async function compare(seed: number, ages: boolean): Promise<void> {
  const rng = new SeededRng(seed);
  const values = Array.from({ length: 5 }, (_, n) => ({ n }));
  // Where nobody is told, entries are used again for other values.
  const options = rng.below(3) === 0 ? { dispose: undefined } : {};
  const bare = new Subject(options);
  const dressed = new Subject({ ...options, fetchMethod: () => undefined });
  for (let step = 0; step < STEPS; step++) {
    const act = randomStep(rng, values, ages && step > STEPS / 2);
    const now = rng.below(KEYS);
    if (now === 0) {
      await Promise.all([bare.end(), dressed.end()]);
    }
    expect(act(bare), `seed ${seed}, step ${step}`).toEqual(act(dressed));
    bare.cache.checkInvariants();
    dressed.cache.checkInvariants();
  }
  await Promise.all([bare.end(), dressed.end()]);
  expect(bare.told, `seed ${seed}`).toEqual(dressed.told);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a cache of bare values is as one of entries', () => {
  const seeds = Array.from({ length: 20 }, (_, seed) => seed);

  test.each(seeds)('seed %i', (seed) => compare(seed, false));

  test.each(seeds)('and when there are times to live later, seed %i', (seed) => compare(seed + 100, true));

  describe('busted', () => {
    const { removeSlot, exchangeAll } = ObjectCache.prototype;

    // Only caches of bare values call these.
    test.each([
      [
        'forgets why a value leaves',
        () =>
          vi.spyOn(ObjectCache.prototype, 'removeSlot').mockImplementation(function (this: AnyCache, slot) {
            removeSlot.call(this, slot, 'delete');
          }),
      ],
      [
        'makes entries of copies',
        () =>
          vi.spyOn(ObjectCache.prototype, 'exchangeAll').mockImplementation(function (this: AnyCache, exchange) {
            exchangeAll.call(this, (value, key) => exchange({ ...(value as object) }, key));
          }),
      ],
    ])('%s', async (_, bust) => {
      bust();
      await expect(async () => {
        for (const seed of seeds) {
          await compare(seed + 100, true);
        }
      }).rejects.toThrow(/^seed/);
    });
  });
});
