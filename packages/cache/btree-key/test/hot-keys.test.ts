import { describe, expect, test } from 'vitest';
import { CachedKey } from '../src/internal/cached-key.js';
import { HotKeys } from '../src/internal/hot-keys.js';

function keyOf(name: string): CachedKey {
  const key = new CachedKey();
  key.key = name;
  return key;
}

function heat(hot: HotKeys, key: CachedKey): void {
  for (let lookup = 0; lookup < 8; lookup++) {
    hot.offer(key);
  }
}

describe('hot keys', () => {
  test('are those that are met by one lookup in eight', () => {
    const hot = new HotKeys();
    const key = keyOf('a');
    for (let lookup = 0; lookup < 7; lookup++) {
      hot.offer(key);
    }
    expect(hot.get('a')).toBeUndefined();
    hot.offer(key);
    expect(hot.get('a')).toBe(key);
    hot.checkInvariants((one) => one === key);
    expect(() => hot.checkInvariants(() => false)).toThrow('not in the table');
  });

  test('go when they are evicted, and come again as another key', () => {
    const hot = new HotKeys();
    const key = keyOf('a');
    hot.forget(key);
    heat(hot, key);
    hot.forget(key);
    expect(hot.get('a')).toBeUndefined();
    key.key = 'b';
    heat(hot, key);
    expect([hot.get('a'), hot.get('b')]).toEqual([undefined, key]);
    hot.checkInvariants(() => true);
  });

  test('go all together when there are too many', () => {
    const hot = new HotKeys();
    const first = keyOf('k0');
    heat(hot, first);
    for (let index = 1; index <= 4096; index++) {
      heat(hot, keyOf(`k${index}`));
    }
    expect(hot.get('k0')).toBeUndefined();
    const last = hot.get('k4096') as CachedKey;
    expect(last.key).toBe('k4096');
    // One of an earlier round leaves, and takes nobody with it who has its name now.
    heat(hot, keyOf('k0'));
    hot.forget(first);
    expect(hot.get('k0')).toBeDefined();
    hot.checkInvariants(() => true);
  });
});
