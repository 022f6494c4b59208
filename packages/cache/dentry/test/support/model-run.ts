import { SeededRng } from '@core/base';
import { faultySource, memorySource } from '@core/fs-source';
import { expect } from 'vitest';
import { type Dentry, DentryCache, type DentryCacheOptions, type PlainInode } from '../../src/index.js';
import { check } from './insides.js';
import { cacheOutcome, dentryOutcome, outcomeOf, sourceOutcome } from './outcome.js';
import { applyChange, Paths, randomName } from './random-tree.js';

export interface ModelRun {
  readonly seed: number;
  readonly steps: number;
  readonly options?: Partial<DentryCacheOptions<PlainInode>>;
  readonly faults?: number;
  readonly tellsKinds?: boolean;
  readonly caseSensitive?: boolean;
  /** Breaks the cache, to see whether that is noticed. */
  readonly sabotage?: (cache: DentryCache) => void;
}

/** Random changes, questions and evictions: every answer is the source's own. */
export function runModel({
  seed,
  steps,
  options = {},
  faults = 0,
  tellsKinds = true,
  caseSensitive = true,
  sabotage,
}: ModelRun): void {
  const rng = new SeededRng(seed);
  let nowMs = 1;
  const memory = memorySource({ clock: { now: () => nowMs }, tellsKinds, caseSensitive });
  const source = faultySource(memory, { faults: [{ code: 'EIO', rate: faults }], rng });
  const cache = new DentryCache({ source, ...options });
  sabotage?.(cache);
  const paths = new Paths(rng);
  const held: Dentry<PlainInode>[] = [];
  let last = '';
  for (let step = 0; step < steps; step++) {
    nowMs++;
    const path = paths.next();
    const follow = rng.below(2) === 0;
    const what = `seed ${seed}, step ${step}, ${path}, after ${last}`;
    const expected = sourceOutcome(memory, path, follow);
    switch (rng.below(10)) {
      case 0:
      case 1:
      case 2:
        source.active = false;
        last = applyChange(rng, memory, cache);
        source.active = true;
        break;
      case 3:
        if (rng.below(3) === 0) {
          cache.prune(1 + rng.below(12));
        }
        break;
      case 4: {
        const found = outcomeOf(() => {
          const dentry = cache.peek(path, { follow });
          return dentry === undefined ? expected : dentryOutcome(dentry);
        });
        expect(found, what).toBe(expected);
        break;
      }
      case 5: {
        const listed = outcomeOf(() =>
          String(
            cache
              .readdirSync(path)
              .map(({ name, kind }) => `${name} ${kind}`)
              .toSorted(),
          ),
        );
        if (listed !== 'EIO') {
          expect(listed, what).toBe(
            outcomeOf(() =>
              String(
                memory
                  .readdirSync(path)
                  .map(({ name, kind }) => `${name} ${kind}`)
                  .toSorted(),
              ),
            ),
          );
        }
        break;
      }
      case 6: {
        const real = outcomeOf(() => cache.realpathSync(path));
        if (real !== 'EIO' && caseSensitive) {
          expect(real, what).toBe(outcomeOf(() => memory.realpathSync(path)));
        }
        break;
      }
      case 7:
        if (held.length > 3) {
          cache.release(held.splice(rng.below(held.length), 1)[0] as Dentry<PlainInode>);
        } else {
          const dentry = cache.peek(path, { follow, attributes: false });
          if (dentry !== undefined && dentry.missing !== 'ENOTDIR' && dentry.parent !== null && cache.hold(dentry)) {
            held.push(dentry);
          }
        }
        break;
      default: {
        const found = cacheOutcome(cache, path, follow);
        if (found !== 'EIO') {
          expect(found, what).toBe(expected);
        }
      }
    }
    check(cache, held);
  }
  source.active = false;
  for (let turn = 0; turn < 50; turn++) {
    const path = randomName(rng);
    expect(cacheOutcome(cache, path, true), `seed ${seed}, at the end, ${path}`).toBe(
      sourceOutcome(memory, path, true),
    );
  }
  for (const dentry of held) {
    cache.release(dentry);
  }
  cache.invalidate();
  check(cache);
  expect(cache.stats()).toMatchObject({ dentries: 0, negative: 0, held: 0, listings: 0, listedNames: 0 });
}
