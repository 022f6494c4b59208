import { SeededRng } from '@core/base';
import { delayedSource, faultySource, memorySource } from '@core/fs-source';
import { Rcu } from '@core/rcu';
import { describe, expect, it } from 'vitest';
import { DentryCache, type DentryCacheOptions, type PlainInode } from '../src/index.js';
import { check, treeOf } from './support/insides.js';
import { cacheOutcome, cacheOutcomeLater, outcomeOf, sourceOutcome } from './support/outcome.js';
import { applyChange, randomName, randomPath } from './support/random-tree.js';
import { TestLoop } from './support/test-loop.js';

interface Run {
  readonly seed: number;
  readonly steps: number;
  readonly options?: Partial<DentryCacheOptions<PlainInode>>;
  readonly faults?: number;
}

/**
 * Walks that wait for the source, each call for as long as it likes, with changes, synchronous walks and evictions in
 * between. When all is quiet, everything that is cached must be so in the source.
 */
async function run({ seed, steps, options = {}, faults = 0 }: Run): Promise<number> {
  const rng = new SeededRng(seed);
  const loop = new TestLoop(rng);
  let nowMs = 1;
  const memory = memorySource({ clock: { now: () => nowMs } });
  const faulty = faultySource(memory, { faults: [{ code: 'EIO', rate: faults }], rng });
  const source = delayedSource(faulty, 1, loop);
  const live = new Set<PlainInode>();
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
    ...options,
  });
  const running = new Set<Promise<unknown>>();
  const start = (work: Promise<unknown>): void => {
    running.add(work);
    void work.then(() => running.delete(work));
  };
  for (let step = 0; step < steps; step++) {
    nowMs++;
    const path = randomPath(rng);
    const follow = rng.below(2) === 0;
    switch (rng.below(8)) {
      case 0:
        faulty.active = false;
        applyChange(rng, memory, cache);
        faulty.active = true;
        break;
      case 1:
        cache.prune(1 + rng.below(8));
        break;
      case 2:
        cacheOutcome(cache, path, follow);
        break;
      case 3:
        start(cache.readdir(path).then(String, String));
        break;
      case 4:
      case 5:
        await loop.step();
        break;
      default:
        start(cacheOutcomeLater(cache, path, follow));
        if (rng.below(2) === 0) {
          start(cacheOutcomeLater(cache, path, follow));
        }
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
  expect(live.size).toBe(0);
  return restarts;
}

describe('walks that wait, while the file system changes', () => {
  it('leave nothing behind that is not so', async () => {
    let restarts = 0;
    for (let seed = 1; seed <= 12; seed++) {
      restarts += await run({ seed, steps: 400 });
    }
    // Else nothing was ever overtaken.
    expect(restarts).toBeGreaterThan(10);
  });

  it('without listings', async () => {
    for (let seed = 21; seed <= 25; seed++) {
      await run({ seed, steps: 400, options: { maxListed: 0 } });
    }
  });

  it('with evictions all the time', async () => {
    for (let seed = 31; seed <= 35; seed++) {
      await run({ seed, steps: 400, options: { max: 4, maxNegative: 1, maxListedTotal: 3 } });
    }
  });

  it('of a source that fails', async () => {
    for (let seed = 41; seed <= 45; seed++) {
      await run({ seed, steps: 400, faults: 0.1 });
    }
  });

  it('of a cache that believes nothing', async () => {
    for (let seed = 51; seed <= 53; seed++) {
      await run({ seed, steps: 300, options: { policy: { validUntil: () => 0 }, clock: { now: () => 1 } } });
    }
  });
});
