import { describe, expect, test } from 'vitest';
import { NO_SHADOW, Shadows } from '../../src/index.js';
import { hashKey } from '../../src/internal/hash-key.js';

const shadowsFor = (capacity: number): Shadows => {
  const shadows = new Shadows();
  shadows.allocate(capacity);
  return shadows;
};

describe('Shadows', () => {
  test('tell the list and the distance, once', () => {
    const shadows = shadowsFor(64);
    shadows.add(0, hashKey('a'));
    shadows.add(1, hashKey('b'));
    shadows.add(0, hashKey('c'));
    shadows.add(0, hashKey('d'));
    expect(shadows.take(hashKey('a'))).toBe(2 * 2 + 0);
    expect(shadows.take(hashKey('b'))).toBe(0 * 2 + 1);
    expect(shadows.take(hashKey('b'))).toBe(NO_SHADOW);
    expect(shadows.take(hashKey('e'))).toBe(NO_SHADOW);
    shadows.checkInvariants();
  });

  test('remember nothing before they are allocated, and after they are dropped', () => {
    const shadows = new Shadows();
    shadows.add(0, 1);
    expect([shadows.take(1), shadows.bytes, shadows.capacity]).toEqual([NO_SHADOW, 0, 0]);
    shadows.allocate(100);
    shadows.add(0, 1);
    expect(shadows.bytes).toBe(Shadows.bytesFor(100));
    shadows.drop();
    expect([shadows.take(1), shadows.bytes]).toEqual([NO_SHADOW, 0]);
    shadows.checkInvariants();
  });

  test.each([64, 1_000, 10_000])(
    'with room for %i keys know nearly all of the last half, and take few for others',
    (capacity) => {
      const shadows = shadowsFor(capacity);
      for (let key = 0; key < 5 * capacity; key++) {
        shadows.add(0, hashKey(`key ${key}`));
      }
      let strangers = 0;
      for (let key = 0; key < capacity; key++) {
        strangers += shadows.take(hashKey(`other ${key}`)) === NO_SHADOW ? 0 : 1;
      }
      let known = 0;
      for (let key = 4.5 * capacity; key < 5 * capacity; key++) {
        const shadow = shadows.take(hashKey(`key ${key}`));
        const distance = 5 * capacity - 1 - key;
        // Units of a larger table are coarser.
        const unit = Math.max(1, capacity / 512);
        if (shadow !== NO_SHADOW && Math.abs((shadow >> 1) - distance) <= unit) {
          known++;
        }
      }
      expect(strangers).toBeLessThanOrEqual(3);
      expect(known).toBeGreaterThan(0.95 * 0.5 * capacity);
      shadows.checkInvariants();
    },
  );

  test('of long ago are not taken for new ones when the clock has gone round', () => {
    const shadows = shadowsFor(64);
    for (let key = 0; key < 50_000; key++) {
      shadows.add((key & 1) as 0 | 1, hashKey(key));
    }
    let young = 0;
    for (let key = 0; key < 49_000; key++) {
      const shadow = shadows.take(hashKey(key));
      young += shadow !== NO_SHADOW && shadow >> 1 <= 64 ? 1 : 0;
    }
    expect(young).toBeLessThanOrEqual(10);
  });
});

describe('hashKey', () => {
  const keys: unknown[] = [
    0,
    1,
    -1,
    2 ** 31,
    2 ** 40,
    0.5,
    Number.NaN,
    Infinity,
    '',
    'a',
    'b',
    'ab',
    'ba',
    null,
    undefined,
    true,
    false,
    0n,
    1n,
    2n ** 64n,
    2n ** 65n,
    'x'.repeat(200),
    'x'.repeat(201),
    `${'x'.repeat(99)}y${'x'.repeat(100)}`,
  ];

  test('is the same for the same key, never 0, and another for another', () => {
    const hashes = keys.map((key) => hashKey(key));
    expect(hashes).toEqual(keys.map((key) => hashKey(key)));
    expect(hashes.every((hash) => hash !== 0 && (hash | 0) === hash)).toBe(true);
    expect(new Set(hashes).size).toBe(keys.length);
    expect(hashKey(-0)).toBe(hashKey(0));
    expect([{}, [], () => {}, Symbol('a')].map((key) => hashKey(key))).toEqual([0, 0, 0, 0]);
  });

  test('spreads keys that differ in one place', () => {
    const hashes = new Set<number>();
    for (let key = 0; key < 10_000; key++) {
      hashes.add(hashKey(key));
      hashes.add(hashKey(`https://example.org/users/${key}/profile`));
      hashes.add(hashKey(key + 0.5));
    }
    expect(hashes.size).toBeGreaterThan(29_990);
  });
});
