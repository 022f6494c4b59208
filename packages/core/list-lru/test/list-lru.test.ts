import { describe, expect, test } from 'vitest';

import { ListLru, REMOVED, REMOVED_RETRY, RETRY, ROTATE, SKIP, STOP } from '@core/list-lru';
import type { ShrinkControl, Zone } from '@core/shrinker';

import { checkListLru } from '../src/internal/check-invariants.js';

interface Thing {
  lruSlot: number;
  readonly name: string;
}

function thing(name: string): Thing {
  return { lruSlot: -1, name };
}

function things(names: string): Thing[] {
  return [...names].map(thing);
}

function control(nrToScan: number, zone: Zone = 'heap'): ShrinkControl {
  return { zone, group: null, nrToScan, nrScanned: nrToScan, priority: 12, mode: 'background' };
}

function namesOf(lru: ListLru<Thing>): string {
  return [...lru].map(({ name }) => name).join('');
}

describe('one list', () => {
  test('add and del are idempotent, and say whether they changed anything', () => {
    const lru = new ListLru<Thing>();
    const [a, b] = things('ab') as [Thing, Thing];
    expect([lru.has(a), lru.del(a), lru.moveToTail(a)]).toEqual([false, false, false]);
    expect([lru.add(a), lru.add(a), lru.add(b), lru.length]).toEqual([true, false, true, 2]);
    expect([lru.has(a), lru.moveToTail(a), namesOf(lru)]).toEqual([true, true, 'ba']);
    expect([lru.del(a), lru.del(a), lru.has(a), a.lruSlot]).toEqual([true, false, false, -1]);
    checkListLru(lru);
  });

  test('an object is on one ListLru at most', () => {
    const lru = new ListLru<Thing>();
    const other = new ListLru<Thing>();
    const [a, b] = things('ab') as [Thing, Thing];
    lru.add(a);
    other.add(b);
    // Both have slot 0 of their lists.
    expect([other.add(a), other.del(a), other.has(a), other.moveToTail(a)]).toEqual([false, false, false, false]);
    expect([namesOf(lru), namesOf(other)]).toEqual(['a', 'b']);
    checkListLru(other);
  });

  test('each code', () => {
    const lru = new ListLru<Thing>();
    const all = things('abcdef');
    for (const object of all) {
      lru.add(object);
    }
    const answers = { a: ROTATE, b: SKIP, c: REMOVED, d: REMOVED_RETRY, e: STOP, f: REMOVED };
    const seen: string[] = [];
    const sc = control(20);
    const removed = lru.walk(sc, ({ name }) => {
      seen.push(name);
      return answers[name as keyof typeof answers];
    });
    expect([removed, sc.nrScanned, seen.join(''), namesOf(lru)]).toEqual([2, 6, 'abcdbe', 'befa']);
    expect(all.map(({ lruSlot }) => lruSlot >= 0)).toEqual([true, true, false, false, true, true]);
    expect([lru.walk(5, () => RETRY), lru.walk(control(2), () => REMOVED), namesOf(lru)]).toEqual([0, 2, 'fa']);
    checkListLru(lru);
  });

  test('a callback may take its object off, add it again and add others, which then may have its slot', () => {
    const lru = new ListLru<Thing>();
    const [a, b, c] = things('abc') as [Thing, Thing, Thing];
    lru.add(a);
    lru.add(b);
    const removed = lru.walk(2, (object) => {
      lru.del(object);
      lru.add(object === a ? c : b);
      return REMOVED;
    });
    expect([removed, namesOf(lru)]).toEqual([2, 'cb']);
    checkListLru(lru);
  });

  test('a callback that throws leaves its object listed', () => {
    const lru = new ListLru<Thing>();
    for (const object of things('abc')) {
      lru.add(object);
    }
    const sc = control(9);
    const walk = () =>
      lru.walk(sc, ({ name }) => {
        if (name === 'b') {
          throw new Error('out of order');
        }
        return REMOVED;
      });
    expect(walk).toThrow('out of order');
    checkListLru(lru);
    expect([sc.nrScanned, namesOf(lru)]).toEqual([2, 'bc']);
    expect(() => lru.walk(1, () => undefined as never)).toThrow(TypeError);
    expect(lru.walk(9, () => REMOVED)).toBe(2);
  });

  test('a walk inside a callback of another list, and of the same', () => {
    const lru = new ListLru<Thing>();
    const other = new ListLru<Thing>();
    for (const object of things('abcd')) {
      lru.add(object);
    }
    for (const object of things('xyz')) {
      other.add(object);
    }
    const seen: string[] = [];
    lru.walk(control(9), ({ name }) => {
      seen.push(name);
      other.walk(control(1), (object) => {
        seen.push(object.name);
        return REMOVED;
      });
      if (name === 'a') {
        lru.walk(2, (object) => {
          seen.push(object.name.toUpperCase());
          return REMOVED;
        });
      }
      return SKIP;
    });
    expect(seen.join('')).toBe('axABcydz');
    expect([namesOf(lru), namesOf(other)]).toEqual(['cd', '']);
    checkListLru(lru);
    checkListLru(other);
  });

  test('answers for any zone, as it knows none', () => {
    const lru = new ListLru<Thing>();
    lru.add(thing('a'));
    lru.add(thing('b'), 'external');
    expect([lru.count(control(0)), lru.count(control(0, 'shared'))]).toEqual([2, 2]);
    expect(lru.walk(control(9, 'external'), () => REMOVED)).toBe(2);
  });
});

describe('a list for each zone', () => {
  const make = (): ListLru<Thing> => {
    const lru = new ListLru<Thing>({ zones: ['heap', 'external'] });
    const [a, b, c, d] = things('abcd') as [Thing, Thing, Thing, Thing];
    lru.add(a);
    lru.add(b, 'external');
    lru.add(c, 'external');
    lru.add(d, 'heap');
    return lru;
  };

  test('count and walk are of the zone of the control', () => {
    const lru = make();
    expect(['heap', 'external', 'shared'].map((zone) => lru.count(control(0, zone as Zone)))).toEqual([2, 2, 0]);
    const sc = control(9, 'external');
    expect([lru.walk(sc, () => REMOVED), sc.nrScanned, namesOf(lru), lru.length]).toEqual([2, 2, 'ad', 2]);
    const none = control(9, 'shared');
    expect([lru.walk(none, () => REMOVED), none.nrScanned]).toEqual([0, 0]);
    checkListLru(lru);
  });

  test('a walk by number goes over the zones in turn, and STOP ends all of it', () => {
    const lru = make();
    expect([lru.walk(3, () => REMOVED), namesOf(lru)]).toEqual([3, 'c']);
    const stopped = make();
    expect([stopped.walk(9, ({ name }) => (name === 'd' ? STOP : REMOVED)), namesOf(stopped)]).toEqual([1, 'dbc']);
    checkListLru(stopped);
  });

  test('an object without a link is given one', () => {
    const lru = new ListLru<Thing>();
    const bare = { name: 'e' } as Thing;
    expect([lru.has(bare), lru.del(bare), lru.add(bare), lru.add(bare), lru.has(bare), lru.del(bare)]).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
    ]);
    checkListLru(lru);
  });

  test('argument faults', () => {
    const lru = make();
    expect(() => lru.add(thing('e'), 'shared')).toThrow(RangeError);
    expect(() => lru.add({ name: 'e', lruSlot: 'none' } as unknown as Thing)).toThrow(TypeError);
    expect(() => lru.walk(-1, () => SKIP)).toThrow(RangeError);
    expect(() => lru.walk(1, undefined as never)).toThrow('Cannot walk with isolate undefined');
    expect(() => new ListLru({ zones: [] })).toThrow(RangeError);
    expect(() => new ListLru({ zones: ['heap', 'heap'] })).toThrow(RangeError);
    checkListLru(lru);
    expect(namesOf(lru)).toBe('adbc');
  });
});

test('an object that takes no link costs no slot', () => {
  const lru = new ListLru<Thing>();
  for (let tries = 0; tries < 20; tries++) {
    expect(() => lru.add(Object.freeze({ name: 'frozen' }) as Thing)).toThrow(TypeError);
    expect(() => lru.add(5 as never)).toThrow(TypeError);
  }
  checkListLru(lru);
  expect([...lru]).toEqual([]);
  const few = things('abc');
  few.forEach((each) => lru.add(each));
  expect(few.map(({ lruSlot }) => lruSlot)).toEqual([0, 1, 2]);
  checkListLru(lru);
});

test('count without a control is of all zones', () => {
  const lru = new ListLru<Thing>({ zones: ['heap', 'external'] });
  lru.add(thing('a'));
  lru.add(thing('b'), 'external');
  expect([lru.count(), lru.count({ zone: 'external', group: null })]).toEqual([2, 1]);
});
