import type { BigIntStats } from 'node:fs';
import type { FileSystemSource } from '@core/fs-source';
import { describe, expect, test } from 'vitest';
import { alwaysRevalidate, DerivedKind, type Inode, type InodeCache } from '../src/index.js';
import { GatedSource } from './support/gated-source.js';
import { makeWorld, type World } from './support/make-cache.js';
import { microtasks } from './support/test-time.js';

const TRUST_MS = 1000;
const TEXT = new DerivedKind<string>('text', { sizeOf: (text) => text.length, trustMs: TRUST_MS });

interface FileWorld extends World {
  readonly inode: Inode;
  /** Derives, and tells how many looks that took. */
  readonly derive: (path?: string) => Promise<[text: string, looks: number]>;
  readonly made: () => number;
}

function worldWith(text: string, options: Parameters<typeof makeWorld>[0] = {}): FileWorld {
  const world = makeWorld(options);
  const { memory, source, time, cache } = world;
  memory.writeFileSync('/a', text);
  time.advance(10_000);
  const inode = cache.igetSync('/a');
  const derive = async (path?: string): Promise<[string, number]> => {
    source.reset();
    const value = await inode.derive(TEXT, (file) => memory.readFileSync(file.path).toString(), path);
    cache.checkInvariants();
    return [value, source.counts.lstat];
  };
  return { ...world, inode, derive, made: () => cache.stats().made };
}

describe('a value on trial', () => {
  test('is kept without a look, and believed for its time', async () => {
    const { derive, inode, time, memory, cache } = worldWith('abc');
    expect(await derive()).toEqual(['abc', 0]);
    memory.writeFileSync('/a', 'xyz');
    time.advance(TRUST_MS - 1);
    expect([inode.derived(TEXT), await derive()]).toEqual(['abc', ['abc', 0]]);
    time.advance(1);
    expect([inode.derived(TEXT), await derive()]).toEqual([undefined, ['xyz', 1]]);
    expect(cache.stats()).toMatchObject({ made: 2, deferred: 2, confirmed: 0 });
  });

  test('is made when attributes are not believed any more, without a look at them', async () => {
    const { derive, time, memory } = worldWith('abc');
    time.advance(60_000);
    memory.writeFileSync('/a', 'xyz');
    expect(await derive()).toEqual(['xyz', 0]);
  });

  test('is good as long as the attributes are, once any look has shown the same stamp', async () => {
    const { derive, inode, time, cache, made } = worldWith('abc');
    await derive();
    time.advance(TRUST_MS);
    expect(await derive()).toEqual(['abc', 1]);
    expect([made(), cache.stats().confirmed]).toEqual([1, 1]);
    time.advance(2 * TRUST_MS);
    expect([inode.derived(TEXT), await derive()]).toEqual(['abc', ['abc', 0]]);
  });

  test('is confirmed by a look of somebody else', async () => {
    const { derive, inode, time, cache } = worldWith('abc');
    await derive();
    cache.invalidate(inode);
    expect([inode.derived(TEXT), await derive()]).toEqual([undefined, ['abc', 1]]);
    time.advance(3000);
    expect(cache.revalidateSync(inode)).toBe('unchanged');
    expect([cache.stats().confirmed, inode.derived(TEXT)]).toEqual([1, 'abc']);
  });

  test('is made anew when the look shows another stamp', async () => {
    const { derive, time, memory, made } = worldWith('abc');
    await derive();
    memory.writeFileSync('/a', 'xyz');
    time.advance(TRUST_MS);
    expect([await derive(), made()]).toEqual([['xyz', 1], 2]);
  });

  test('of a file that changed a moment ago cannot be confirmed', async () => {
    const { derive, time, memory, cache, inode, made } = worldWith('abc');
    memory.writeFileSync('/a', 'new');
    cache.invalidate(inode);
    expect(await derive()).toEqual(['new', 1]);
    // Within the same tick of the file system's clock, which nobody can tell.
    memory.writeFileSync('/a', 'two');
    expect(await derive()).toEqual(['new', 0]);
    time.advance(4000);
    expect(cache.revalidateSync(inode)).toBe('unchanged');
    expect(await derive()).toEqual(['two', 0]);
    expect([made(), cache.stats().confirmed]).toEqual([2, 0]);
  });

  test('ends with a notice', async () => {
    const { derive, memory, cache, inode } = worldWith('abc');
    await derive();
    memory.writeFileSync('/a', 'xyz');
    cache.changed(inode, memory.lstatSync('/a'));
    expect([inode.derived(TEXT), await derive()]).toEqual([undefined, ['xyz', 0]]);
  });

  test('there is none where the policy is strict, or the file may be read by another name', async () => {
    expect(await worldWith('abc', { policy: alwaysRevalidate() }).derive()).toEqual(['abc', 1]);
    const linked = worldWith('abc');
    linked.memory.linkSync('/a', '/b');
    linked.cache.invalidate(linked.inode);
    linked.time.advance(1000);
    linked.cache.revalidateSync(linked.inode);
    expect(await linked.derive()).toEqual(['abc', 1]);
    expect(linked.cache.stats()).toMatchObject({ deferred: 0, derived: 1 });
  });

  test('is not found where the file is seen next, since another one may have been read', async () => {
    const { derive, inode, memory, cache, time } = worldWith('abc');
    memory.renameSync('/a', '/moved');
    memory.writeFileSync('/a', 'another');
    time.advance(1000);
    // That is what is by this name; but it is not of this inode.
    expect(await derive()).toEqual(['another', 0]);
    cache.release(cache.igetSync('/moved'));
    expect([inode.derived(TEXT), await derive('/moved')]).toEqual([undefined, ['abc', 0]]);
  });

  test('in its synchronous form', () => {
    const { inode, memory, source, time } = worldWith('abc');
    const read = (): string => inode.deriveSync(TEXT, () => memory.readFileSync('/a').toString());
    source.reset();
    expect([read(), read(), source.counts.lstat]).toEqual(['abc', 'abc', 0]);
    memory.writeFileSync('/a', 'xyz');
    time.advance(TRUST_MS);
    expect([read(), source.counts.lstat]).toEqual(['xyz', 1]);
  });

  test('trustMs must be a number of 0 or more', () => {
    for (const trustMs of [-1, NaN, '1']) {
      expect(() => new DerivedKind('x', { sizeOf: () => 1, trustMs: trustMs as number })).toThrow(RangeError);
    }
  });
});

/** What is wrong after something that a careless trial would not see; null if nothing is. `bust` makes it careless. */
type Trap = (bust: (cache: any) => void) => Promise<string | null>;

const TRAPS: Readonly<Record<string, { trap: Trap; careless: (cache: any) => void }>> = {
  'a second change within the same tick': {
    async trap(bust) {
      const { derive, time, memory, cache, inode } = worldWith('abc');
      bust(cache);
      memory.writeFileSync('/a', 'new');
      cache.invalidate(inode);
      await derive();
      memory.writeFileSync('/a', 'two');
      time.advance(4000);
      expect(cache.revalidateSync(inode)).toBe('unchanged');
      return inode.derived(TEXT) === 'new' ? 'what was overwritten is believed' : null;
    },
    careless(cache) {
      cache.makers.host.isSettled = () => true;
    },
  },
  'a look that began before the value was made': {
    async trap(bust) {
      const { memory, time } = makeWorld();
      const gated = new GatedSource(memory);
      const { cache } = makeWorld({ source: gated.source, clock: time, wallClock: time, scheduler: time });
      bust(cache);
      memory.writeFileSync('/a', 'abc');
      const inode = cache.igetSync('/a');
      time.advance(10_000);
      const look = cache.revalidate(inode);
      await microtasks();
      const [gate] = gated.gates.splice(0);
      gate?.call();
      memory.writeFileSync('/a', 'xyz');
      await inode.derive(TEXT, () => 'xyz');
      gate?.deliver();
      await look;
      return cache.stats().confirmed > 0 ? 'a look at the old file has confirmed what is in the new one' : null;
    },
    careless(cache) {
      const { confirm } = cache.values;
      cache.values.confirm = (inode: Inode) => confirm.call(cache.values, inode, Infinity);
    },
  },
  'another file in the place of one that was moved': {
    async trap(bust) {
      const world = worldWith('abc');
      const { memory, time } = world;
      // Not on all file systems does a file change when it is renamed.
      const unmoved = (path: string): BigIntStats =>
        Object.assign(memory.lstatSync(path), { ctimeNs: 1n, birthtimeNs: 0n });
      const source = { ...world.source, lstat: async (path: string) => unmoved(path), lstatSync: unmoved };
      const { cache } = makeWorld({ source: source as unknown as FileSystemSource });
      bust(cache);
      const inode = cache.igetSync('/a');
      time.advance(10_000);
      memory.renameSync('/a', '/moved');
      memory.writeFileSync('/a', 'another');
      await inode.derive(TEXT, ({ path }) => memory.readFileSync(path).toString());
      expect(cache.revalidateSync(cache.igetSync('/moved'))).toBe('fresh');
      return inode.derived(TEXT) === 'another' ? 'another file is taken for it' : null;
    },
    careless(cache) {
      const { keep } = cache.values;
      cache.values.keep = (...args: unknown[]) => {
        const kept = keep.apply(cache.values, args);
        let trial: any = null;
        Object.defineProperty(kept, 'trial', {
          get: () => trial && { ...trial, path: kept.inode.path },
          set: (value) => {
            trial = value;
          },
        });
        return kept;
      };
    },
  },
};

describe('attributes that expire', () => {
  test('are looked at again, and what was derived is as good as before', async () => {
    const { derive, inode, cache, source } = worldWith('abc');
    await derive();
    cache.expire(inode);
    expect([cache.isFresh(inode), inode.derived(TEXT)]).toEqual([false, 'abc']);
    source.reset();
    expect(cache.revalidateSync(inode)).toBe('unchanged');
    expect([source.counts.lstat, cache.isFresh(inode), cache.stats().confirmed]).toEqual([1, true, 1]);
    cache.checkInvariants();
  });

  /** How often is looked for one who asks after they have expired, while an older look is under way. */
  async function looksAfter(expire: (cache: InodeCache, inode: Inode) => void): Promise<number> {
    const { memory, time } = makeWorld();
    const gated = new GatedSource(memory);
    const { cache } = makeWorld({ source: gated.source, clock: time, wallClock: time, scheduler: time });
    memory.writeFileSync('/a', 'abc');
    const inode = cache.igetSync('/a');
    time.advance(10_000);
    const older = cache.revalidate(inode);
    expire(cache, inode);
    const asked = cache.revalidate(inode);
    await microtasks();
    const looks = gated.gates.length;
    for (const gate of gated.gates) {
      gate.open();
    }
    await Promise.all([older, asked]);
    return looks;
  }

  test('are not those of a look that began before', async () => {
    expect(await looksAfter((cache, inode) => cache.expire(inode))).toBe(2);
    const careless = (_: InodeCache, inode: Inode): void => {
      inode.validUntilMs = -Infinity;
    };
    expect(await looksAfter(careless)).toBe(1);
  });
});

describe('a trap for values on trial', () => {
  test.each(Object.keys(TRAPS))('%s', async (name) => {
    expect(await TRAPS[name]?.trap(() => {})).toBe(null);
  });

  test.each(Object.keys(TRAPS))('catches the careless: %s', async (name) => {
    expect(await TRAPS[name]?.trap(TRAPS[name].careless)).toEqual(expect.any(String));
  });
});
