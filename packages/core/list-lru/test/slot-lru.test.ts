import { describe, expect, test } from 'vitest';

import {
  type LruStatus,
  NO_SLOT,
  REMOVED,
  REMOVED_RETRY,
  RETRY,
  ROTATE,
  SKIP,
  SlotLinks,
  SlotLru,
  STOP,
} from '@core/list-lru';

import { checkSlotLru } from '../src/internal/check-invariants.js';

function lruOf(length: number, capacity = length): SlotLru {
  const lru = new SlotLru(capacity);
  for (let slot = 0; slot < length; slot++) {
    lru.add(slot);
  }
  return lru;
}

/** Walks with a fixed answer for each slot, and says all that a walk can change. */
function walked(lru: SlotLru, nrToScan: number, answers: readonly LruStatus[]) {
  const sc = { nrToScan, nrScanned: -1 };
  const seen: number[] = [];
  const removed = lru.walk(sc, (slot) => {
    seen.push(slot);
    return answers[slot]!;
  });
  checkSlotLru(lru);
  return { removed, examined: sc.nrScanned, seen, order: [...lru], length: lru.length };
}

describe('each code: length, order, returned count and what it costs of nrToScan', () => {
  test('REMOVED takes the slot off and goes on', () => {
    expect(walked(lruOf(3), 2, [REMOVED, REMOVED, REMOVED])).toEqual({
      removed: 2,
      examined: 2,
      seen: [0, 1],
      order: [2],
      length: 1,
    });
  });

  test('REMOVED_RETRY takes the slot off and starts again from the head', () => {
    expect(walked(lruOf(4), 9, [SKIP, REMOVED_RETRY, REMOVED, STOP])).toEqual({
      removed: 2,
      examined: 5,
      seen: [0, 1, 0, 2, 3],
      order: [0, 3],
      length: 2,
    });
  });

  test('ROTATE moves the slot to the tail, where it is met again as long as nrToScan lasts', () => {
    expect(walked(lruOf(3), 2, [ROTATE, ROTATE, ROTATE])).toEqual({
      removed: 0,
      examined: 2,
      seen: [0, 1],
      order: [2, 0, 1],
      length: 3,
    });
    expect(walked(lruOf(3), 5, [ROTATE, ROTATE, ROTATE]).seen).toEqual([0, 1, 2, 0, 1]);
  });

  test('a walk that has reached the tail is over, also when the last slot is rotated', () => {
    expect(walked(lruOf(1), 5, [ROTATE]).seen).toEqual([0]);
    expect(walked(lruOf(3), 9, [SKIP, SKIP, ROTATE]).seen).toEqual([0, 1, 2]);
  });

  test('SKIP leaves the slot in place', () => {
    expect(walked(lruOf(3), 9, [SKIP, REMOVED, SKIP])).toEqual({
      removed: 1,
      examined: 3,
      seen: [0, 1, 2],
      order: [0, 2],
      length: 2,
    });
  });

  test('RETRY starts again from the head, and nrToScan bounds it', () => {
    expect(walked(lruOf(3), 7, [SKIP, RETRY, REMOVED])).toEqual({
      removed: 0,
      examined: 7,
      seen: [0, 1, 0, 1, 0, 1, 0],
      order: [0, 1, 2],
      length: 3,
    });
  });

  test('STOP leaves the slot and ends the walk', () => {
    expect(walked(lruOf(3), 9, [REMOVED, STOP, REMOVED])).toEqual({
      removed: 1,
      examined: 2,
      seen: [0, 1],
      order: [1, 2],
      length: 2,
    });
  });

  test('an empty list and a walk over nothing call nobody', () => {
    expect(walked(lruOf(0), 9, []).examined).toBe(0);
    expect(walked(lruOf(3), 0, [REMOVED, REMOVED, REMOVED]).order).toEqual([0, 1, 2]);
  });

  test('a plain number does for a control', () => {
    const lru = lruOf(4);
    expect(lru.walk(3, () => REMOVED)).toBe(3);
    expect([...lru]).toEqual([3]);
  });
});

describe('single operations', () => {
  test('add and del say whether they changed anything', () => {
    const lru = new SlotLru(2);
    expect([lru.add(1), lru.add(1), lru.addHead(1), lru.length]).toEqual([true, false, false, 1]);
    expect([lru.del(1), lru.del(1), lru.length]).toEqual([true, false, 0]);
    expect([lru.moveToTail(1), lru.moveToHead(1), lru.has(1)]).toEqual([false, false, false]);
  });

  test('both ends, the neighbours, and both directions', () => {
    const lru = lruOf(3, 5);
    lru.addHead(4);
    expect([lru.head(), lru.tail(), lru.next(4), lru.prev(4), lru.next(2)]).toEqual([4, 2, 0, NO_SLOT, NO_SLOT]);
    lru.moveToHead(2);
    lru.moveToTail(4);
    expect([...lru]).toEqual([2, 0, 1, 4]);
    expect([...lru.reversed()]).toEqual([4, 1, 0, 2]);
    expect([new SlotLru().head(), new SlotLru().tail()]).toEqual([NO_SLOT, NO_SLOT]);
  });

  test('the slot that an iteration has in hand may be deleted', () => {
    for (const direction of ['forward', 'reversed']) {
      const lru = lruOf(5);
      for (const slot of direction === 'forward' ? lru : lru.reversed()) {
        expect(lru.del(slot)).toBe(true);
      }
      expect(lru.length).toBe(0);
      checkSlotLru(lru);
    }
  });

  test('grow keeps the order and adds room; it never shrinks', () => {
    const lru = lruOf(3);
    expect(() => lru.add(3)).toThrow(RangeError);
    lru.grow(5);
    lru.grow(1);
    expect([lru.capacity, lru.add(3), lru.add(4), [...lru]]).toEqual([5, true, true, [0, 1, 2, 3, 4]]);
    checkSlotLru(lru);
  });

  test('clear takes everything off', () => {
    const lru = lruOf(3);
    lru.clear();
    checkSlotLru(lru);
    expect([lru.length, lru.has(1), lru.add(1), [...lru]]).toEqual([0, false, true, [1]]);
  });

  test('argument faults', () => {
    for (const capacity of [-1, 0.5, Number.NaN, 2 ** 31]) {
      expect(() => new SlotLru(capacity)).toThrow(RangeError);
      expect(() => new SlotLru(1).grow(capacity)).toThrow(RangeError);
    }
    const lru = lruOf(2);
    for (const slot of [-1, 2, 0.5, Number.NaN]) {
      expect(() => lru.add(slot)).toThrow(RangeError);
      expect(() => lru.addHead(slot)).toThrow(RangeError);
      expect([lru.del(slot), lru.has(slot), lru.moveToTail(slot)]).toEqual([false, false, false]);
    }
    for (const nrToScan of [-1, 0.5, Number.NaN, Infinity]) {
      expect(() => lru.walk(nrToScan, () => SKIP)).toThrow(RangeError);
      expect(() => lru.walk({ nrToScan, nrScanned: 0 }, () => SKIP)).toThrow(RangeError);
    }
    expect(() => lru.walk(1, () => undefined as unknown as LruStatus)).toThrow(TypeError);
    checkSlotLru(lru);
    expect([...lru]).toEqual([0, 1]);
  });
});

describe('lists that share slots', () => {
  test('a slot is on one of them at most, and only that one lets it go', () => {
    const links = new SlotLinks(4);
    const young = new SlotLru(links);
    const old = new SlotLru(links);
    young.add(0);
    young.add(1);
    expect([old.add(0), old.del(0), old.moveToTail(0), old.has(0)]).toEqual([false, false, false, false]);
    expect([links.listOf(0), links.listOf(3), links.listOf(9)]).toEqual([young, null, null]);
    // The way of a slot from one queue to another, from inside a walk.
    const removed = young.walk(9, (slot) => {
      young.del(slot);
      old.add(slot);
      return REMOVED;
    });
    expect([removed, [...young], [...old]]).toEqual([2, [], [0, 1]]);
    old.grow(8);
    expect([young.capacity, young.add(7)]).toEqual([8, true]);
    checkSlotLru(young);
    checkSlotLru(old);
  });

  test('there can be more lists than a byte can name', () => {
    const links = new SlotLinks(600);
    const lists: SlotLru[] = [];
    for (let slot = 0; slot < 300; slot++) {
      lists.push(new SlotLru(links));
      lists[slot]!.add(slot);
      lists[slot]!.add(slot + 300);
    }
    links.grow(700);
    expect(lists.every((list, slot) => list.has(slot) && list.next(slot) === slot + 300 && list.length === 2)).toBe(
      true,
    );
    expect(lists[299]!.add(650)).toBe(true);
    checkSlotLru(lists[0]!);
    checkSlotLru(lists[299]!);
  });
});
