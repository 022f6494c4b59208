import nodeFs from 'node:fs';
import { join } from 'node:path';
import { SeededRng } from '@core/base';
import { ShrinkerRegistry } from '@core/shrinker';
import { type CachedFs, type CachedFsOptions, createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { checkInvariants } from '../src/internal/views.js';
import { Descriptors } from './model/descriptors.js';
import { faultyFs } from './model/faulty-fs.js';
import { Paths } from './model/random-op.js';
import { runRandom } from './model/steps.js';
import { scratch } from './support/scratch.js';

/** Calls of each run, of which there are ten. More, and from another seed, by hand: see the README. */
const STEPS = Number(process.env.CACHED_FS_STEPS ?? 2000);
const SEED = Number(process.env.CACHED_FS_SEED ?? 1);
/** More than anything is believed for. */
const AGE_MS = 120_000;
const FAULT_RATE = 0.15;

type Broken = (cached: CachedFs) => NodeFs;

interface Run {
  readonly seed: number;
  readonly steps: number;
  readonly options?: CachedFsOptions;
  readonly broken?: Broken;
}

/** What went wrong, or null. */
async function run({ seed, steps, options = {}, broken = (cached) => cached }: Run): Promise<string | null> {
  using area = scratch();
  const [theirs, ours] = [treeIn(area.path, 'theirs'), treeIn(area.path, 'ours')];
  const cwd = process.cwd();
  const opened = openDescriptors();
  const shrinkers = new ShrinkerRegistry();
  const clock = {
    ms: 1_000_000,
    now(): number {
      return this.ms;
    },
  };
  const rng = new SeededRng(seed);
  const below = faultyFs(new SeededRng(seed + 1_000_000), () => clock.ms++);
  const cached = createCachedFs({ clock, shrinkers, fs: below.fs, ...options });
  const subject = broken(cached);
  const descriptors = new Descriptors();
  try {
    process.chdir(ours);
    const fault = await runRandom(
      {
        rng,
        paths: new Paths(rng),
        theirs,
        ours,
        cached,
        subject,
        below,
        faultRate: FAULT_RATE,
        shrink: () => void shrinkers.shrinkSlabSync({ priority: rng.below(6) }),
        age: () => {
          clock.ms += AGE_MS;
        },
        check: () => checkInvariants(cached),
        history: [],
      },
      descriptors,
      steps,
    );
    await descriptors.closeAll(subject);
    await cached.close();
    return fault ?? (openDescriptors() === opened ? null : 'descriptors are left open');
  } finally {
    process.chdir(cwd);
  }
}

/** Far down: what climbs up over links and dots must not meet anything of others, nor the other tree. */
function treeIn(area: string, name: string): string {
  const path = join(area, name, 'far/down/below/all/that/is');
  nodeFs.mkdirSync(path, { recursive: true });
  return path;
}

function openDescriptors(): number {
  return nodeFs.readdirSync('/proc/self/fd').length;
}

const OPTIONS: Readonly<Record<string, CachedFsOptions>> = {
  default: {},
  'hardly any memory': { maxBytes: 3000, maxNames: 12 },
  'little memory': { maxBytes: 100_000, maxNames: 40 },
  'a short age': { revalidate: { ageMs: 5 } },
  'nothing believed': { revalidate: 'always' },
};

describe('random calls, of which some fail below, give what they give on node:fs', () => {
  for (const [name, options] of Object.entries(OPTIONS)) {
    it.each([SEED, SEED + 1])(`${name}, seed %i`, { timeout: 60_000 + STEPS * 60 }, async (seed) => {
      expect(await run({ seed, steps: STEPS, options })).toBeNull();
    });
  }
});

describe('what is broken is found', () => {
  const BROKEN: Readonly<Record<string, Broken>> = {
    'that hears of no written file': deafTo('writeFile'),
    'that hears of no directory': deafTo('mkdir'),
    'that hears of no rename': deafTo('rename'),
    'that hears of no removed file': deafTo('unlink'),
    'that hears of nothing by descriptor': deafTo('write', 'ftruncate', 'fchmod', 'futimes'),
    'that keeps a miss': keepingMisses,
    'that tells another error': tellingAnotherError,
    'that shares its buffers': sharingBuffers,
    'that leaves descriptors open': leavingOpen,
  };
  it.each(Object.entries(BROKEN))('a façade %s', async (_, broken) => {
    // What comes of a seed depends on when calls below end: one run may miss it, but not one after the other.
    let found = null;
    for (let seed = 1; seed <= 10 && found === null; seed++) {
      found = await run({ seed, steps: 2000, broken });
    }
    expect(found).not.toBeNull();
  });
});

type Call = (...args: unknown[]) => unknown;

/** The façade, with other calls in place of some of its own. */
function withCalls(cached: CachedFs, calls: Readonly<Record<string, Call>>, promises: object = {}): NodeFs {
  return { ...cached, ...calls, promises: { ...cached.promises, ...promises } } as unknown as NodeFs;
}

type Changing = 'writeFile' | 'mkdir' | 'rename' | 'unlink' | 'write' | 'ftruncate' | 'fchmod' | 'futimes';

function deafTo(...names: readonly Changing[]): Broken {
  const { promises } = nodeFs;
  return (cached) =>
    withCalls(
      cached,
      Object.fromEntries(
        names.flatMap((name) => [
          [name, nodeFs[name] as Call],
          [`${name}Sync`, nodeFs[`${name}Sync`] as Call],
        ]),
      ),
      Object.fromEntries(names.flatMap((name) => (name in promises ? [[name, promises[name as 'mkdir']]] : []))),
    );
}

function keepingMisses(cached: CachedFs): NodeFs {
  const missing = new Set<unknown>();
  return withCalls(cached, {
    existsSync: (path) => {
      const exists = !missing.has(path) && cached.existsSync(path as string);
      if (!exists) {
        missing.add(path);
      }
      return exists;
    },
  });
}

function tellingAnotherError(cached: CachedFs): NodeFs {
  return withCalls(cached, {
    readFileSync: (path, options) => {
      try {
        return cached.readFileSync(path as string, options as never);
      } catch (error) {
        const { message } = error as Error;
        throw Object.assign(new Error(message.replace(/EIO|EMFILE|ENOSPC/, 'EACCES')), error);
      }
    },
  });
}

function sharingBuffers(cached: CachedFs): NodeFs {
  const shared = new Map<string, Uint8Array>();
  return withCalls(cached, {
    readFileSync: (path, options) => {
      const content = cached.readFileSync(path as string, options as never) as string | Uint8Array;
      if (typeof content === 'string') {
        return content;
      }
      const key = `${String(path)} ${cached.statSync(path as string).mtimeMs}`;
      const first = shared.get(key) ?? content;
      shared.set(key, first);
      return first;
    },
  });
}

function leavingOpen(cached: CachedFs): NodeFs {
  return withCalls(cached, { closeSync: () => undefined });
}
