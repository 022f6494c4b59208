import { SeededRng } from '@core/base';
import { delayedSource, faultySource, memorySource } from '@core/fs-source';
import { Rcu } from '@core/rcu';
import { expect } from 'vitest';
import { DentryCache, type DentryCacheOptions, type PlainInode } from '../../src/index.js';
import { check, treeOf } from './insides.js';
import { cacheOutcome, cacheOutcomeLater, outcomeOf, sourceOutcome } from './outcome.js';
import { applyChange, Paths, randomName, randomPath } from './random-tree.js';
import { TestLoop } from './test-loop.js';

export interface ConcurrentRun {
  readonly seed: number;
  readonly steps: number;
  readonly options?: Partial<DentryCacheOptions<PlainInode>>;
  readonly faults?: number;
  /** Breaks the cache, to see whether that is noticed. */
  readonly sabotage?: (cache: DentryCache) => void;
}

/**
 * Walks that wait for the source, each call for as long as it likes, with changes, synchronous walks and evictions in
 * between. When all is quiet, everything that is cached must be so in the source.
 */
export async function runConcurrently({
  seed,
  steps,
  options = {},
  faults = 0,
  sabotage,
}: ConcurrentRun): Promise<number> {
  const rng = new SeededRng(seed);
  const loop = new TestLoop(rng);
  let nowMs = 1;
  const memory = memorySource({ clock: { now: () => nowMs } });
  const faulty = faultySource(memory, { faults: [{ code: 'EIO', rate: faults }], rng });
  const source = delayedSource(faulty, 1, loop, 'both');
  const live = new Set<PlainInode>();
  const errors: unknown[] = [];
  const cache = new DentryCache<PlainInode>({
    source,
    rcu: new Rcu({ scheduler: loop }),
    inodes: {
      instantiate(stats) {
        const inode = { stats };
        live.add(inode);
        return inode;
      },
      release(inode) {
        expect(live.delete(inode)).toBe(true);
      },
    },
    onError: (error) => void errors.push(error),
    ...options,
  });
  sabotage?.(cache);
  const paths = new Paths(rng);
  const running = new Set<Promise<unknown>>();
  const start = (work: Promise<unknown>): void => {
    running.add(work);
    void work.then(() => running.delete(work));
  };
  for (let step = 0; step < steps; step++) {
    nowMs++;
    const path = paths.next();
    const follow = rng.below(2) === 0;
    switch (rng.below(12)) {
      case 0:
      case 1:
      case 2:
        faulty.active = false;
        applyChange(rng, memory, cache);
        faulty.active = true;
        break;
      case 3:
        if (rng.below(4) === 0) {
          cache.prune(1 + rng.below(8));
        }
        break;
      case 4: {
        // Whatever is on its way: what is told at once is so now.
        const found = cacheOutcome(cache, path, follow);
        if (found !== 'EIO') {
          expect(found, `seed ${seed}, step ${step}, ${path}`).toBe(sourceOutcome(memory, path, follow));
        }
        break;
      }
      case 5:
        start(cache.readdir(path).then(String, String));
        break;
      case 6:
      case 7:
        await loop.step();
        break;
      default:
        start(cacheOutcomeLater(cache, path, follow));
        start(cacheOutcomeLater(cache, randomPath(rng), follow));
    }
    check(cache, running.size === 0 ? [] : null);
  }
  await loop.runAll();
  expect(running.size).toBe(0);
  faulty.active = false;
  const { restarts } = cache.stats();
  check(cache);
  for (let turn = 0; turn < 60; turn++) {
    const path = turn < 30 ? randomName(rng) : randomPath(rng);
    expect(cacheOutcome(cache, path, true), `seed ${seed}, ${path}`).toBe(sourceOutcome(memory, path, true));
    const listed = outcomeOf(() =>
      String(
        cache
          .readdirSync(path)
          .map(({ name }) => name)
          .toSorted(),
      ),
    );
    expect(listed, `seed ${seed}, ${path}`).toBe(
      outcomeOf(() =>
        String(
          memory
            .readdirSync(path)
            .map(({ name }) => name)
            .toSorted(),
        ),
      ),
    );
  }
  check(cache);
  expect(treeOf(cache).root.refs).toBeGreaterThan(0);
  const closed = cache.close();
  await loop.runAll();
  await closed;
  expect(cache.stats()).toMatchObject({ dentries: 0, negative: 0, listings: 0, listedNames: 0, pending: 0 });
  expect([live.size, errors]).toEqual([0, []]);
  return restarts;
}
