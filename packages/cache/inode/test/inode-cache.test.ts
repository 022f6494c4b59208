import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { nodeSource } from '@core/fs-source';
import { describe, expect, test } from 'vitest';
import { alwaysRevalidate, InodeCache, InodeError } from '../src/index.js';
import { GatedSource } from './support/gated-source.js';
import { makeWorld } from './support/make-cache.js';
import { microtasks } from './support/test-time.js';

const code = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('look-up', () => {
  test('one inode for a file, whatever names it has', () => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a', 'abc');
    memory.linkSync('/a', '/b');
    const a = cache.igetSync('/a');
    const b = cache.igetSync('/b');
    expect(b).toBe(a);
    expect([a.kind, a.isDirectory, a.stats.size, a.stats.nlink]).toEqual([constants.S_IFREG, false, 3n, 2n]);
    expect(cache.get(a.dev, a.ino)).toBe(a);
    cache.release(a);
    cache.release(b);
    cache.checkInvariants();
  });

  test('attributes are those of the source, in all forms', () => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a', 'abc', 0o640);
    memory.symlinkSync('a', '/s');
    for (const path of ['/a', '/s', '/']) {
      const expected = memory.lstatSync(path);
      const { stats } = cache.igetSync(path);
      for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
        expect([name, stats[name]]).toEqual([name, expected[name]]);
      }
      const asks = ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isBlockDevice'] as const;
      expect(asks.map((ask) => stats[ask]())).toEqual(asks.map((ask) => expected[ask]()));
    }
  });

  test('and so are times before 1970, and between milliseconds', async () => {
    const { lstatSync, mkdtempSync, rmSync, utimesSync } = await import('node:fs');
    const directory = mkdtempSync(`${tmpdir()}/inode-times-`);
    const { cache } = makeWorld({ source: nodeSource() });
    try {
      for (const seconds of [-1.5, -1000.0004, -0.0004, 0, 0.0004, 12.3456789]) {
        utimesSync(directory, seconds, seconds);
        const expected = lstatSync(directory, { bigint: true });
        const { stats } = cache.igetSync(directory);
        expect([stats.mtimeNs, stats.mtimeMs, stats.mtime]).toEqual([
          expected.mtimeNs,
          expected.mtimeMs,
          expected.mtime,
        ]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('numbers above 2^53 are not mixed up', () => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a');
    const stats = memory.lstatSync('/a');
    const as = (ino: bigint) => cache.instantiate(Object.assign(Object.create(stats), stats, { ino }), '/a');
    const one = as(2n ** 60n + 1n);
    const two = as(2n ** 60n + 2n);
    expect(one).not.toBe(two);
    expect([cache.get(stats.dev, 2n ** 60n + 1n), cache.get(stats.dev, 2n ** 60n + 2n)]).toEqual([one, two]);
    expect(cache.get(stats.dev, 2n ** 60n)).toBeUndefined();
    expect(cache.get(stats.dev + 1n, one.ino)).toBeUndefined();
  });

  test('get looks at the cache alone', () => {
    const { memory, source, cache } = makeWorld();
    memory.writeFileSync('/a');
    const { dev, ino } = memory.lstatSync('/a');
    expect(cache.get(dev, ino)).toBeUndefined();
    expect(source.total).toBe(0);
  });

  test('parallel look-ups of one path share one look, and each has a hold', async () => {
    const { memory, source, cache } = makeWorld();
    memory.writeFileSync('/a');
    const inodes = await Promise.all([cache.iget('/a'), cache.iget('/a'), cache.iget('/a')]);
    expect(new Set(inodes).size).toBe(1);
    expect(source.counts.lstat).toBe(1);
    expect(cache.stats()).toMatchObject({ holds: 3, joinedLooks: 2, inodes: 1, unused: 0 });
    for (const inode of inodes) {
      cache.release(inode);
    }
    expect(cache.stats()).toMatchObject({ holds: 0, unused: 1 });
  });

  test('busted: two fillers', async () => {
    const { memory, source, cache } = makeWorld();
    memory.writeFileSync('/a');
    (cache as any).looks.underWay.get = () => undefined;
    await Promise.all([cache.iget('/a'), cache.iget('/a'), cache.iget('/a')]);
    expect(source.counts.lstat).toBe(3);
  });

  test('errors of the source pass, and nothing is cached', async () => {
    const { memory, source, cache } = makeWorld();
    const error = code(() => memory.lstatSync('/none'));
    expect(error).toBe('ENOENT');
    await expect(cache.iget('/none')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'lstat', path: '/none' });
    expect(code(() => cache.igetSync('/none'))).toBe('ENOENT');
    memory.writeFileSync('/none');
    cache.release(await cache.iget('/none'));
    expect(source.counts.lstat).toBe(3);
  });
});

describe('identity', () => {
  test('a number that is used again is another file', () => {
    const { time, memory, cache } = makeWorld();
    memory.writeFileSync('/a', 'old');
    const old = cache.igetSync('/a');
    memory.unlinkSync('/a');
    time.advance(5);
    memory.writeFileSync('/b', 'new');
    const inode = cache.igetSync('/b');
    expect(inode.ino).toBe(old.ino);
    expect(inode).not.toBe(old);
    expect([old.isStale, inode.isStale]).toEqual([true, false]);
    expect([old.stats.size, cache.get(inode.dev, inode.ino)]).toEqual([3n, inode]);
    expect(cache.hold(old)).toBe(false);
    cache.checkInvariants();
    cache.release(old);
    expect(cache.stats()).toMatchObject({ inodes: 1, replaced: 1, unused: 0 });
  });

  test('a kind that changes is another file, whatever the times say', () => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a');
    const stats = memory.lstatSync('/a');
    const file = cache.instantiate(stats, '/a');
    const mode = BigInt(constants.S_IFDIR | 0o755);
    const directory = cache.instantiate(Object.assign(Object.create(stats), stats, { mode }), '/a');
    expect(directory).not.toBe(file);
    expect([file.isStale, directory.isDirectory]).toEqual([true, true]);
  });

  test.each([
    ['repeats the ctime', (ctimeNs: bigint) => ctimeNs],
    ['says 0', () => 0n],
  ])('on a device that %s for a birth, a changed file cannot be told from another', (_, birthOf) => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a');
    const stats = memory.lstatSync('/a');
    const at = (ctimeNs: bigint, size: bigint) =>
      Object.assign(Object.create(stats), stats, { ctimeNs, mtimeNs: ctimeNs, birthtimeNs: birthOf(ctimeNs), size });
    const inode = cache.instantiate(at(1_000n, 1n), '/a');
    // The same stamp is the same file.
    expect(cache.instantiate(at(1_000n, 1n), '/b')).toBe(inode);
    // Whoever comes by another name gets a new one; whoever has changed it says that it is the same.
    expect(cache.changed(inode, at(2_000n, 2n))).toBe(true);
    expect(inode.stats.size).toBe(2n);
    const other = cache.instantiate(at(3_000n, 3n), '/c');
    expect(other).not.toBe(inode);
    expect(inode.isStale).toBe(true);
  });

  test('a device that has told one birth is believed', () => {
    const { memory, time, cache } = makeWorld();
    memory.writeFileSync('/a');
    memory.writeFileSync('/b');
    // Untouched since it was made: its birth is its ctime, as on a device that knows none.
    const b = cache.igetSync('/b');
    time.advance(5);
    memory.writeFileSync('/a', 'x');
    cache.release(cache.igetSync('/a'));
    time.advance(5);
    memory.writeFileSync('/b', 'y');
    expect(cache.igetSync('/b')).toBe(b);
    expect(b.stats.size).toBe(1n);
  });

  test('a reused number is seen by a revalidation of the old path', () => {
    const { memory, time, cache } = makeWorld({ policy: alwaysRevalidate() });
    memory.writeFileSync('/a', 'old');
    time.advance(5);
    memory.chmodSync('/a', 0o600);
    const old = cache.igetSync('/a');
    memory.unlinkSync('/a');
    memory.writeFileSync('/a', 'newer');
    expect(memory.lstatSync('/a').ino).toBe(old.ino);
    expect(cache.revalidateSync(old)).toBe('replaced');
    expect(old.isStale).toBe(true);
    expect(cache.revalidateSync(old)).toBe('replaced');
    cache.release(old);
    cache.checkInvariants();
  });
});

describe('holds', () => {
  test('an inode that nobody holds stays, and is found again', () => {
    const { memory, cache } = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    cache.release(inode);
    expect([cache.count(), cache.get(inode.dev, inode.ino)]).toEqual([1, inode]);
    expect(cache.hold(inode)).toBe(true);
    // Lazily still on the list.
    expect(cache.count()).toBe(1);
    expect(cache.prune(10)).toBe(0);
    expect(cache.count()).toBe(0);
    cache.release(inode);
    expect(cache.count()).toBe(1);
  });

  test('one without a name leaves with its last hold', async () => {
    const { memory, cache, settle } = makeWorld();
    memory.writeFileSync('/a');
    const file = memory.openSync('/a', constants.O_RDONLY);
    const inode = cache.igetSync('/a');
    memory.unlinkSync('/a');
    expect(cache.changed(inode, file.statSync())).toBe(true);
    expect(inode.stats.nlink).toBe(0n);
    cache.release(inode);
    expect(cache.stats()).toMatchObject({ inodes: 0, unused: 0, retired: 1 });
    await settle();
    expect(cache.stats().retired).toBe(0);
    file.closeSync();
  });

  test('a hold too few, and another cache', () => {
    const { memory, cache } = makeWorld();
    const other = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    expect(code(() => other.cache.release(inode))).toBe('ERR_INODE_FOREIGN');
    expect(code(() => other.cache.revalidateSync(inode))).toBe('ERR_INODE_FOREIGN');
    expect(code(() => other.cache.invalidate(inode))).toBe('ERR_INODE_FOREIGN');
    cache.release(inode);
    expect(code(() => cache.release(inode))).toBe('ERR_INODE_UNBALANCED');
    cache.checkInvariants();
  });

  test('a destroyed inode says so, and not before the grace period', async () => {
    const { memory, cache, settle } = makeWorld();
    memory.writeFileSync('/a', 'abc');
    const inode = cache.igetSync('/a');
    cache.release(inode);
    expect(cache.prune(10)).toBe(1);
    expect(cache.get(inode.dev, inode.ino)).toBeUndefined();
    await microtasks();
    expect([inode.stats.size, cache.hold(inode)]).toEqual([3n, false]);
    await settle();
    expect(code(() => inode.stats.size)).toBe('ERR_INODE_FREED');
    expect(InodeError.is(new InodeError('ERR_INODE_FREED', 'x'))).toBe(true);
  });
});

describe('overlapping looks', () => {
  test('what an older look brings does not win over what is known', async () => {
    const world = makeWorld();
    const gated = new GatedSource(world.memory);
    const { memory, time, cache } = { ...world, cache: new InodeCache({ ...base(world), source: gated.source }) };
    memory.writeFileSync('/a', '1');
    const inode = cache.igetSync('/a');
    time.advance(100_000);
    const slow = cache.revalidate(inode);
    gated.gates[0]!.call();
    time.advance(5);
    memory.writeFileSync('/a', '22');
    expect(cache.changed(inode, memory.lstatSync('/a'))).toBe(true);
    gated.gates[0]!.deliver();
    expect(await slow).toBe('changed');
    expect(inode.stats.size).toBe(2n);
    // Nobody knows which was first, so the next one looks.
    expect(cache.isFresh(inode)).toBe(false);
    gated.isGated = false;
    expect(await cache.revalidate(inode)).toBe('unchanged');
    expect(cache.isFresh(inode)).toBe(true);
  });

  test('a look that began before somebody told of a change is not joined, nor believed', async () => {
    const world = makeWorld();
    const gated = new GatedSource(world.memory);
    const { memory, cache } = { ...world, cache: new InodeCache({ ...base(world), source: gated.source }) };
    memory.writeFileSync('/a', '1');
    const inode = cache.igetSync('/a');
    cache.invalidate(inode);
    const before = cache.revalidate(inode);
    gated.gates[0]!.call();
    memory.writeFileSync('/a', '22');
    cache.invalidate(inode);
    const after = cache.revalidate(inode);
    expect(gated.gates).toHaveLength(2);
    gated.gates[0]!.deliver();
    await before;
    expect(cache.isFresh(inode)).toBe(false);
    gated.gates[1]!.open();
    expect(await after).toBe('changed');
    expect([inode.stats.size, cache.isFresh(inode)]).toEqual([2n, true]);
  });

  test('a new inode of such a look is not believed either', async () => {
    const world = makeWorld();
    const gated = new GatedSource(world.memory);
    const { memory, cache } = { ...world, cache: new InodeCache({ ...base(world), source: gated.source }) };
    memory.writeFileSync('/a', '1');
    const looking = cache.iget('/a');
    gated.gates[0]!.call();
    memory.writeFileSync('/a', '22');
    cache.invalidate();
    gated.gates[0]!.deliver();
    const inode = await looking;
    expect(cache.isFresh(inode)).toBe(false);
    expect(cache.revalidateSync(inode)).toBe('changed');
  });

  test('a late look does not put back a file that is gone', async () => {
    const world = makeWorld();
    const gated = new GatedSource(world.memory);
    const { memory, time, cache } = { ...world, cache: new InodeCache({ ...base(world), source: gated.source }) };
    memory.writeFileSync('/a', 'old');
    const looking = cache.iget('/a');
    gated.gates[0]!.call();
    memory.unlinkSync('/a');
    time.advance(5);
    memory.writeFileSync('/a', 'new');
    cache.release(cache.igetSync('/'));
    const inode = cache.igetSync('/a');
    gated.gates[0]!.deliver();
    const late = await looking;
    expect([late === inode, late.ino === inode.ino, late.isStale, inode.isStale]).toEqual([false, true, true, false]);
    expect([cache.isFresh(late), cache.get(inode.dev, inode.ino)]).toEqual([false, inode]);
    cache.release(late);
    cache.checkInvariants();
    expect(cache.stats().inodes).toBe(2);
  });

  test('a look from before a doubt may well have seen the new file', async () => {
    const world = makeWorld();
    const gated = new GatedSource(world.memory);
    const { memory, time, cache } = { ...world, cache: new InodeCache({ ...base(world), source: gated.source }) };
    memory.writeFileSync('/a', 'old');
    const old = cache.igetSync('/a');
    time.advance(5);
    memory.unlinkSync('/a');
    cache.release(cache.igetSync('/'));
    memory.writeFileSync('/a', 'new');
    const looking = cache.iget('/a');
    gated.gates[0]!.call();
    cache.invalidate(old);
    gated.gates[0]!.deliver();
    const inode = await looking;
    expect([inode.ino === old.ino, inode.isStale, old.isStale]).toEqual([true, false, true]);
    // It began before the notice, so somebody has to look again.
    expect(cache.isFresh(inode)).toBe(false);
    cache.checkInvariants();
  });

  test('a policy that looks up the very file does not make a second one', () => {
    let calls = 0;
    let again: unknown = null;
    const world = makeWorld({
      policy: {
        trustMs: ({ path }) => {
          if (++calls === 1) {
            again = world.cache.igetSync(path);
          }
          return 0;
        },
      },
    });
    world.memory.writeFileSync('/a');
    expect(world.cache.igetSync('/a')).toBe(again);
    expect(world.cache.stats().holds).toBe(2);
    world.cache.checkInvariants();
  });

  test('the cache’s own source tells when it was asked', async () => {
    const world = makeWorld();
    const { memory, cache } = world;
    memory.writeFileSync('/a', '1');
    const inode = cache.igetSync('/a');
    const before = cache.source.lstatSync('/a');
    cache.invalidate(inode);
    cache.release(cache.instantiate(before, '/a'));
    expect(cache.isFresh(inode)).toBe(false);
    cache.release(cache.instantiate(await cache.source.lstat('/a'), '/a'));
    expect(cache.isFresh(inode)).toBe(true);
    cache.invalidate(inode);
    expect(cache.update(inode, cache.source.lstatSync('/a'))).toBe(true);
    expect(cache.isFresh(inode)).toBe(true);
    const { source } = cache;
    memory.symlinkSync('a', '/s');
    expect(source.readdirSync('/')).toEqual(await source.readdir('/'));
    expect([source.readlinkSync('/s'), await source.readlink('/s'), source.caseSensitive]).toEqual(['a', 'a', true]);
    source.openSync('/a', constants.O_RDONLY).closeSync();
    await (await source.open('/a', constants.O_RDONLY)).close();
    await expect(source.lstat('/none')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('stats that are handed in do not end a doubt, nor bring back what was', () => {
    const { memory, time, cache } = makeWorld();
    memory.writeFileSync('/a', '1');
    time.advance(5);
    memory.chmodSync('/a', 0o600);
    const old = memory.lstatSync('/a');
    const inode = cache.instantiate(old, '/a');
    expect(cache.isFresh(inode)).toBe(true);
    cache.invalidate(inode);
    cache.instantiate(old, '/a');
    expect(cache.isFresh(inode)).toBe(false);
    time.advance(5);
    memory.writeFileSync('/a', '22');
    cache.changed(inode, memory.lstatSync('/a'));
    expect(cache.isFresh(inode)).toBe(true);
    cache.instantiate(old, '/a');
    expect([inode.stats.size, cache.isFresh(inode)]).toEqual([2n, false]);
    expect(cache.revalidateSync(inode)).toBe('unchanged');
  });

  const base = ({ time, rcu, errors }: ReturnType<typeof makeWorld>) => ({
    rcu,
    clock: time,
    wallClock: time,
    scheduler: time,
    onError: (error: unknown) => void errors.push(error),
  });
});

describe('revalidation', () => {
  test('gone, and another file in its place', async () => {
    const { memory, cache } = makeWorld({ policy: alwaysRevalidate() });
    memory.mkdirSync('/d');
    memory.writeFileSync('/d/a');
    memory.writeFileSync('/b');
    const inode = cache.igetSync('/d/a');
    memory.renameSync('/b', '/d/a');
    expect(cache.revalidateSync(inode)).toBe('replaced');
    memory.rmSync('/d');
    expect(cache.revalidateSync(inode)).toBe('gone');
    memory.writeFileSync('/d');
    expect(await cache.revalidate(inode)).toBe('gone');
  });

  test('another error passes, and leaves the inode doubted at most', async () => {
    const { memory, time, cache } = makeWorld();
    memory.mkdirSync('/d');
    memory.writeFileSync('/d/a');
    const inode = cache.igetSync('/d/a');
    time.advance(3000);
    memory.chmodSync('/d', 0);
    expect(code(() => cache.revalidateSync(inode))).toBe('EACCES');
    await expect(cache.revalidate(inode)).rejects.toMatchObject({ code: 'EACCES' });
    memory.chmodSync('/d', 0o700);
    expect(await cache.revalidate(inode)).toBe('unchanged');
  });

  test('an inode that leaves meanwhile is replaced', async () => {
    const { memory, cache, settle } = makeWorld({ policy: alwaysRevalidate() });
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    cache.release(inode);
    const looking = cache.revalidate(inode);
    cache.prune(2);
    await settle();
    expect(await looking).toBe('replaced');
  });
});

describe('close', () => {
  test('evicts all, destroys it, and refuses more', async () => {
    const { memory, cache, time } = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    cache.release(inode);
    const closing = cache.close();
    expect(cache.close()).toBe(closing);
    await time.runAll();
    await closing;
    expect(code(() => inode.stats.size)).toBe('ERR_INODE_FREED');
    expect(cache.stats()).toMatchObject({ inodes: 0, unused: 0, retired: 0, chargedBytes: 0 });
    expect(code(() => cache.igetSync('/a'))).toBe('ERR_INODE_CLOSED');
    expect(code(() => cache.instantiate(memory.lstatSync('/a'), '/a'))).toBe('ERR_INODE_CLOSED');
    await expect(cache.iget('/a')).rejects.toMatchObject({ code: 'ERR_INODE_CLOSED' });
    expect(cache.get(inode.dev, inode.ino)).toBeUndefined();
  });

  test('what is held stays good until it is released', async () => {
    const { memory, cache, time } = makeWorld();
    memory.writeFileSync('/a', 'abc');
    const inode = cache.igetSync('/a');
    const closing = cache.close();
    await time.runAll();
    await closing;
    expect([inode.stats.size, cache.heldPaths()]).toEqual([3n, ['/a']]);
    cache.release(inode);
    await time.runAll();
    expect(code(() => inode.stats.size)).toBe('ERR_INODE_FREED');
    expect(cache.stats()).toMatchObject({ holds: 0, retired: 0, inodes: 0 });
  });

  test('a look that is under way is refused', async () => {
    const { memory, cache, time } = makeWorld();
    memory.writeFileSync('/a');
    const looking = cache.iget('/a');
    const refused = expect(looking).rejects.toMatchObject({ code: 'ERR_INODE_CLOSED' });
    void cache.close();
    await refused;
    await time.runAll();
    expect(cache.stats()).toMatchObject({ holds: 0, inodes: 0 });
  });
});

describe('options and input', () => {
  const { memory } = makeWorld();

  test.each([
    [undefined, TypeError],
    [null, TypeError],
    [{}, TypeError],
    [{ source: {} }, TypeError],
    [{ source: memory, polcy: alwaysRevalidate() }, TypeError],
    [{ source: memory, policy: {} }, TypeError],
    [{ source: memory, policy: null }, TypeError],
    [{ source: memory, contents: { has: () => true } }, TypeError],
    [{ source: memory, maxUnused: -1 }, RangeError],
    [{ source: memory, maxDerivedBytes: Number.NaN }, RangeError],
    [{ source: memory, racyMs: '1' }, RangeError],
    [{ source: memory, name: '' }, TypeError],
    [{ source: memory, clock: 5 }, TypeError],
    [{ source: memory, onError: true }, TypeError],
  ])('%o is refused', (options, error) => {
    expect(() => new InodeCache(options as any)).toThrow(error);
  });

  test('stats that are not bigint are refused', async () => {
    const { cache } = makeWorld();
    const { statSync } = await import('node:fs');
    for (const stats of [statSync('/'), null, undefined, {}, 5]) {
      expect(() => cache.instantiate(stats as any, '/')).toThrow(TypeError);
    }
    cache.checkInvariants();
  });

  test('no more unused inodes than may be', () => {
    const { memory: files, cache } = makeWorld({ maxUnused: 3 });
    for (let index = 0; index < 10; index++) {
      files.writeFileSync(`/${index}`);
      cache.release(cache.igetSync(`/${index}`));
      expect(cache.count()).toBeLessThanOrEqual(3);
    }
    expect(cache.stats()).toMatchObject({ unused: 3, inodes: 3, evictions: 7 });
    cache.checkInvariants();
  });
});
