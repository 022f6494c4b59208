import fs from 'node:fs';
import { join } from 'node:path';
import { createCachedFs } from '@cache/fs';
import { DentryCache } from '@cache/dentry';
import { nodeSource } from '@core/fs-source';
import { collectGarbage } from '../harness/collect-garbage.js';
import { atLeast, type Competitor, exactly, type Size } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { Case, CaseResult, Question } from '../harness/result.js';
import { scratchFolder } from './scratch-files.js';

type Subject = 'found' | 'missing';

const QUIET = { throwIfNoEntry: false } as const;
const FASTER = 20;

/** Six components, or about as many: below the scratch directory's own. */
function pathOf(subject: Subject): string {
  const folder = join(scratchFolder(), 'four/five');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, 'found'), 'x');
  return join(folder, subject);
}

function operationsOf(size: Size): { readonly cached: number; readonly real: number } {
  return size === 'real' ? { cached: 400_000, real: 40_000 } : { cached: 2000, real: 200 };
}

/** What is there is 1 for each operation, what is not is 2: both must be told apart, and neither left out. */
const THERE = 1;
const NOT_THERE = 2;

function byStat(path: string, size: Size): Competitor {
  const operations = operationsOf(size).real;
  let sum = 0;
  return {
    name: 'fs.statSync',
    operations,
    run() {
      sum = 0;
      for (let at = 0; at < operations; at++) {
        sum += fs.statSync(path, QUIET) === undefined ? NOT_THERE : THERE;
      }
    },
    hash: () => sum / operations,
  };
}

function byPeek(path: string, size: Size): Competitor {
  const operations = operationsOf(size).cached;
  const dentries = new DentryCache({ source: nodeSource() });
  dentries.walkSync(path);
  let sum = 0;
  return {
    name: 'DentryCache.peek',
    operations,
    run() {
      sum = 0;
      for (let at = 0; at < operations; at++) {
        sum += dentries.peek(path)?.missing === null ? THERE : NOT_THERE;
      }
    },
    hash: () => sum / operations,
  };
}

function byExists(path: string, size: Size): Competitor {
  const operations = operationsOf(size).cached;
  const cached = createCachedFs({ revalidate: { ageMs: 3_600_000 } });
  cached.existsSync(path);
  let sum = 0;
  return {
    name: 'CachedFs.existsSync',
    operations,
    run() {
      sum = 0;
      for (let at = 0; at < operations; at++) {
        sum += cached.existsSync(path) ? THERE : NOT_THERE;
      }
    },
    hash: () => sum / operations,
  };
}

function byCachedStat(path: string, size: Size): Competitor {
  const operations = operationsOf(size).cached;
  const cached = createCachedFs({ revalidate: { ageMs: 3_600_000 } });
  cached.statSync(path, QUIET);
  let sum = 0;
  return {
    name: 'CachedFs.statSync',
    operations,
    run() {
      sum = 0;
      for (let at = 0; at < operations; at++) {
        sum += cached.statSync(path, QUIET) === undefined ? NOT_THERE : THERE;
      }
    },
    hash: () => sum / operations,
  };
}

function lookups(subject: Subject): Case {
  return {
    name: `a path that is ${subject === 'found' ? 'there' : 'not there'}`,
    async run(size) {
      const path = pathOf(subject);
      const stat = byStat(path, size);
      const ours = [byPeek(path, size), byExists(path, size), byCachedStat(path, size)];
      return race(
        {
          competitors: [stat, ...ours],
          comparisons: ours.map(({ name }, index) => ({
            what: 'faster',
            of: name,
            against: stat.name,
            as: 'speedup' as const,
            ...(index === 0 ? { target: atLeast(FASTER) } : {}),
          })),
        },
        size,
      );
    },
  };
}

const MEASURED = 200_000;

/** Bytes that a look-up of what is cached allocates. */
async function allocated(size: Size): Promise<CaseResult> {
  const path = pathOf('found');
  const missing = pathOf('missing');
  const dentries = new DentryCache({ source: nodeSource() });
  dentries.walkSync(path);
  dentries.walkSync(missing);
  const times = size === 'real' ? MEASURED : MEASURED / 10;
  let there = 0;
  const look = (): number => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < times; at++) {
      there += dentries.peek(path)?.missing === null ? 1 : 0;
      there += dentries.peek(missing)?.missing === null ? 1 : 0;
    }
    return process.memoryUsage().heapUsed - before;
  };
  // Optimised code comes in time; what it allocates itself is not the look-up's.
  look();
  look();
  const bytes = Math.max(0, Math.min(look(), look(), look())) / (2 * times);
  await dentries.close();
  return {
    timings: [],
    figures: [
      {
        what: `allocated for each of ${there > 0 ? 'the' : 'no'} hits`,
        of: 'DentryCache.peek',
        against: null,
        value: Math.floor(bytes),
        low: bytes,
        high: bytes,
        unit: 'bytes',
        target: exactly('at most', 0),
      },
    ],
  };
}

/** What it costs to ask for a path that is cached, beside a system call. */
export const lookupQuestion: Question = {
  id: 'lookup',
  asks: 'What does a path cost that is cached?',
  cases: [lookups('found'), lookups('missing'), { name: 'garbage', run: allocated }],
};
