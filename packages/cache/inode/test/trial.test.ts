import { describe, expect, test } from 'vitest';
import { alwaysRevalidate, DerivedKind, type Inode } from '../src/index.js';
import { makeWorld, type World } from './support/make-cache.js';

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
    time.advance(TRUST_MS);
    cache.revalidateSync(inode);
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
