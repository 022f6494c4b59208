import { countingSource, delayedSource, faultySource, memorySource, type MemorySource } from '@core/fs-source';
import { beforeEach, describe, expect, it } from 'vitest';
import { DentryCache, type DentryCacheOptions, type PlainInode } from '../src/index.js';
import { check } from './support/insides.js';
import { microtasks, TestLoop } from './support/test-loop.js';

let memory: MemorySource;
let loop: TestLoop;
let source: ReturnType<typeof countingSource>;

function makeCache(options: Partial<DentryCacheOptions<PlainInode>> = {}): DentryCache {
  return new DentryCache({ source, ...options });
}

beforeEach(() => {
  memory = memorySource();
  memory.mkdirSync('/d/e', { recursive: true });
  memory.writeFileSync('/d/e/f');
  memory.symlinkSync('d', '/l');
  loop = new TestLoop();
  source = countingSource(delayedSource(memory, 1, loop, 'answer'));
});

describe('walks that want to know the same', () => {
  it('ask once: for names, listings, symlinks and attributes', async () => {
    const cache = makeCache();
    const walks = Array.from({ length: 30 }, (_, at) => cache.walk(at % 2 === 0 ? '/l/e/f' : '/d/e/f'));
    await loop.runAll();
    expect(new Set(await Promise.all(walks)).size).toBe(1);
    expect(source.counts).toMatchObject({ lstat: 1, readdir: 3, readlink: 1 });
    check(cache);
  });

  it('share an error, which the next one does not get', async () => {
    const faulty = faultySource(memory, { faults: [{ code: 'EIO', on: ['lstat'], nth: 1 }] });
    const cache = new DentryCache({ source: delayedSource(faulty, 1, loop, 'answer'), maxListed: 0 });
    const walks = [cache.walk('/d'), cache.walk('/d'), cache.walk('/d/e')].map((walk) => walk.catch((error) => error));
    await loop.runAll();
    expect((await Promise.all(walks)).map((error) => error.code)).toEqual(['EIO', 'EIO', 'EIO']);
    const again = cache.walk('/d');
    await loop.runAll();
    expect((await again).missing).toBe(null);
    check(cache);
  });
});

describe('a synchronous walk', () => {
  it('does not wait for one that does, and both are right', async () => {
    const cache = makeCache({ maxListed: 0 });
    const waiting = cache.walk('/d/e/f');
    await microtasks();
    memory.chmodSync('/d', 0o700);
    cache.invalidate('/d', { exact: true });
    const now = cache.walkSync('/d/e/f');
    await loop.runAll();
    expect(await waiting).toBe(now);
    expect(cache.walkSync('/d').inode?.stats.mode).toBe(memory.lstatSync('/d').mode);
    check(cache);
  });

  it('fills in what one that waits is asking about', async () => {
    const cache = makeCache({ maxListed: 0 });
    const waiting = cache.walk('/d');
    await microtasks();
    const now = cache.walkSync('/d');
    await loop.runAll();
    expect(await waiting).toBe(now);
    expect(source.counts.lstat).toBe(2);
    check(cache);
  });
});

describe('a change', () => {
  it('of a directory on the way has the walk begin anew', async () => {
    const cache = makeCache();
    const walk = cache.walk('/l/e/f');
    await loop.step();
    await loop.step();
    memory.renameSync('/d', '/g');
    cache.rename('/d', '/g', { certain: true });
    memory.unlinkSync('/l');
    memory.symlinkSync('g', '/l');
    cache.unlink('/l');
    cache.created('/l');
    await loop.runAll();
    expect(cache.pathOf(await walk)).toBe('/g/e/f');
    check(cache);
  });

  it('that comes each time has the walk go alone, and end', async () => {
    const cache = makeCache({ maxListed: 0 });
    const settled: true[] = [];
    const walk = cache.walk('/d/e/f').finally(() => settled.push(true));
    let changes = 0;
    while (settled.length === 0 && changes < 100) {
      await microtasks();
      cache.invalidate('/d');
      changes++;
      await loop.step();
    }
    expect(changes).toBeGreaterThan(8);
    expect(changes).toBeLessThan(60);
    const dentry = await walk;
    expect([cache.pathOf(dentry), dentry.missing]).toEqual(['/d/e/f', null]);
    // What it has found by itself is not for others.
    expect(cache.peek('/d/e/f')).toBe(undefined);
    expect(cache.hold(dentry)).toBe(false);
    await loop.runAll();
    check(cache);
    cache.invalidate();
    expect(cache.stats().dentries).toBe(0);
  });

  it('elsewhere does not keep a walk that is alone from its end', async () => {
    memory.mkdirSync('/other');
    const cache = makeCache({ maxListed: 0 });
    cache.walkSync('/other');
    const settled: true[] = [];
    const walk = cache.walk('/l/../l/e/f').finally(() => settled.push(true));
    let changes = 0;
    for (let from = '/other', to = '/more'; settled.length === 0 && changes < 200; [from, to] = [to, from]) {
      await microtasks();
      cache.walkSync(from, { attributes: false });
      cache.rename(from, to, { certain: true });
      memory.renameSync(from, to);
      cache.invalidate('/l');
      changes++;
      await loop.step();
    }
    expect(changes).toBeLessThan(60);
    expect((await walk).missing).toBe(null);
    await loop.runAll();
    check(cache);
  });

  it('while a directory is listed has it listed again', async () => {
    const cache = makeCache();
    cache.walkSync('/d/e');
    const [first, second] = [cache.readdir('/d/e'), cache.readdir('/d/e')];
    await microtasks();
    memory.writeFileSync('/d/e/g');
    cache.created('/d/e/g', { kind: 'file', certain: true });
    await loop.runAll();
    expect((await first).map(({ name }) => name)).toEqual(['f']);
    expect((await second).map(({ name }) => name)).toEqual(['f', 'g']);
    check(cache);
  });
});

it('a symlink is read once for all who ask, and again when it was replaced meanwhile', async () => {
  const cache = makeCache();
  cache.walkSync('/l', { follow: false });
  const [first, second] = [cache.readlink('/l'), cache.readlink('/l')];
  await microtasks();
  memory.unlinkSync('/l');
  memory.symlinkSync('d/e', '/l');
  cache.unlink('/l');
  cache.created('/l');
  await loop.runAll();
  expect([await first, await second]).toEqual(['d', 'd/e']);
  expect(cache.walkSync('/l', { follow: false }).target).toBe('d/e');
  check(cache);
});

it('a walk outlives the cache', async () => {
  const cache = makeCache();
  const walk = cache.walk('/d/e/f');
  await microtasks();
  const closing = cache.close();
  await loop.runAll();
  expect((await walk).name).toBe('f');
  await closing;
  await loop.runAll();
  expect(cache.stats()).toMatchObject({ dentries: 0, listings: 0 });
});
