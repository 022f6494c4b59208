import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { HeapModel } from '../src/internal/heap-model.js';

const MIB = 2 ** 20;
const LIMIT = 256 * MIB;

function collect(model: HeapModel, liveMb: number, chargedMb: number, wastedMb = 0): void {
  model.collected({ liveBytes: liveMb * MIB, wastedBytes: wastedMb * MIB }, chargedMb * MIB, LIMIT);
}

describe('what is alive', () => {
  test('is what the last collection left, and what has been charged since', () => {
    const model = new HeapModel(40 * MIB, 10 * MIB);
    expect(model.live(20 * MIB, 500 * MIB)).toBe(50 * MIB);
    expect(model.live(5 * MIB, 500 * MIB)).toBe(35 * MIB);
    collect(model, 30, 20);
    expect(model.liveAtLast).toBe(30 * MIB);
    expect(model.live(20 * MIB, 500 * MIB)).toBe(30 * MIB);
    expect(model.live(15 * MIB, 500 * MIB)).toBe(25 * MIB);
  });

  test('is no more than there is, and not below 0', () => {
    const model = new HeapModel(10 * MIB, 100 * MIB);
    expect(model.live(200 * MIB, 60 * MIB)).toBe(60 * MIB);
    expect(model.live(0, 60 * MIB)).toBe(0);
    expect(model.expected(0)).toBe(0);
  });

  test('a surprise is what a collection left beyond it, in sum, and is told once', () => {
    const model = new HeapModel(50 * MIB, 0);
    collect(model, 20, 0);
    expect(model.takeSurprise()).toBe(0);
    collect(model, 30, 0);
    collect(model, 29, 0);
    expect(model.takeSurprise()).toBe(9 * MIB);
    expect(model.takeSurprise()).toBe(0);
  });
});

describe('the factor', () => {
  test('rises fast, falls slowly, and stays within its bounds', () => {
    const model = new HeapModel(0, 0);
    collect(model, 0, 0);
    collect(model, 40, 10);
    expect(model.factor).toBeCloseTo(1 + 0.7 * 3, 10);
    collect(model, 50, 20);
    expect(model.factor).toBeCloseTo(3.1 - 0.2 * 2.1, 10);
    for (let round = 0; round < 50; round++) {
      collect(model, 50 + 100 * round, 20 + round * 2);
    }
    expect(model.factor).toBeCloseTo(8, 6);
    for (let round = 0; round < 100; round++) {
      collect(model, 50, 1000 + round * 2);
    }
    expect(model.factor).toBeCloseTo(0.5, 6);
  });

  test('is not judged by small changes', () => {
    const model = new HeapModel(0, 0);
    collect(model, 10, 0);
    collect(model, 90, 0.9);
    expect(model.factor).toBe(1);
  });

  test('the first collection can only raise it, and only where much was charged', () => {
    const lower = new HeapModel(50 * MIB, 0);
    collect(lower, 20, 40);
    expect(lower.factor).toBe(1);
    const higher = new HeapModel(10 * MIB, 0);
    collect(higher, 90, 20);
    expect(higher.factor).toBe(4);
    // A cache that was there before: a byte more says nothing.
    const before = new HeapModel(100 * MIB, 50 * MIB);
    before.collected({ liveBytes: 120 * MIB, wastedBytes: 0 }, 50 * MIB + 1, LIMIT);
    expect(before.factor).toBe(1);
  });
});

describe('waste', () => {
  test('counts as the share of the heap that it takes, from a twentieth on', () => {
    const model = new HeapModel(0, 0);
    collect(model, 96, 10, 4);
    expect(model.wastedBytes).toBe(0);
    collect(model, 60, 20, 20);
    expect(model.wastedBytes).toBe(LIMIT / 4);
    collect(model, 99, 30, 1);
    expect(model.wastedBytes).toBe(0);
  });

  test('says nothing while the heap is small, while little is charged, and after anything was evicted', () => {
    const model = new HeapModel(0, 0);
    collect(model, 20, 10, 20);
    expect(model.wastedBytes).toBe(0);
    collect(model, 60, 10, 20);
    expect(model.wastedBytes).toBe(0);
    for (const charged of [20, 15, 20]) {
      model.see(charged * MIB);
    }
    collect(model, 60, 20, 20);
    expect(model.wastedBytes).toBe(0);
    model.see(30 * MIB);
    collect(model, 60, 30, 20);
    expect(model.wastedBytes).toBe(LIMIT / 4);
  });
});

/** A heap whose caches take `factor` bytes for each that they charge, beside other objects that come and go. */
function follow(seed: number, make: () => HeapModel): { worst: number; factor: number; trueFactor: number } {
  const rng = new SeededRng(seed);
  const trueFactor = 0.25 * 2 ** (5 * rng.next());
  const model = make();
  let charged = 0;
  let other = 30 * MIB;
  let worst = 0;
  let lastLive = other;
  for (let round = 0; round < 60; round++) {
    const changed = (rng.next() - 0.4) * 40 * MIB;
    charged = Math.max(0, charged + Math.sign(changed) * Math.max(2 * MIB, Math.abs(changed)));
    other = Math.max(MIB, other + (rng.next() - 0.5) * MIB);
    // Others take a lot, once.
    if (round === 30) {
      other += 25 * MIB;
    }
    const live = other + trueFactor * charged;
    const used = live * (1 + rng.next());
    const told = model.live(charged, used);
    if (!(told >= 0 && told <= used) || !(model.expected(charged) >= 0)) {
      throw new Error(`seed ${seed}: ${told} of ${used} bytes are said to be alive`);
    }
    if (round >= 50) {
      worst = Math.max(worst, Math.abs(model.expected(charged) - live) / Math.abs(live - lastLive));
    }
    model.collected({ liveBytes: live, wastedBytes: 0 }, charged, LIMIT);
    lastLive = live;
    if (model.liveAtLast !== live || model.expected(charged) !== live) {
      throw new Error(`seed ${seed}: a collection is not believed`);
    }
  }
  return { worst, factor: model.factor, trueFactor };
}

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

describe('against simulated heaps', () => {
  test('the factor comes to what it is, within its bounds', () => {
    for (const seed of SEEDS) {
      const { factor, trueFactor } = follow(seed, () => new HeapModel(60 * MIB, 0));
      const bounded = Math.max(0.5, trueFactor);
      expect(factor / bounded, `seed ${seed}, true factor ${trueFactor}`).toBeGreaterThan(0.8);
      expect(factor / bounded, `seed ${seed}, true factor ${trueFactor}`).toBeLessThan(1.5);
    }
  });

  test('of what changes between collections, most is foreseen', () => {
    const errors = SEEDS.map((seed) => follow(seed, () => new HeapModel(60 * MIB, 0)).worst).toSorted((a, b) => a - b);
    expect(errors[100]).toBeLessThan(0.3);
  });

  test('one that measures nothing is far off', () => {
    const fixed = (): HeapModel =>
      Object.defineProperty(new HeapModel(60 * MIB, 0), 'factor', { get: () => 1, set: () => {} });
    const errors = SEEDS.map((seed) => follow(seed, fixed).worst).toSorted((a, b) => a - b);
    expect(errors[100]).toBeGreaterThan(0.5);
  });
});
