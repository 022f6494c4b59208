import { describe, expect, test } from 'vitest';

import { REMOVED, REMOVED_RETRY, ROTATE, SKIP, SlotLru, STOP } from '@core/list-lru';

import { checkSlotLru } from '../src/internal/check-invariants.js';

// What a callback does to the list under its own walk. Each property comes with a list that breaks it.

type Make = (length: number, capacity: number) => SlotLru;

const sound: Make = (length, capacity) => {
  const lru = new SlotLru(capacity);
  for (let slot = 0; slot < length; slot++) {
    lru.add(slot);
  }
  return lru;
};

/** A list whose walks are not mended when a slot is taken off. */
const unmended: Make = (length, capacity) => Object.assign(sound(length, capacity) as any, { stepOver() {} });

/** A list whose walks forget that the slot in hand was taken off. */
const forgetful: Make = (length, capacity) => {
  const lru = sound(length, capacity) as any;
  lru.stepOver = (slot: number) => (SlotLru.prototype as any).stepOver.call(lru, slot, false);
  return lru;
};

/** A list that a callback's error leaves in the middle of a walk. */
const unwound: Make = (length, capacity) => {
  const lru = sound(length, capacity) as any;
  lru.walk = (...args: Parameters<SlotLru['walk']>) => {
    try {
      return SlotLru.prototype.walk.apply(lru, args);
    } catch (error) {
      lru.walks++;
      throw error;
    }
  };
  return lru;
};

function caught(property: (make: Make) => void, busted: Make): void {
  expect(() => property(busted)).toThrow();
}

describe('the callback deletes the slot that is next', () => {
  const property = (make: Make): void => {
    const lru = make(4, 4);
    const seen: number[] = [];
    lru.walk(9, (slot) => {
      seen.push(slot);
      lru.del(1);
      lru.del(2);
      return SKIP;
    });
    checkSlotLru(lru);
    expect(seen).toEqual([0, 3]);
    expect([...lru]).toEqual([0, 3]);
  };
  test('the walk goes on behind it', () => property(sound));
  test('busted: a walk that is not mended is caught', () => caught(property, unmended));
});

describe('the callback moves the slot that is next', () => {
  const property = (make: Make): void => {
    const lru = make(3, 3);
    const seen: number[] = [];
    lru.walk(9, (slot) => {
      seen.push(slot);
      if (slot === 0) {
        lru.moveToTail(1);
      }
      return REMOVED;
    });
    checkSlotLru(lru);
    expect(seen).toEqual([0, 2, 1]);
  };
  test('the walk meets it at its new place', () => property(sound));
  test('busted: a walk that is not mended is caught', () => caught(property, unmended));
});

describe('the callback takes its own slot off and puts the slot to a new use', () => {
  const property = (make: Make): void => {
    for (const status of [REMOVED, REMOVED_RETRY, ROTATE]) {
      const lru = make(3, 3);
      lru.walk(1, (slot) => {
        lru.del(slot);
        // The slot is free again, and the next entry of the cache has it.
        lru.addHead(slot);
        return status;
      });
      checkSlotLru(lru);
      expect([...lru]).toEqual([0, 1, 2]);
    }
  };
  test('the list leaves the new entry alone', () => property(sound));
  test('busted: a list that takes the new entry off is caught', () => caught(property, forgetful));
});

describe('the callback moves its own slot to where the walk goes next', () => {
  const property = (make: Make): void => {
    const lru = make(4, 4);
    const seen: number[] = [];
    lru.walk(3, (slot) => {
      seen.push(slot);
      // The list becomes 1, 0 and the next slot is 1, 2, 3 and in the end 0 itself.
      lru.moveToTail(0);
      lru.moveToTail(1);
      lru.del(2);
      lru.del(3);
      lru.moveToHead(1);
      return REMOVED;
    });
    checkSlotLru(lru);
    expect(seen).toEqual([0]);
    expect([...lru]).toEqual([1]);
  };
  test('the walk does not meet it again once it is off', () => property(sound));
  test('busted: a walk that is not mended is caught', () => caught(property, unmended));
});

describe('the callback takes its own slot off', () => {
  test('whatever it returns, the walk goes on and nothing is done twice', () => {
    for (const status of [REMOVED, ROTATE, SKIP]) {
      const lru = sound(4, 4);
      const seen: number[] = [];
      lru.walk(9, (slot) => {
        seen.push(slot);
        lru.del(slot);
        return status;
      });
      checkSlotLru(lru);
      expect(seen).toEqual([0, 1, 2, 3]);
      expect(lru.length).toBe(0);
    }
  });
});

describe('the callback throws', () => {
  const property = (make: Make): void => {
    const lru = make(4, 4);
    const sc = { nrToScan: 9, nrScanned: -1 };
    const walk = () =>
      lru.walk(sc, (slot) => {
        if (slot === 2) {
          throw new Error('out of order');
        }
        return slot === 0 ? ROTATE : REMOVED;
      });
    expect(walk).toThrow('out of order');
    checkSlotLru(lru);
    expect([...lru]).toEqual([2, 3, 0]);
    expect(sc.nrScanned).toBe(3);
    expect(lru.walk(9, () => REMOVED)).toBe(3);
  };
  test('its slot stays, what was done before stays done, and the next walk is a whole one', () => property(sound));
  test('busted: a list left in the middle of a walk is caught', () => caught(property, unwound));
});

describe('the callback walks the list itself', () => {
  const property = (make: Make): void => {
    const lru = make(6, 6);
    const seen: number[] = [];
    const removed = lru.walk(9, (slot) => {
      seen.push(slot);
      // The inner walk takes the outer one's slot, and those it would go to next.
      expect(lru.walk(slot === 0 ? 3 : 1, () => REMOVED)).toBe(slot === 0 ? 3 : 1);
      return slot === 5 ? STOP : REMOVED;
    });
    checkSlotLru(lru);
    expect(seen).toEqual([0, 3, 4, 5]);
    expect(removed).toBe(3);
    expect(lru.length).toBe(0);
  };
  test('the outer walk goes on with what is left', () => property(sound));
  test('busted: a walk that is not mended is caught', () => caught(property, unmended));
});

test('the callback may grow the slots, add and clear', () => {
  const lru = sound(3, 3);
  const seen: number[] = [];
  lru.walk(20, (slot) => {
    seen.push(slot);
    if (slot === 0) {
      lru.grow(64);
      lru.add(63);
    }
    if (slot === 63) {
      lru.add(40);
    }
    return REMOVED;
  });
  // 40 came when the walk was at the tail already, so it waits for the next one.
  expect(seen).toEqual([0, 1, 2, 63]);
  expect([...lru]).toEqual([40]);
  lru.add(41);
  lru.walk(20, (slot) => {
    seen.push(slot);
    lru.clear();
    return REMOVED;
  });
  checkSlotLru(lru);
  expect(seen).toEqual([0, 1, 2, 63, 40]);
});
