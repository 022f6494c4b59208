import { expect, test } from 'vitest';

import { ListLru, REMOVED, ROTATE, SKIP, SlotLru } from '@core/list-lru';

test('a walk takes off what isolate removes, rotates and skips', () => {
  const lru = new SlotLru(8);
  for (let slot = 0; slot < 5; slot++) {
    expect(lru.add(slot)).toBe(true);
    expect(lru.add(slot)).toBe(false);
  }
  const sc = { nrToScan: 4, nrScanned: 0 };
  const removed = lru.walk(sc, (slot) => (slot === 0 ? ROTATE : slot === 1 ? SKIP : REMOVED));
  expect(removed).toBe(2);
  expect(sc.nrScanned).toBe(4);
  expect([...lru]).toEqual([1, 4, 0]);
  expect([...lru.reversed()]).toEqual([0, 4, 1]);
});

test('objects', () => {
  const lru = new ListLru<{ lruSlot: number }>();
  const objects = Array.from({ length: 40 }, () => ({ lruSlot: -1 }));
  for (const object of objects) {
    expect(lru.add(object)).toBe(true);
  }
  expect(lru.length).toBe(40);
  expect(lru.walk(10, () => REMOVED)).toBe(10);
  expect([...lru]).toEqual(objects.slice(10));
  expect(lru.del(objects[20]!)).toBe(true);
  expect(lru.del(objects[20]!)).toBe(false);
  expect(lru.add(objects[20]!)).toBe(true);
});
