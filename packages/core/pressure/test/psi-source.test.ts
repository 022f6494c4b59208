import { describe, expect, test } from 'vitest';

import type { MemoryReading } from '../src/memory-source.js';
import { PsiSource, type PsiSourceOptions } from '../src/psi-source.js';
import { dirV2, pressure, proc } from './fixtures/cgroup-dirs.js';
import { FakeFiles, type Fault, type Tree } from './fixtures/fake-files.js';
import { FIXTURES } from './fixtures/trees.js';

class ManualClock {
  ms = 0;
  now(): number {
    return this.ms;
  }
}

function sourceOf(files: FakeFiles, options: PsiSourceOptions = {}): PsiSource {
  return new PsiSource({ files, clock: new ManualClock(), ...options });
}

const V2 = '/sys/fs/cgroup';
const OWN = `${V2}/a/memory.pressure`;
const MACHINE = '/proc/pressure/memory';
const SMALL: Tree = {
  ...proc('0::/a', '35 23 0:29 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw'),
  ...dirV2(V2, { used: 0, stalled: ['9.00', 500] }),
  ...dirV2(`${V2}/a`, { used: 0, stalled: ['25.00', 1000] }),
  ...dirV2(`${V2}/b`, { used: 0, stalled: ['50.00', 70_000] }),
  [MACHINE]: pressure('75.00', 99_000),
};

function expectSane(reading: MemoryReading | null, stalledMicros: number): void {
  const { stalledShare = 0 } = reading ?? {};
  expect(stalledShare).toBeGreaterThanOrEqual(0);
  expect(stalledShare).toBeLessThanOrEqual(1);
  expect(stalledMicros).toBeGreaterThanOrEqual(0);
  expect(stalledMicros).toBeLessThan(Infinity);
  expect(reading ?? {}).not.toHaveProperty('limitBytes');
}

describe('what machines say', () => {
  test.each(FIXTURES)('$name', ({ tree, stalledShare }) => {
    const reading = sourceOf(new FakeFiles(tree)).read();
    if (stalledShare === null) {
      expect(reading).toBe(null);
    } else {
      expect(reading?.stalledShare).toBeCloseTo(stalledShare, 10);
    }
  });

  test('the own cgroup goes before the machine, which a note tells', () => {
    const files = new FakeFiles(SMALL);
    expect(sourceOf(files).read()).toEqual({ stalledShare: 0.25 });
    files.faults.set(OWN, 'missing');
    expect(sourceOf(files).read()).toEqual({
      stalledShare: 0.75,
      notes: [expect.stringContaining(`Cannot read ${OWN}: ENOENT`), expect.stringContaining('the whole machine')],
    });
  });

  test('a kernel that has it turned off has none', () => {
    const files = new FakeFiles(SMALL);
    const off = (): never => {
      throw Object.assign(new Error('off'), { code: 'EOPNOTSUPP' });
    };
    files.faults.set(OWN, off).set(MACHINE, off);
    expect(sourceOf(files).read()).toBe(null);
  });

  test('this machine: never throws, only numbers', () => {
    const source = new PsiSource();
    for (let count = 0; count < 3; count++) {
      expectSane(source.read(), source.stalledMicros);
    }
  });
});

describe('stalls between reads', () => {
  test('show in stalledMicros while the average is still low; a source that has but the average is found out', () => {
    const files = new FakeFiles({ ...SMALL, [OWN]: pressure('0.00', 1000) });
    const source = sourceOf(files);
    const first = source.read();
    expect(source.stalledMicros).toBe(0);
    files.tree.set(OWN, pressure('0.00', 41_000));
    const second = source.read();
    const noticed = (before: number, after: number): boolean => after > before;
    expect(noticed(0, source.stalledMicros)).toBe(true);
    expect(source.stalledMicros).toBe(40_000);
    expect(noticed(first?.stalledShare ?? 0, second?.stalledShare ?? 0)).toBe(false);
    source.read();
    expect(source.stalledMicros).toBe(0);
  });

  test('are of one file only, and never below 0', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.faults.set(OWN, 'EACCES');
    source.read();
    expect(source.stalledMicros).toBe(0);
    files.tree.set(MACHINE, pressure('75.00', 99_500));
    source.read();
    expect(source.stalledMicros).toBe(500);
    files.tree.set(MACHINE, pressure('1.00', 3));
    source.read();
    expect(source.stalledMicros).toBe(0);
    files.faults.set(MACHINE, 'EACCES');
    expect(source.read()).not.toHaveProperty('stalledShare');
    expect(source.stalledMicros).toBe(0);
    files.faults.clear();
    files.tree.set(OWN, pressure('1.00', 5000));
    source.read();
    expect(source.stalledMicros).toBe(0);
  });
});

describe('reading again', () => {
  test('takes one file', () => {
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files);
    source.read();
    files.asked.length = 0;
    source.read();
    expect(files.asked).toEqual([OWN]);
  });

  test('a cgroup that vanished is looked for at once, a process that was moved in time', () => {
    const clock = new ManualClock();
    const files = new FakeFiles(SMALL);
    const source = sourceOf(files, { clock, findEveryReads: Infinity });
    source.read();
    files.tree.set('/proc/self/cgroup', '0::/b\n');
    expect(source.read()?.stalledShare).toBe(0.25);
    clock.ms += 10_000;
    expect(source.read()?.stalledShare).toBe(0.5);
    files.rename(`${V2}/b`, `${V2}/d`);
    files.tree.set('/proc/self/cgroup', '0::/d\n');
    expect(source.read()).toEqual({ stalledShare: 0.5 });
  });

  test('a file that is not there is not looked for at each read', () => {
    const files = new FakeFiles(SMALL);
    files.faults.set(OWN, 'missing');
    const source = sourceOf(files);
    source.read();
    files.asked.length = 0;
    source.read();
    expect(files.asked).toEqual([OWN, MACHINE]);
  });
});

const FAULTS: readonly Fault[] = [
  'missing',
  'ENODEV',
  'EACCES',
  'EISDIR',
  'not an error',
  () => '',
  () => '\u0000\uFFFD some avg10=\n',
  () => 'some avg10=-1.00 avg60=0.00 avg300=0.00 total=5\n',
  () => 'some avg10=900.00 avg60=0.00 avg300=0.00 total=5\n',
  () => 'some avg10=1.00 avg60=0.00 avg300=0.00 total=-5\n',
  () => `some avg10=1.00 avg60=0.00 avg300=0.00 total=${'9'.repeat(20)}\n`,
  () => 'some avg10=NaN avg60=0.00 avg300=0.00 total=5\n',
  () => 'full avg10=1.00 avg60=0.00 avg300=0.00 total=5\n',
  (text) => text.slice(0, Math.floor(text.length / 2)),
  (text) => text.slice(0, 50),
];

/** Breaks each file in each way, and returns which readings differ from the intact one and do not say so. */
function sweep(tree: Tree, late: boolean, read: (source: PsiSource) => MemoryReading | null): string[] {
  const wrong: string[] = [];
  const intact = sourceOf(new FakeFiles(tree)).read();
  for (const path of Object.keys(tree)) {
    for (const [index, fault] of FAULTS.entries()) {
      const files = new FakeFiles(tree);
      const source = sourceOf(files);
      if (late) {
        source.read();
      }
      files.faults.set(path, fault);
      const reading = read(source);
      expectSane(reading, source.stalledMicros);
      const said = reading?.notes?.some((note) => intact?.notes?.includes(note) !== true) === true;
      // Null is as good as a note: there is no figure that could be wrong.
      if (reading !== null && reading.stalledShare !== intact?.stalledShare && !said) {
        wrong.push(`${index}: ${path}: ${JSON.stringify(reading)}`);
      }
    }
  }
  return wrong;
}

describe('faults', () => {
  test.each(FIXTURES)('one broken file never throws, and no other figure comes in silence: $name', ({ tree }) => {
    expect(sweep(tree, false, (source) => source.read())).toEqual([]);
    expect(sweep(tree, true, (source) => source.read())).toEqual([]);
  });

  test('a source that keeps silent is found out', () => {
    const silent = (source: PsiSource): MemoryReading | null => {
      const { notes: _, ...rest } = source.read() ?? {};
      return rest;
    };
    expect(sweep(SMALL, false, silent)).not.toEqual([]);
    expect(sweep(SMALL, true, silent)).not.toEqual([]);
  });

  test('options out of range are refused', () => {
    expect(() => new PsiSource({ findEveryReads: -1 })).toThrow(RangeError);
    expect(() => new PsiSource({ findEveryMs: Number.NaN })).toThrow(RangeError);
    expect(() => new PsiSource({ root: '' })).toThrow(TypeError);
  });
});
