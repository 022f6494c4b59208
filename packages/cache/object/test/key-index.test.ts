import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { KeyIndex } from '../src/internal/key-index.js';

const object = {};
/** Few enough to meet again; some of them beside each other in a table, and at its ends. */
const SPECIAL: readonly unknown[] = [
  0,
  -0,
  -1,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  0.5,
  Number.NaN,
  '',
  '0',
  '1',
  1n,
  object,
];

function keyOf(rng: SeededRng, spread: number): unknown {
  switch (rng.below(8)) {
    case 0:
      return SPECIAL[rng.below(SPECIAL.length)];
    case 1:
      return `key ${rng.below(spread)}`;
    case 2:
      return rng.below(spread) * 4_096;
    default:
      return rng.below(spread);
  }
}

/** An index with its owner's part, beside a `Map` that it must be like. */
class Pair {
  readonly keys: unknown[] = [];
  readonly index: KeyIndex<unknown> = new KeyIndex();
  readonly map = new Map<unknown, number>();
  private readonly free: number[] = [];

  store(key: unknown): void {
    if (this.map.has(key)) {
      return;
    }
    const slot = this.free.pop() ?? this.newSlot();
    this.keys[slot] = key;
    this.map.set(key, slot);
    this.index.set(key, slot);
  }

  drop(key: unknown): void {
    const slot = this.map.get(key);
    if (slot !== undefined) {
      this.map.delete(key);
      this.index.delete(key);
      this.keys[slot] = undefined;
      this.free.push(slot);
    }
  }

  check(): void {
    this.index.checkInvariants();
    expect(this.index.size).toBe(this.map.size);
    expect([...this.index.slots()]).toEqual([...this.map.values()]);
    for (const [key, slot] of this.map) {
      expect(this.index.get(key)).toBe(slot);
    }
  }

  private newSlot(): number {
    const slot = this.keys.push(undefined) - 1;
    if ((slot & (slot - 1)) === 0) {
      this.index.grow(Math.max(4, slot * 2), this.keys);
    }
    return slot;
  }
}

/** Grows and shrinks it, several times. */
function fuzz(seed: number, breakIt: (index: KeyIndex<unknown>) => void = () => {}): void {
  const rng = new SeededRng(seed);
  const pair = new Pair();
  breakIt(pair.index);
  const spread = 1 + rng.below(400);
  for (let phase = 0; phase < 6; phase++) {
    const stores = phase % 2 === 0 ? 7 : 3;
    for (let step = 0; step < 150; step++) {
      const key = keyOf(rng, spread);
      if (rng.below(10) < stores) {
        pair.store(key);
      } else {
        pair.drop(key);
      }
      expect(pair.index.get(key)).toBe(pair.map.get(key) ?? -1);
    }
    pair.check();
  }
}

/** Steps by which two iterations go over changing keys, and what either met. */
function iterate(seed: number): [unknown[], unknown[]] {
  const rng = new SeededRng(seed);
  const pair = new Pair();
  for (let at = 0; at < 40; at++) {
    // Without integers at first, in every other run.
    pair.store(seed % 2 === 0 ? keyOf(rng, 60) : `key ${at}`);
  }
  const met: [unknown[], unknown[]] = [[], []];
  const slots = pair.index.slots();
  const mapped = pair.map.values();
  for (let step = 0; step < 400; step++) {
    const key = keyOf(rng, 60);
    if (rng.below(5) < 2) {
      pair.store(key);
    } else {
      pair.drop(key);
    }
    const one = slots.next();
    const other = mapped.next();
    if (one.done || other.done) {
      met[0].push(one.done);
      met[1].push(other.done);
      break;
    }
    met[0].push(pair.keys[one.value]);
    met[1].push(pair.keys[other.value]);
  }
  return met;
}

const SEEDS = Array.from({ length: 40 }, (_, at) => at + 1);

describe('KeyIndex', () => {
  test('is like a Map, whatever the keys', () => {
    for (const seed of SEEDS) {
      fuzz(seed);
    }
  });

  test('is gone over in the order of a Map that changes meanwhile', () => {
    for (const seed of SEEDS) {
      const [met, expected] = iterate(seed);
      expect(met).toEqual(expected);
    }
  });

  test.each([2 ** 29 - 20, 2 ** 29 - 3])('keeps the order when births start over from %i', (birth) => {
    const pair = new Pair();
    pair.store(0);
    (pair.index as unknown as { lastBirth: number }).lastBirth = birth;
    for (let key = 1; key < 60; key++) {
      pair.store(key);
      pair.drop(key - 7);
    }
    pair.check();
  });

  test('gives memory back when integers leave', () => {
    const pair = new Pair();
    for (let key = 0; key < 10_000; key++) {
      pair.store(key);
    }
    const { bytes } = pair.index;
    for (let key = 0; key < 9_990; key++) {
      pair.drop(key);
    }
    pair.check();
    expect(pair.index.bytes).toBeLessThan(bytes / 2);
  });

  test.each([
    ['no integer', (at: number) => `key ${at}`, 0],
    ['integers in a row', (at: number) => at, 8],
    ['multiples of a page', (at: number) => at * 4_096, 8],
    ['multiples of 2^16', (at: number) => (at << 16) | 0, 8],
  ])('of %s, few stand behind each other', (_, keyAt, most) => {
    const pair = new Pair();
    for (let at = 0; at < 20_000; at++) {
      pair.store(keyAt(at));
    }
    const { cells } = pair.index as unknown as { cells: Int32Array };
    let longest = 0;
    let row = 0;
    for (let at = 1; at < cells.length; at += 2) {
      row = cells[at] === 0 ? 0 : row + 1;
      longest = Math.max(longest, row);
    }
    expect(longest).toBeLessThanOrEqual(most);
  });
});

const BUSTS: Readonly<Record<string, (index: any) => void>> = {
  'leaves a hole where others stand behind'(index) {
    const { deleteInteger } = index;
    index.deleteInteger = (key: number) => {
      const { cells, mask, shift } = index;
      let at = Math.imul(key, 0x9e3779b1) >>> shift;
      while (cells[2 * at] !== key || cells[2 * at + 1] === 0) {
        at = (at + 1) & mask;
      }
      if (cells[2 * ((at + 1) & mask) + 1] === 0) {
        deleteInteger.call(index, key);
      } else {
        cells[2 * at + 1] = 0;
        index.integers--;
      }
    };
  },
  'forgets when keys came'(index) {
    index.bear = (slot: number) => {
      index.births[slot] = slot + 1;
      index.lastBirth = Math.max(index.lastBirth, slot + 1);
    };
  },
  'loses what came before the first integer'(index) {
    index.bearAll = () => {
      index.births = new Int32Array(index.capacity);
      index.keepsBirths = true;
    };
  },
  'takes 2^31 for an integer'(index) {
    const { get, set } = index;
    index.get = (key: unknown) => get.call(index, key === 2 ** 31 ? -(2 ** 31) : key);
    index.set = (key: unknown, slot: number) => set.call(index, key === 2 ** 31 ? -(2 ** 31) : key, slot);
  },
};

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', (name) => {
    expect(() => {
      for (const seed of SEEDS) {
        fuzz(seed, BUSTS[name]);
      }
    }).toThrow();
  });
});
