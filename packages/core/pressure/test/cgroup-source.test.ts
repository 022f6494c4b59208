import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CgroupSource, type CgroupSourceOptions } from '../src/cgroup-source.js';
import type { MemoryReading } from '../src/memory-source.js';
import { dirV2, GIB, MIB, proc } from './fixtures/cgroup-dirs.js';
import { FakeFiles, type Fault, type Tree } from './fixtures/fake-files.js';
import type { Fixture } from './fixtures/fixture.js';
import { FIXTURES, TOTAL_BYTES } from './fixtures/trees.js';

/** A clock that stands still unless told. */
class ManualClock {
  ms = 0;
  now(): number {
    return this.ms;
  }
}

function sourceOf(files: FakeFiles, options: CgroupSourceOptions = {}): CgroupSource {
  return new CgroupSource({ files, totalBytes: TOTAL_BYTES, clock: new ManualClock(), ...options });
}

function bare(reading: MemoryReading | null): MemoryReading | null {
  if (reading === null) {
    return null;
  }
  const { notes: _, ...rest } = reading;
  return rest;
}

const V2 = '/sys/fs/cgroup';
const V2_MOUNT = '35 23 0:29 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw';
/** /a has 2 GiB, /a/b 1 GiB, /c 3 GiB; the process is in /a/b. */
const SMALL: Tree = {
  ...proc('0::/a/b', V2_MOUNT),
  [`${V2}/cgroup.controllers`]: 'memory\n',
  ...dirV2(`${V2}/a`, { max: 2 * GIB, used: 700 * MIB }),
  ...dirV2(`${V2}/a/b`, { max: 1 * GIB, used: 400 * MIB, inactiveFile: 100 * MIB }),
  ...dirV2(`${V2}/c`, { max: 3 * GIB, used: 5 * MIB }),
};

describe('what machines say', () => {
  test.each(FIXTURES)('$name', ({ tree, expected, notes = [] }) => {
    const source = sourceOf(new FakeFiles(tree));
    const first = source.read();
    expect(bare(first)).toEqual(expected);
    const said = first?.notes ?? [];
    expect(said).toEqual(notes.map((note) => expect.stringMatching(note)));
    expect(source.read()).toEqual(first);
  });

  test.each(FIXTURES)('below another root: $name', ({ tree, expected }) => {
    const moved = Object.fromEntries(Object.entries(tree).map(([path, text]) => [`/host/os${path}`, text]));
    const reading = sourceOf(new FakeFiles(moved), { root: '/host/os/' }).read();
    const from = expected?.from === undefined ? {} : { from: `/host/os${expected.from}` };
    expect(bare(reading)).toEqual(expected === null ? null : { ...expected, ...from });
  });

  test('this machine: never throws, only numbers', () => {
    const source = new CgroupSource();
    for (let count = 0; count < 3; count++) {
      expectSane(source.read());
      for (const level of source.levels()) {
        expectSane(level);
      }
    }
  });
});

/** Plain comparisons: the sweeps below call this some hundred thousand times. */
function expectSane(reading: { limitBytes?: number; usedBytes?: number; stalledShare?: number } | null): void {
  const { limitBytes = 0, usedBytes = 0, stalledShare } = reading ?? {};
  if (!(limitBytes >= 0 && usedBytes >= 0 && usedBytes < Infinity && stalledShare === undefined)) {
    throw new Error(`no sane reading: ${JSON.stringify(reading)}`);
  }
}

describe('nested limits', () => {
  const nested = FIXTURES.filter((fixture) => fixture.nested);

  function findsLimit(fixture: Fixture, limitOf: (source: CgroupSource) => number | undefined): boolean {
    return limitOf(sourceOf(new FakeFiles(fixture.tree))) === fixture.expected?.limitBytes;
  }

  test('there are some, in both versions', () => {
    expect(nested.length).toBeGreaterThanOrEqual(6);
  });

  test.each(nested)('the smallest counts: $name', (fixture) => {
    expect(findsLimit(fixture, (source) => source.read()?.limitBytes)).toBe(true);
  });

  test.each(nested)('a walk that looks at the own level only is found out: $name', (fixture) => {
    expect(findsLimit(fixture, (source) => source.levels()[0]?.limitBytes)).toBe(false);
  });

  test.each(nested.filter((fixture) => fixture.tree['/proc/self/cgroup']?.includes('kubepods.slice')))(
    'levels tell of each cgroup, from the own one up: $name',
    ({ tree }) => {
      const levels = sourceOf(new FakeFiles(tree)).levels();
      expect(levels.map((level) => level.limitBytes)).toEqual([2 * GIB, 1 * GIB, Infinity, 14 * GIB, Infinity]);
      expect(levels.map((level) => level.usedBytes)).toEqual([500 * MIB, 900 * MIB, 4 * GIB, 6 * GIB, undefined]);
      expect(levels[1]?.inactiveFileBytes).toBe(100 * MIB);
      expect(levels.at(-1)).toEqual({ dir: V2, limitBytes: Infinity });
    },
  );

  test('of equal limits the outermost counts: it has the most in it', () => {
    const files = new FakeFiles({ ...SMALL, [`${V2}/a/memory.max`]: `${GIB}\n` });
    expect(sourceOf(files).read()).toMatchObject({ limitBytes: GIB, from: `${V2}/a/memory.max`, usedBytes: 700 * MIB });
  });

  test('a limit of exactly the memory of the machine is none, one byte less is one', () => {
    const at = (totalBytes: number) => sourceOf(new FakeFiles(SMALL), { totalBytes }).read()?.limitBytes;
    expect(at(GIB)).toBe(Infinity);
    expect(at(GIB + 1)).toBe(GIB);
  });

  test('all ways to write that there is no limit, also where the memory of the machine is not known', () => {
    const tree = FIXTURES.find((fixture) => fixture.name === 'Docker, version 1')?.tree ?? {};
    const path = '/sys/fs/cgroup/memory/memory.limit_in_bytes';
    const stat = '/sys/fs/cgroup/memory/memory.stat';
    const limitOf = (text: string) => {
      const files = new FakeFiles({ ...tree, [path]: `${text}\n` });
      files.faults.set(stat, (was) =>
        was.replace(/hierarchical_memory_limit \d+/, `hierarchical_memory_limit ${text}`),
      );
      return sourceOf(files, { totalBytes: Infinity }).read();
    };
    // Pages of 4 KiB, of 64 KiB; the kernels of old; all bits set.
    for (const text of ['9223372036854771712', '9223372036854710272', '9223372036854775807', '18446744073709551615']) {
      expect(limitOf(text)).toEqual({ limitBytes: Infinity, usedBytes: 300 * MIB });
    }
    expect(limitOf('4611686018427387903')?.limitBytes).toBe(Infinity);
    expect(limitOf('1152921504606846976')?.limitBytes).toBe(2 ** 60);
  });

  test('a limit of 0 is one', () => {
    const files = new FakeFiles({ ...SMALL, [`${V2}/a/memory.high`]: '0\n' });
    expect(sourceOf(files).read()).toMatchObject({ limitBytes: 0, from: `${V2}/a/memory.high` });
  });

  test('more file cache than usage leaves nothing, not less', () => {
    const files = new FakeFiles({ ...SMALL, [`${V2}/a/b/memory.stat`]: `inactive_file ${GIB}\n` });
    expect(sourceOf(files).read()?.usedBytes).toBe(0);
  });

  test('file cache is taken off; a source that counts it is found out', () => {
    const source = sourceOf(new FakeFiles(SMALL));
    const isWorkingSet = (usedBytes: number | undefined): boolean => usedBytes === 300 * MIB;
    expect(isWorkingSet(source.read()?.usedBytes)).toBe(true);
    expect(isWorkingSet(source.levels()[0]?.usedBytes)).toBe(false);
  });
});

describe('reading again', () => {
  test('takes three files', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.asked.length = 0;
    source.read();
    const own = `${V2}/a/b`;
    expect(files.asked).toEqual([`${own}/memory.max`, `${own}/memory.current`, `${own}/memory.stat`]);
  });

  test('follows the usage, and at once a change of the limit that counts', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.tree.set(`${V2}/a/b/memory.current`, `${500 * MIB}\n`);
    expect(source.read()?.usedBytes).toBe(400 * MIB);
    files.tree.set(`${V2}/a/b/memory.max`, `${4 * GIB}\n`);
    expect(source.read()).toEqual({ limitBytes: 2 * GIB, from: `${V2}/a/memory.max`, usedBytes: 700 * MIB });
  });

  /** Whether a limit that another level gets is noticed, and when. */
  function noticedAfter(options: CgroupSourceOptions, readsMax: number, stepMs: number): number | undefined {
    const clock = new ManualClock();
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files, { ...options, clock });
    source.read();
    files.tree.set(`${V2}/a/memory.high`, `${GIB / 2}\n`);
    for (let count = 1; count <= readsMax; count++) {
      clock.ms += stepMs;
      if (source.read()?.limitBytes === GIB / 2) {
        return count;
      }
    }
    return undefined;
  }

  test('notices another level after so many reads, or after 10 s; a source that never walks again is found out', () => {
    expect(noticedAfter({}, 1000, 0)).toBe(100);
    expect(noticedAfter({ walkEveryReads: 7 }, 1000, 0)).toBe(7);
    expect(noticedAfter({}, 1000, 2000)).toBe(5);
    expect(noticedAfter({ walkEveryReads: Infinity, walkEveryMs: 300 }, 1000, 100)).toBe(3);
    expect(noticedAfter({ walkEveryReads: Infinity, walkEveryMs: Infinity }, 1000, 2000)).toBe(undefined);
  });

  test('a cgroup that was renamed is found again at the next read', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.rename(`${V2}/a`, `${V2}/z`);
    files.tree.set('/proc/self/cgroup', '0::/z/b\n');
    expect(source.read()).toEqual({ limitBytes: GIB, from: `${V2}/z/b/memory.max`, usedBytes: 300 * MIB });
  });

  /** The limit after the process went to /c, while /a/b stays. */
  function limitAfterMove(source: CgroupSource, files: FakeFiles, clock: ManualClock): number | undefined {
    source.read();
    files.tree.set('/proc/self/cgroup', '0::/c\n');
    clock.ms += 10_000;
    return source.read()?.limitBytes;
  }

  test('a process that was moved is found within 10 s; a source that does not ask where it is is found out', () => {
    const clock = new ManualClock();
    const files = new FakeFiles(SMALL);
    expect(limitAfterMove(sourceOf(files, { clock }), files, clock)).toBe(3 * GIB);

    const still = new FakeFiles(SMALL);
    still.faults.set('/proc/self/cgroup', () => '0::/a/b\n');
    expect(limitAfterMove(sourceOf(still, { clock }), still, clock)).toBe(GIB);
  });

  test('a machine without cgroups is not asked at each read, and is asked again in time', () => {
    const clock = new ManualClock();
    const files = new FakeFiles({});
    const source = sourceOf(files, { clock });
    expect(source.read()).toBe(null);
    expect(source.levels()).toEqual([]);
    files.asked.length = 0;
    expect(source.read()).toBe(null);
    expect(files.asked).toEqual([]);
    for (const [path, text] of Object.entries(SMALL)) {
      files.tree.set(path, text);
    }
    clock.ms += 10_000;
    expect(source.read()?.limitBytes).toBe(GIB);
  });

  test('a file that is missing for good is not looked for at each read', () => {
    const files = new FakeFiles(SMALL);
    files.faults.set(`${V2}/a/b/memory.stat`, 'missing');
    const source = sourceOf(files);
    const reading = source.read();
    expect(reading?.usedBytes).toBe(400 * MIB);
    expect(reading?.notes).toEqual([expect.stringContaining('file cache is counted as used')]);
    files.asked.length = 0;
    expect(source.read()).toEqual(reading);
    expect(files.asked).toEqual([`${V2}/a/b/memory.max`, `${V2}/a/b/memory.current`]);
  });
});

const FAULTS: Readonly<Record<string, Fault>> = {
  missing: 'missing',
  gone: 'ENODEV',
  closed: 'EACCES',
  directory: 'EISDIR',
  'thrown undefined': 'not an error',
  empty: () => '',
  'a line end': () => '\n',
  garbage: () => 'x\u0000\u0007\uFFFD %$# - :::\n- -\n\n',
  negative: () => '-4096\n',
  huge: () => `${'9'.repeat(400)}\n`,
  'more than 64 bits': () => `${'9'.repeat(20)}\n`,
  'a fraction': () => '1.5\n',
  'not a number': () => 'NaN\n',
  halved: (text) => text.slice(0, Math.floor(text.length / 2)),
  'without its end': (text) => text.slice(0, -2),
  'no text at all': () => undefined as unknown as string,
  long: (text) => text.replaceAll('/', '/x'.repeat(2100)),
};

type Read = (source: CgroupSource) => MemoryReading | null;

/** Breaks each file of a tree in each way. Returns what is wrong: limits that grew, and no note that says why. */
function sweep(fixture: Fixture, moment: 'before' | 'between' | 'between walks', read: Read): string[] {
  const wrong: string[] = [];
  const intact = sourceOf(new FakeFiles(fixture.tree)).read();
  const notesBefore = new Set(intact?.notes);
  for (const path of Object.keys(fixture.tree)) {
    for (const [name, fault] of Object.entries(FAULTS)) {
      const files = new FakeFiles(fixture.tree);
      const clock = new ManualClock();
      const source = sourceOf(files, { clock });
      if (moment !== 'before') {
        read(source);
      }
      files.faults.set(path, fault);
      clock.ms += moment === 'between walks' ? 10_000 : 0;
      const reading = read(source);
      expectSane(reading);
      source.levels().forEach(expectSane);
      const grew = (reading?.limitBytes ?? Infinity) > (intact?.limitBytes ?? Infinity);
      const usedLess = (reading?.usedBytes ?? -1) < (intact?.usedBytes ?? -1);
      const said = reading?.notes?.some((note) => !notesBefore.has(note)) === true;
      if ((grew || usedLess) && !said) {
        wrong.push(`${name}: ${path}: ${JSON.stringify(reading)}`);
      }
    }
  }
  return wrong;
}

describe('faults', () => {
  const honest: Read = (source) => source.read();

  test.each(FIXTURES)('one broken file never throws, and no limit grows in silence: $name', (fixture) => {
    expect(sweep(fixture, 'before', honest)).toEqual([]);
    expect(sweep(fixture, 'between', honest)).toEqual([]);
    expect(sweep(fixture, 'between walks', honest)).toEqual([]);
  });

  test.each(FIXTURES.filter((fixture) => Number.isFinite(fixture.expected?.limitBytes)))(
    'a source that keeps silent is found out: $name',
    (fixture) => {
      const silent: Read = (source) => bare(source.read());
      expect(sweep(fixture, 'before', silent)).not.toEqual([]);
      expect(sweep(fixture, 'between', silent)).not.toEqual([]);
      expect(sweep(fixture, 'between walks', silent)).not.toEqual([]);
    },
  );

  test('many broken files at once never throw', () => {
    const faults = Object.values(FAULTS);
    const index = fc.nat({ max: 1000 });
    fc.assert(
      fc.property(index, fc.array(fc.tuple(index, index, fc.nat({ max: 3 })), { maxLength: 12 }), (at, breaks) => {
        const { tree } = FIXTURES[at % FIXTURES.length] ?? { tree: {} };
        const paths = Object.keys(tree);
        const files = new FakeFiles(tree);
        const clock = new ManualClock();
        const source = sourceOf(files, { clock, walkEveryReads: 3 });
        for (const [path, fault, reads] of breaks) {
          files.faults.set(paths[path % paths.length] ?? '', faults[fault % faults.length] ?? 'missing');
          for (let count = 0; count < reads; count++) {
            expectSane(source.read());
          }
        }
        source.levels().forEach(expectSane);
        files.faults.clear();
        clock.ms += 10_000;
        expect(source.read()).toEqual(sourceOf(new FakeFiles(tree)).read());
      }),
      { numRuns: 300 },
    );
  });

  test('a limit that cannot be read is told, and is no claim that there is none', () => {
    const files = new FakeFiles({ ...SMALL, [`${V2}/a/memory.max`]: 'max\n' });
    files.faults.set(`${V2}/a/b/memory.max`, 'EACCES');
    expect(sourceOf(files).read()).toEqual({
      usedBytes: 300 * MIB,
      notes: [`Cannot read ${V2}/a/b/memory.max: EACCES; its limit is passed over`],
    });
    expect(sourceOf(files).levels()[0]).not.toHaveProperty('limitBytes');
  });

  test('a file that can be read again is read again in time', () => {
    const clock = new ManualClock();
    const files = new FakeFiles(SMALL);
    files.faults.set(`${V2}/a/b/memory.max`, () => '');
    const source = sourceOf(files, { clock });
    expect(source.read()).toMatchObject({ limitBytes: 2 * GIB, notes: [expect.stringContaining('it is empty')] });
    files.faults.clear();
    clock.ms += 10_000;
    expect(source.read()).toEqual({ limitBytes: GIB, from: `${V2}/a/b/memory.max`, usedBytes: 300 * MIB });
  });

  test('a path that was cut off is not believed, though it names another cgroup', () => {
    const files = new FakeFiles({ ...SMALL, '/proc/self/cgroup': '0::/a' });
    expect(sourceOf(files).read()?.notes).toContain(
      'Cannot understand 1 line(s) of /proc/self/cgroup: they are passed over',
    );
  });

  test('a removed cgroup, whose open files say ENODEV, is looked for at once', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.faults.set(`${V2}/a/b/memory.max`, 'ENODEV');
    files.tree.set('/proc/self/cgroup', '0::/c\n');
    files.asked.length = 0;
    expect(source.read()?.limitBytes).toBe(3 * GIB);
    expect(files.asked).toContain('/proc/self/mountinfo');
    files.tree.set('/proc/self/cgroup', '0::/a\n');
    files.faults.set(`${V2}/c/memory.current`, 'ENODEV');
    expect(source.read()?.notes).toBe(undefined);
  });

  test('a mount of another kind is no cgroup, whatever its options say', () => {
    const mount = '40 27 0:50 / /srv/memory rw - tmpfs tmpfs rw,memory';
    const files = new FakeFiles({ ...SMALL, ...proc('0::/a/b', `${V2_MOUNT}\n${mount}`) });
    expect(sourceOf(files).read()?.limitBytes).toBe(GIB);
  });

  test('options out of range are refused', () => {
    expect(() => new CgroupSource({ totalBytes: 0 })).toThrow(RangeError);
    expect(() => new CgroupSource({ totalBytes: Number.NaN })).toThrow(RangeError);
    expect(() => new CgroupSource({ walkEveryReads: 0 })).toThrow(RangeError);
    expect(() => new CgroupSource({ walkEveryReads: 1.5 })).toThrow(RangeError);
    expect(() => new CgroupSource({ walkEveryMs: 0 })).toThrow(RangeError);
    expect(() => new CgroupSource({ root: '' })).toThrow(TypeError);
    expect(() => new CgroupSource({ files: {} as never })).toThrow(TypeError);
  });
});
