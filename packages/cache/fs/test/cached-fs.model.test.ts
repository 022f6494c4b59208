import nodeFs from 'node:fs';
import { join } from 'node:path';
import { SeededRng } from '@core/base';
import { ShrinkerRegistry } from '@core/shrinker';
import { type CachedFs, createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { runRandom } from './support/random-changes.js';
import { scratch } from './support/scratch.js';

/** Larger, and from another seed, by hand: `CACHED_FS_STEPS=30000 CACHED_FS_SEED=7`. */
const STEPS = Number(process.env.CACHED_FS_STEPS ?? 1700);
const SEED = Number(process.env.CACHED_FS_SEED ?? 1);

async function run(seed: number, steps: number, changerOf: (cached: CachedFs) => NodeFs): Promise<string | null> {
  using area = scratch();
  const [theirs, ours] = [treeIn(area.path, 'theirs'), treeIn(area.path, 'ours')];
  const shrinkers = new ShrinkerRegistry();
  const cached = createCachedFs({ shrinkers });
  const rng = new SeededRng(seed);
  const descriptors = openDescriptors();
  try {
    return await runRandom(
      {
        rng,
        theirs,
        ours,
        cached,
        changer: changerOf(cached),
        hasLinks: () => hasLinks(ours),
        shrink: () => void shrinkers.shrinkSlabSync({ priority: rng.below(6) }),
      },
      steps,
    );
  } finally {
    await cached.close();
    expect(openDescriptors()).toBe(descriptors);
  }
}

/** Far down: what climbs up over links and dots must not meet anything of others, nor the other tree. */
function treeIn(area: string, name: string): string {
  const path = join(area, name, 'far/down/below/all/that/is');
  nodeFs.mkdirSync(path, { recursive: true });
  return path;
}

function hasLinks(folder: string): boolean {
  return nodeFs.readdirSync(folder, { withFileTypes: true, recursive: true }).some((entry) => {
    return entry.isFile() && nodeFs.lstatSync(join(entry.parentPath, entry.name)).nlink > 1;
  });
}

function openDescriptors(): number {
  return nodeFs.readdirSync('/proc/self/fd').length;
}

describe('random calls give what they give on node:fs', () => {
  it.each([SEED, SEED + 1, SEED + 2])('seed %i', { timeout: 60_000 + STEPS * 100 }, async (seed) => {
    expect(await run(seed, STEPS, (cached) => cached)).toBeNull();
  });

  it('a change that the cache does not hear of is found', async () => {
    for (const name of ['writeFile', 'mkdir'] as const) {
      const deaf = (cached: CachedFs): NodeFs =>
        ({
          ...cached,
          [name]: nodeFs[name],
          [`${name}Sync`]: nodeFs[`${name}Sync`],
          promises: { ...cached.promises, [name]: nodeFs.promises[name] },
        }) as unknown as NodeFs;
      expect(await run(1, 1700, deaf), name).not.toBeNull();
    }
  });
});
