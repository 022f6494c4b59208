import nodeFs from 'node:fs';
import { join } from 'node:path';
import { SeededRng } from '@core/base';
import { ShrinkerRegistry } from '@core/shrinker';
import { type CachedFs, createCachedFs, type NodeFs } from '@cache/fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FileBlocks } from '../src/internal/file-blocks.js';
import { OpenFile } from '../src/internal/open-file.js';
import { SharedFile } from '../src/internal/shared-file.js';
import { checkInvariants } from '../src/internal/views.js';
import { runRandomReads } from './support/random-reads.js';
import { scratch } from './support/scratch.js';

/** For each of five seeds. */
const STEPS = 4200;
/** A variant that is broken has to be found within as many. */
const FOUND_WITHIN = 3000;

interface Parts {
  readonly steps?: number;
  readonly changerOf?: (cached: CachedFs) => NodeFs;
  readonly isTold?: boolean;
  /** Each change has a stamp of its own, and no file is so young that it may change within a tick. */
  readonly isOld?: boolean;
}

async function run(seed: number, parts: Parts = {}) {
  const { steps = STEPS, changerOf = (cached) => cached, isTold = true, isOld = false } = parts;
  if (isOld) {
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 3_600_000);
  }
  let stamp = 1_600_000_000.5;
  using area = scratch();
  const [theirs, ours] = ['theirs', 'ours'].map((name) => join(area.path, name)) as [string, string];
  nodeFs.mkdirSync(theirs);
  nodeFs.mkdirSync(ours);
  const shrinkers = new ShrinkerRegistry();
  // A budget in which not all of the files fit.
  const cached = createCachedFs({ shrinkers, maxBytes: 160 * 1024 });
  const rng = new SeededRng(seed);
  const before = descriptors();
  try {
    const difference = await runRandomReads(
      {
        rng,
        theirs,
        ours,
        cached,
        changer: changerOf(cached),
        tell: (path) => (isTold ? cached.invalidate(path) : undefined),
        changed: (file) => {
          stamp++;
          if (!isOld) {
            return;
          }
          if (typeof file === 'number') {
            nodeFs.futimesSync(file, stamp, stamp);
          } else if (nodeFs.existsSync(file)) {
            nodeFs.utimesSync(file, stamp, stamp);
          }
        },
        check: () => checkInvariants(cached),
        shrink: () => void shrinkers.shrinkSlabSync({ priority: rng.below(6), zone: 'external' }),
      },
      steps,
    );
    return { difference, hits: cached.stats().blocks?.hits ?? 0 };
  } finally {
    await cached.close();
    expect(descriptors()).toBe(before);
  }
}

function descriptors(): number {
  return nodeFs.readdirSync('/proc/self/fd').length;
}

/** Whether the difference is found, with one of three seeds. */
async function isFound(parts: Parts = {}): Promise<boolean> {
  for (const seed of [1, 2, 3]) {
    const { difference } = await run(seed, { ...parts, steps: FOUND_WITHIN });
    if (difference !== null) {
      return true;
    }
  }
  return false;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('random reads of open files give what they give on node:fs', () => {
  it.each([1, 2, 3])('seed %i', { timeout: 120_000 }, async (seed) => {
    const { difference, hits } = await run(seed);
    expect(difference).toBeNull();
    expect(hits).toBeGreaterThan(STEPS / 20);
  });
});

describe('random reads of files that have not changed for long', () => {
  it.each([4, 5])('seed %i', { timeout: 120_000 }, async (seed) => {
    const { difference, hits } = await run(seed, { isOld: true });
    expect(difference).toBeNull();
    expect(hits).toBeGreaterThan(STEPS / 10);
  });
});

describe('a variant that is broken is found', { timeout: 120_000 }, () => {
  it('one that is not told of what others do', async () => {
    expect(await isFound({ isTold: false })).toBe(true);
  });

  it('one that does not hear of its own changes', async () => {
    vi.spyOn(FileBlocks.prototype, 'doubt').mockImplementation(() => {});
    expect(await isFound()).toBe(true);
  });

  it('one that keeps blocks of a file that has changed', async () => {
    vi.spyOn(SharedFile.prototype, 'drop').mockImplementation(() => {});
    expect(await isFound()).toBe(true);
    expect(await isFound({ isOld: true })).toBe(true);
  });

  it('one that forgets where it was when it hands over', async () => {
    vi.spyOn(OpenFile.prototype, 'readRestSync').mockReturnValue(undefined);
    vi.spyOn(OpenFile.prototype, 'handOver').mockImplementation(() => {});
    expect(await isFound()).toBe(true);
  });
});
