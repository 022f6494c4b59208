import { describe, expect, test } from 'vitest';

import { SeededRng } from '@core/base';
import { type LruStatus, REMOVED, REMOVED_RETRY, RETRY, ROTATE, SKIP, SlotLru, STOP } from '@core/list-lru';

import { checkSlotLru } from '../src/internal/check-invariants.js';
import { ArrayLru } from './array-lru.js';

const STATUSES: readonly LruStatus[] = [REMOVED, REMOVED_RETRY, ROTATE, SKIP, RETRY, STOP];

/** An operation on both lists alike; says what it returned. */
type Op = { readonly name: string; run(lru: SlotLru | ArrayLru<number>): boolean | undefined };

function opsOn(slots: number): Op[] {
  const ops: Op[] = [{ name: 'clear', run: (lru) => void lru.clear() }];
  for (let slot = 0; slot < slots; slot++) {
    for (const method of ['add', 'addHead', 'del', 'moveToTail', 'moveToHead'] as const) {
      ops.push({ name: `${method} ${slot}`, run: (lru) => lru[method](slot) });
    }
  }
  return ops;
}

/** Every order of every subset of the slots. */
function ordersOf(slots: number): number[][] {
  const orders: number[][] = [[]];
  for (const order of orders) {
    for (let slot = 0; slot < slots; slot++) {
      if (!order.includes(slot)) {
        orders.push([...order, slot]);
      }
    }
  }
  return orders;
}

function pairOf(order: readonly number[], capacity: number, bust: (lru: any) => void = () => {}) {
  const lru = new SlotLru(capacity);
  const model = new ArrayLru<number>();
  for (const slot of order) {
    lru.add(slot);
    model.add(slot);
  }
  bust(lru);
  return { lru, model };
}

// Every list of up to 5 slots is one of these 326 orders, so one step from each of them is every sequence of steps.
function everyStep(bust?: (lru: any) => void): number {
  const ops = opsOn(5);
  let steps = 0;
  for (const order of ordersOf(5)) {
    for (const op of ops) {
      const { lru, model } = pairOf(order, 5, bust);
      expect(op.run(lru), `${op.name} on ${order.join()}`).toBe(op.run(model));
      checkSlotLru(lru);
      if ([...lru].join() !== model.items.join() || [...lru.reversed()].toReversed().join() !== model.items.join()) {
        throw new Error(`${op.name} on ${order.join()} gave ${[...lru].join()}, not ${model.items.join()}`);
      }
      steps++;
    }
  }
  return steps;
}

describe('exhaustive, n ≤ 5', () => {
  test('every operation on every list', () => {
    expect(everyStep()).toBe(326 * 26);
  });

  test('busted: an unlink that forgets the head is caught', () => {
    expect(() =>
      everyStep((lru) => {
        lru.unlink = (slot: number) => {
          const first = lru.first;
          (SlotLru.prototype as any).unlink.call(lru, slot);
          lru.first = first;
        };
      }),
    ).toThrow();
  });

  test('busted: a rotation of the head that goes the other way round is caught', () => {
    expect(() =>
      everyStep((lru) => {
        lru.rotate = (slot: number) => {
          if (slot === lru.first) {
            lru.first = lru.links.prev[slot];
          } else {
            (SlotLru.prototype as any).rotate.call(lru, slot);
          }
        };
      }),
    ).toThrow();
  });

  test('every answer of every slot, with every nrToScan', () => {
    for (let length = 0; length <= 5; length++) {
      const order = Array.from({ length }, (_, slot) => slot);
      for (let code = 0; code < 6 ** length; code++) {
        const answers = order.map((slot) => STATUSES[Math.floor(code / 6 ** slot) % 6]!);
        for (const budget of [1, 2, length, length + 1, 2 * length + 1]) {
          const { lru, model } = pairOf(order, length);
          const sc = { nrToScan: budget, nrScanned: -1 };
          const removed = lru.walk(sc, (slot) => answers[slot]!);
          const expected = model.walk(budget, (slot) => answers[slot]!);
          checkSlotLru(lru);
          if (
            removed !== expected.removed ||
            sc.nrScanned !== expected.examined ||
            [...lru].join() !== model.items.join()
          ) {
            throw new Error(`answers ${answers.join()} for ${budget}: ${removed} removed, ${[...lru].join()} left`);
          }
        }
      }
    }
  });

  test('every operation inside every callback, with every answer', () => {
    const order = [0, 1, 2];
    for (const op of opsOn(4)) {
      for (const at of order) {
        for (const answer of STATUSES) {
          for (const others of [SKIP, REMOVED, ROTATE] as const) {
            const { lru, model } = pairOf(order, 4);
            const run = (list: SlotLru | ArrayLru<number>, seen: number[]) => (slot: number) => {
              seen.push(slot);
              if (slot === at) {
                op.run(list);
              }
              return slot === at ? answer : others;
            };
            const seen: number[] = [];
            const expectedSeen: number[] = [];
            const removed = lru.walk(7, run(lru, seen));
            const expected = model.walk(7, run(model, expectedSeen));
            checkSlotLru(lru);
            expect([removed, seen, [...lru]], `${op.name} at ${at}, answer ${answer}, others ${others}`).toEqual([
              expected.removed,
              expectedSeen,
              model.items,
            ]);
          }
        }
      }
    }
  });
});

/** Random operations, and random operations and walks inside callbacks, on a list and on its model. */
function fuzz(seed: number, steps: number, bust?: (lru: any) => void): void {
  const rng = new SeededRng(seed);
  const capacity = 1 + rng.below(12);
  const { lru, model } = pairOf([], capacity, bust);
  const ops = opsOn(capacity);
  // Both walks are told by the same script, and each keeps its own place in it.
  const walkBoth = (depth: number): void => {
    const budget = rng.below(2 * capacity);
    const script = Array.from({ length: budget }, () => ({
      status: rng.pick(STATUSES),
      ops: rng.below(3) === 0 ? [rng.pick(ops), rng.pick(ops)] : [],
      inner: depth < 2 && rng.below(4) === 0 ? { budget: rng.below(4), status: rng.pick(STATUSES) } : null,
    }));
    const play = (list: SlotLru | ArrayLru<number>, seen: number[]) => {
      let at = 0;
      return (slot: number): LruStatus => {
        const line = script[at++]!;
        seen.push(slot);
        for (const op of line.ops) {
          op.run(list);
        }
        const { inner } = line;
        if (inner !== null) {
          list.walk(inner.budget, (innerSlot: number) => {
            seen.push(-innerSlot);
            return inner.status;
          });
        }
        return line.status;
      };
    };
    const seen: number[] = [];
    const expectedSeen: number[] = [];
    const removed = lru.walk(budget, play(lru, seen));
    const expected = model.walk(budget, play(model, expectedSeen));
    expect([removed, seen]).toEqual([expected.removed, expectedSeen]);
  };
  for (let step = 0; step < steps; step++) {
    if (rng.below(4) === 0) {
      walkBoth(0);
    } else {
      const op = rng.pick(ops);
      expect(op.run(lru), op.name).toBe(op.run(model));
    }
    checkSlotLru(lru);
    expect([...lru]).toEqual(model.items);
    expect(lru.length).toBe(model.items.length);
  }
}

describe('against an array', () => {
  test('random operations, also inside callbacks', () => {
    const first = Number(process.env['SEED'] ?? Date.now() % 1e9);
    for (let seed = first; seed < first + 300; seed++) {
      try {
        fuzz(seed, 60);
      } catch (error) {
        throw new Error(`SEED=${seed}`, { cause: error });
      }
    }
  });

  test('busted: a list whose walks are not mended is caught', () => {
    expect(() => {
      for (let seed = 1; seed <= 300; seed++) {
        fuzz(seed, 60, (lru) => {
          lru.stepOver = () => {};
        });
      }
    }).toThrow();
  });
});
