import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { budgetsOf, type MemoryBudget, type MemoryLimits } from '../src/memory-budget.js';
import { EXACT_WATERMARKS, HEAP_WATERMARKS, watermarksOf } from '../src/watermarks.js';

const MIB = 2 ** 20;

interface Machine {
  readonly heapMb: number;
  readonly youngMb?: number;
  readonly rssMb: number;
  readonly baseMb?: number;
  readonly limits?: MemoryLimits;
}

function budgets({ heapMb, youngMb = 0, rssMb, baseMb = 50, limits = {} }: Machine): MemoryBudget[] {
  const heap = { bytes: heapMb * MIB, youngBytes: youngMb * MIB, from: 'the flag' };
  return budgetsOf(heap, { bytes: rssMb * MIB, from: 'memory.max' }, baseMb * MIB, limits);
}

/** In MiB: the limit, and its watermarks. */
function inMb({ limitBytes, watermarks: { min, low, high } }: MemoryBudget): number[] {
  return [limitBytes, min, low, high].map((bytes) => Math.round((10 * bytes) / MIB) / 10);
}

describe('goldens', () => {
  test('256 MB of heap, 512 MB of memory', () => {
    const [heap, external] = budgets({ heapMb: 256, rssMb: 512 }) as [MemoryBudget, MemoryBudget];
    expect(inMb(heap)).toEqual([256, 51.2, 71.7, 92.2]);
    expect(inMb(external)).toEqual([110, 5.5, 11, 16.5]);
    expect([heap.from, external.from]).toEqual([
      'the flag',
      'memory.max, less the heap, the process itself and a margin',
    ]);
  });

  test('4 GB of heap in a container of 512 MB: three quarters of what is left', () => {
    const [heap, external] = budgets({ heapMb: 4096, rssMb: 512 }) as [MemoryBudget, MemoryBudget];
    expect(inMb(heap)).toEqual([274.5, 54.9, 76.9, 98.8]);
    expect(inMb(external)).toEqual([91.5, 4.6, 9.1, 13.7]);
    expect(heap.from).toBe('three quarters of what memory.max leaves');
  });

  test('64 MB of heap in a container of 128 MB: half of it is kept free', () => {
    const [heap, external] = budgets({ heapMb: 64, rssMb: 128, baseMb: 40 }) as [MemoryBudget, MemoryBudget];
    expect(inMb(heap)).toEqual([46.8, 23.4, 28.1, 32.8]);
    expect(inMb(external)).toEqual([15.6, 0.8, 1.6, 2.3]);
  });

  test('100 MB of heap: the floor of 24 MB', () => {
    const [heap] = budgets({ heapMb: 100, rssMb: 4096 }) as [MemoryBudget];
    expect(inMb(heap)).toEqual([100, 24, 33.6, 43.2]);
  });

  test('young objects come off', () => {
    const [, without] = budgets({ heapMb: 256, rssMb: 512 }) as [MemoryBudget, MemoryBudget];
    const [, external] = budgets({ heapMb: 256, youngMb: 48, rssMb: 512 }) as [MemoryBudget, MemoryBudget];
    expect(without.limitBytes - external.limitBytes).toBeGreaterThanOrEqual(24 * MIB);
  });

  test('no limit', () => {
    const [heap, external] = budgets({ heapMb: 256, rssMb: Infinity }) as [MemoryBudget, MemoryBudget];
    expect(inMb(heap)).toEqual([256, 51.2, 71.7, 92.2]);
    expect(external).toMatchObject({ limitBytes: Infinity, watermarks: { min: 0, low: 0, high: 0 } });
  });

  test('a process that is large before there are caches leaves them a quarter', () => {
    const [heap, external] = budgets({ heapMb: 256, rssMb: 512, baseMb: 600 }) as [MemoryBudget, MemoryBudget];
    expect(heap.limitBytes + external.limitBytes).toBe(128 * MIB);
  });

  test('what is given goes before what was found', () => {
    const limits = { heapBytes: 100 * MIB, totalBytes: 80 * MIB };
    const [heap, , total] = budgets({ heapMb: 256, rssMb: 1024, limits }) as [MemoryBudget, MemoryBudget, MemoryBudget];
    expect(heap).toMatchObject({ limitBytes: 100 * MIB, from: 'options' });
    expect(total).toMatchObject({
      name: 'total',
      limitBytes: 80 * MIB,
      from: 'options',
      zones: ['heap', 'external', 'shared'],
    });
    expect(inMb(total)).toEqual([80, 4, 8, 12]);
  });
});

/** What is wrong with the watermarks of so many bytes. */
function faultsOf(bytes: number, shares = HEAP_WATERMARKS, floor = 0, marksOf = watermarksOf): string[] {
  const { min, low, high } = marksOf(bytes, shares, floor);
  return [
    ...(min > 0 && min < low && low < high ? [] : ['not min < low < high']),
    ...(high < 0.75 * bytes ? [] : ['a quarter is not left to use']),
    ...([min, low, high].every((mark) => Number.isInteger(mark)) ? [] : ['no integers']),
    ...(min >= Math.floor(Math.min(floor, bytes / 2)) ? [] : ['less than the floor']),
  ];
}

describe('watermarks', () => {
  test('are in order and within the limit, for any limit', () => {
    const rng = new SeededRng(7);
    for (let round = 0; round < 5000; round++) {
      const bytes = Math.floor(2 ** (8 + 40 * rng.next()));
      const floor = rng.next() < 0.5 ? 0 : 24 * MIB;
      expect(faultsOf(bytes, HEAP_WATERMARKS, floor), `${bytes} bytes, floor ${floor}`).toEqual([]);
      expect(faultsOf(bytes, EXACT_WATERMARKS), `${bytes} bytes`).toEqual([]);
    }
  });

  test('they would not be without bounds', () => {
    const unbounded: typeof watermarksOf = (bytes, shares, floor) => {
      const min = Math.max(shares.min * bytes, floor ?? 0);
      return { min, low: shares.low * bytes, high: shares.high * bytes };
    };
    expect(faultsOf(30 * MIB, HEAP_WATERMARKS, 24 * MIB, unbounded)).toContain('not min < low < high');
  });
});

test('heap, external memory, the process and its margin fit into the limit, for any machine', () => {
  const rng = new SeededRng(11);
  let tight = 0;
  for (let round = 0; round < 5000; round++) {
    const machine = {
      heapMb: Math.ceil(2 ** (5 + 8 * rng.next())),
      youngMb: rng.pick([24, 48, 96, 192]),
      rssMb: Math.ceil(2 ** (6 + 10 * rng.next())),
      baseMb: Math.ceil(30 + 100 * rng.next()),
    };
    const [heap, external] = budgets(machine) as [MemoryBudget, MemoryBudget];
    const overhead = Math.min(96, 0.2 * machine.rssMb) + machine.youngMb / 2 + machine.baseMb;
    const sumMb = (heap.limitBytes + external.limitBytes) / MIB;
    expect(heap.limitBytes).toBeGreaterThan(0);
    expect(external.limitBytes).toBeGreaterThan(0);
    expect(heap.limitBytes).toBeLessThanOrEqual(machine.heapMb * MIB);
    if (overhead <= 0.75 * machine.rssMb) {
      expect(sumMb + overhead, JSON.stringify(machine)).toBeLessThanOrEqual(machine.rssMb + 1e-6);
    } else {
      // There is no room for caches; a quarter is theirs all the same.
      tight++;
      expect(sumMb).toBeLessThanOrEqual(machine.rssMb / 4);
    }
  }
  expect(tight).toBeGreaterThan(0);
  expect(tight).toBeLessThan(4000);
});
