import { describe, expect, test } from 'vitest';
import { approximateSize, ObjectCache } from '../src/index.js';
import { makeInGroup } from './support/make-group.js';

const forbidden = (): never => {
  throw new Error('called');
};

describe('approximateSize', () => {
  test.each<[unknown, number]>([
    ['', 24],
    ['x'.repeat(1000), 1024],
    [1.5, 16],
    [true, 16],
    [undefined, 16],
    [10n, 24],
    [2n ** 640n, 16 + 8 * 11],
    [new ArrayBuffer(1000), 1096],
    [new SharedArrayBuffer(1000), 1096],
    [new Float64Array(100), 896],
    [Buffer.alloc(1000), 1096],
    [new DataView(new ArrayBuffer(100), 10, 50), 146],
    [{}, 56],
    [[], 56],
    [[1, 2, 3], 56 + 3 * 8],
    [{ a: 1, b: 'xx' }, 56 + 2 * 8 + 26],
    [new Map([[1, 'xx']]), 56 + 24 + 26],
    [new Set(['xx']), 56 + 24 + 26],
  ])('%s', (value, bytes) => {
    expect(approximateSize(value)).toBe(bytes);
  });

  test('a large array is as its beginning, and the walk is bounded', () => {
    const large = Array.from({ length: 100_000 }, () => 'x'.repeat(76));
    expect(approximateSize(large)).toBe(56 + 100_000 * 108);
    let deep: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth++) {
      deep = [deep];
    }
    expect(approximateSize(deep)).toBeLessThan(10_000);
    // Never too much to add up, either.
    const shared = Array.from({ length: 2 ** 20 }, () => large);
    expect(Number.isSafeInteger(approximateSize([shared, [shared]]))).toBe(true);
  });

  test('cycles end', () => {
    const one: { other?: unknown } = {};
    const other = { one };
    one.other = other;
    expect(approximateSize(one)).toBe(56 + 8 + 56 + 8 + 8);
  });

  test('calls nothing of the user’s, and never throws', () => {
    const trap = new Proxy({}, { get: () => forbidden });
    const handler = new Proxy({}, { get: forbidden }) as ProxyHandler<object>;
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    class Odd extends Map<string, string> {
      override get size(): number {
        return forbidden();
      }
      override entries(): never {
        return forbidden();
      }
      override [Symbol.iterator](): never {
        return forbidden();
      }
    }
    const buffer = Object.defineProperty(new Uint8Array(4), 'byteLength', { get: forbidden });
    for (const value of [
      trap,
      new Proxy([], handler),
      revoked.proxy,
      Object.create(new Proxy({}, handler)),
      Object.defineProperty({}, 'getter', { get: forbidden, enumerable: true }),
      Object.defineProperty([1], 1, { get: forbidden, enumerable: true }),
      new Odd([['a', 'b']]),
      buffer,
      [new Proxy({}, handler)],
      forbidden,
      Symbol('s'),
      Object.create(null),
      new Date(),
      /x/,
      new Error('x'),
    ]) {
      expect(Number.isSafeInteger(approximateSize(value))).toBe(true);
    }
    expect(approximateSize(buffer)).toBe(100);
  });
});

describe('sizes in a group', () => {
  test('strings and buffers are each measured, of objects each 32nd, and the mean is used for the others', () => {
    const { cache } = makeInGroup<number, unknown>(Infinity);
    cache.set(1, 'x'.repeat(76)).set(2, Buffer.alloc(4));
    expect(cache.bytes).toBe(200);
    cache.clear();
    for (let key = 0; key < 32; key++) {
      cache.set(key, { text: 'x'.repeat(key === 0 ? 12 : 1000) });
    }
    expect(cache.bytes).toBe(32 * 100);
    cache.set(32, { text: 'x'.repeat(212) });
    expect(cache.bytes).toBe(32 * 100 + 304);
    cache.set(33, {});
    expect(cache.bytes).toBe(32 * 100 + 304 + 200);
  });

  test('the same values give the same sizes', () => {
    const sizes = [0, 1].map(() => {
      const { cache } = makeInGroup<number, unknown>(Infinity);
      for (let key = 0; key < 1000; key++) {
        cache.set(key, { text: 'x'.repeat(key) });
      }
      return cache.bytes;
    });
    expect(sizes[0]).toBe(sizes[1]);
    expect(sizes[0]).toBeGreaterThan(0);
  });

  test('the size in set and sizeOf go before, and maxBytes needs neither', () => {
    const { cache } = makeInGroup<number, string>(Infinity, { maxBytes: 100 });
    cache.set(1, 'xx').set(2, 'yy', { size: 5 });
    expect(cache.bytes).toBe(31);
    const { cache: sized } = makeInGroup<number, string>(Infinity, { sizeOf: () => 7 });
    expect(sized.set(1, 'xx').bytes).toBe(7);
  });

  test('without a group nothing is estimated', () => {
    const cache = new ObjectCache<number, string>();
    expect(cache.set(1, 'xx').bytes).toBe(0);
    expect(() => new ObjectCache<number, string>({ maxBytes: 5 }).set(1, 'x')).toThrow(TypeError);
  });
});
