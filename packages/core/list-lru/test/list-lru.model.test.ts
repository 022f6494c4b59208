import { expect, test } from 'vitest';

import { SeededRng } from '@core/base';
import {
  ListLru,
  type LruNode,
  type LruStatus,
  REMOVED,
  REMOVED_RETRY,
  RETRY,
  ROTATE,
  SKIP,
  STOP,
} from '@core/list-lru';
import type { Zone } from '@core/shrinker';

import { checkListLru } from '../src/internal/check-invariants.js';
import { ArrayLru } from './array-lru.js';

const ZONES: readonly Zone[] = ['heap', 'shared'];
const STATUSES: readonly LruStatus[] = [REMOVED, REMOVED, REMOVED_RETRY, ROTATE, SKIP, RETRY, STOP];

/** Random operations on lists by zone and on one array for each zone, also from inside callbacks. */
function fuzz(seed: number, bust: (lru: any) => void = () => {}): void {
  const rng = new SeededRng(seed);
  const lru = new ListLru<LruNode>({ zones: ZONES });
  bust(lru);
  const models = ZONES.map(() => new ArrayLru<LruNode>());
  const objects = Array.from({ length: 1 + rng.below(40) }, () => ({ lruSlot: -1 }));
  const modelOf = (object: LruNode) => models.find(({ items }) => items.includes(object));

  const add = (object: LruNode, zone: number): void => {
    const expected = modelOf(object) === undefined && models[zone]!.add(object);
    expect(lru.add(object, ZONES[zone]!)).toBe(expected);
  };
  const del = (object: LruNode): void => {
    expect(lru.del(object)).toBe(modelOf(object)?.del(object) ?? false);
  };
  const anything = (): void => {
    const object = rng.pick(objects);
    const choice = rng.below(5);
    if (choice < 2) {
      add(object, rng.below(ZONES.length));
    } else if (choice < 4) {
      del(object);
    } else {
      expect(lru.moveToTail(object)).toBe(modelOf(object)?.moveToTail(object) ?? false);
    }
  };
  for (let step = 0; step < 80; step++) {
    if (rng.below(4) > 0) {
      anything();
    } else {
      const zone = rng.below(ZONES.length);
      const sc = { zone: ZONES[zone]!, nrToScan: rng.below(20), nrScanned: -1 };
      const answers = Array.from({ length: sc.nrToScan }, () => rng.pick(STATUSES));
      let at = 0;
      const seen: LruNode[] = [];
      const removed = lru.walk(sc, (object) => {
        seen.push(object);
        return answers[at++]!;
      });
      const expectedSeen: LruNode[] = [];
      const expected = models[zone]!.walk(sc.nrToScan, (object) => {
        expectedSeen.push(object);
        return answers[expectedSeen.length - 1]!;
      });
      expect([removed, sc.nrScanned, seen.length]).toEqual([expected.removed, expected.examined, expectedSeen.length]);
      expect(seen.every((object, index) => object === expectedSeen[index])).toBe(true);
    }
    checkListLru(lru);
    for (const [index, zone] of ZONES.entries()) {
      expect(lru.count({ zone, group: null })).toBe(models[index]!.items.length);
    }
    const items = models.flatMap((model) => model.items);
    expect([...lru].every((object, index) => object === items[index])).toBe(true);
    expect(lru.length).toBe(items.length);
    for (const object of objects) {
      expect(lru.has(object)).toBe(items.includes(object));
    }
  }
}

test('random operations on lists by zone, against arrays', () => {
  const first = Number(process.env['SEED'] ?? Date.now() % 1e9);
  for (let seed = first; seed < first + 100; seed++) {
    try {
      fuzz(seed);
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
});

test('busted: a list that does not give slots back is caught', () => {
  expect(() => {
    for (let seed = 1; seed <= 20; seed++) {
      fuzz(seed, (lru) => {
        lru.giveSlot = (slot: number) => {
          lru.objects[slot] = null;
        };
      });
    }
  }).toThrow();
});

/** Callbacks that delete and add whatever they like: each walk visits only what is listed, and the lists stay sound. */
test('random changes from inside callbacks', () => {
  const first = Number(process.env['SEED'] ?? Date.now() % 1e9);
  for (let seed = first; seed < first + 100; seed++) {
    const rng = new SeededRng(seed);
    const lru = new ListLru<LruNode>();
    const objects = Array.from({ length: 1 + rng.below(30) }, () => ({ lruSlot: -1 }));
    const listed = new Set<LruNode>();
    const change = (object: LruNode): void => {
      expect(listed.has(object) ? lru.del(object) : lru.add(object), `SEED=${seed}`).toBe(true);
      if (!listed.delete(object)) {
        listed.add(object);
      }
    };
    for (let step = 0; step < 40; step++) {
      change(rng.pick(objects));
      lru.walk(rng.below(20), (object) => {
        expect(listed.has(object), `SEED=${seed}`).toBe(true);
        let left = false;
        for (let times = rng.below(3); times > 0; times--) {
          const other = rng.pick(objects);
          change(other);
          left ||= other === object;
        }
        const status = rng.pick(STATUSES);
        if ((status === REMOVED || status === REMOVED_RETRY) && !left) {
          listed.delete(object);
        }
        return status;
      });
      checkListLru(lru);
      expect(
        [...lru].every((object) => listed.has(object)),
        `SEED=${seed}`,
      ).toBe(true);
      expect(lru.length).toBe(listed.size);
    }
  }
});
