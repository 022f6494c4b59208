import { memorySource, type MemorySource } from '@core/fs-source';
import { Rcu } from '@core/rcu';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Dentry, DentryCache, type DentryCacheOptions, type InodePort } from '../src/index.js';
import { check, nodeOf, treeOf } from './support/insides.js';
import { TestLoop } from './support/test-loop.js';

interface Inode {
  readonly path: string;
  released: boolean;
}

let memory: MemorySource;
let loop: TestLoop;
let cache: DentryCache<Inode>;
let inodes: Inode[];

function makeCache(options: Partial<DentryCacheOptions<Inode>> = {}): void {
  const port: InodePort<Inode> = {
    instantiate(_, path) {
      const inode = { path, released: false };
      inodes.push(inode);
      return inode;
    },
    release(inode) {
      expect(inode.released).toBe(false);
      inode.released = true;
    },
  };
  cache = new DentryCache<Inode>({ source: memory, inodes: port, rcu: new Rcu({ scheduler: loop }), ...options });
}

function released(): string[] {
  return inodes.filter((inode) => inode.released).map(({ path }) => path);
}

beforeEach(() => {
  memory = memorySource();
  loop = new TestLoop();
  inodes = [];
  for (const name of ['a', 'b', 'c']) {
    memory.mkdirSync(`/${name}/d`, { recursive: true });
    memory.writeFileSync(`/${name}/d/f`);
  }
  makeCache();
});

describe('a dentry that is held', () => {
  it('stays, with those above it, whatever is evicted', async () => {
    const file = cache.walkSync('/a/d/f');
    cache.walkSync('/b/d/f');
    expect(cache.hold(file)).toBe(true);
    for (let round = 0; round < 4; round++) {
      cache.prune(100);
    }
    check(cache, [file]);
    expect(cache.stats()).toMatchObject({ dentries: 3, held: 1 });
    expect(cache.walkSync('/a/d/f')).toBe(file);
    cache.release(file);
    for (let round = 0; round < 4; round++) {
      cache.prune(100);
    }
    check(cache);
    await loop.runAll();
    expect(cache.stats()).toMatchObject({ dentries: 0, held: 0, pending: 0 });
    expect(released().toSorted()).toEqual(['/a/d/f', '/b/d/f']);
  });

  it('that is dropped keeps its inode and its path until it is released', async () => {
    const file = cache.walkSync('/a/d/f');
    cache.hold(file);
    cache.hold(file);
    cache.invalidate('/a');
    check(cache, [file]);
    await loop.runAll();
    expect(cache.pathOf(file)).toBe('/a/d/f');
    expect(file.inode).toMatchObject({ released: false });
    expect(cache.hold(file)).toBe(false);
    const fresh = cache.walkSync('/a/d/f');
    expect(fresh).not.toBe(file);
    cache.release(file);
    await loop.runAll();
    expect(file.inode).toMatchObject({ released: false });
    cache.release(file);
    check(cache);
    await loop.runAll();
    expect(released()).toEqual(['/a/d/f']);
    expect(fresh.inode).toMatchObject({ released: false });
  });

  it('is released as often as it was held, and no more', () => {
    const file = cache.walkSync('/a/d/f');
    cache.hold(file);
    cache.release(file);
    expect(() => cache.release(file)).toThrow(
      expect.objectContaining({
        code: 'ERR_DENTRY_NOT_HELD',
        message: "Cannot release '/a/d/f': nobody holds it; release once for each hold",
      }),
    );
    check(cache);
  });
});

describe('an inode', () => {
  it('is released once, after the grace period, and never while it may be in use', async () => {
    const file = cache.walkSync('/a/d/f');
    cache.unlink('/a/d/f');
    expect([file.inode?.released, cache.stats().pending]).toEqual([false, 1]);
    await loop.runAll();
    expect(released()).toEqual(['/a/d/f']);
    expect(file.inode).toBe(null);
  });

  it('that another one takes the place of is released too', async () => {
    const root = cache.walkSync('/');
    const first = root.inode;
    cache.invalidate('/', { exact: true });
    expect(cache.walkSync('/')).toBe(root);
    expect(root.inode).not.toBe(first);
    await loop.runAll();
    expect(released()).toContain('/');
    expect(root.inode?.released).toBe(false);
  });

  it('of a port that throws while it is released goes to onError', async () => {
    const errors: unknown[] = [];
    makeCache({
      inodes: {
        instantiate: (_, path) => ({ path, released: false }),
        release() {
          throw new Error('stuck');
        },
      },
      onError: (error) => void errors.push(error),
    });
    cache.walkSync('/a/d/f');
    cache.walkSync('/b/d/f');
    cache.invalidate();
    await loop.runAll();
    expect(errors.map((error) => (error as Error).message)).toEqual(['stuck', 'stuck']);
  });
});

describe('eviction', () => {
  it('takes the oldest, and spares what was used since it came by, once', () => {
    makeCache({ maxListed: 0 });
    for (const name of ['a', 'b', 'c']) {
      cache.walkSync(`/${name}`);
    }
    cache.peek('/a');
    const names = (): string[] => [...treeOf(cache).positives].map((node) => node.name);
    expect(names()).toEqual(['a', 'b', 'c']);
    expect([cache.prune(2), names()]).toEqual([1, ['c', 'a']]);
    expect([cache.prune(1), names()]).toEqual([1, ['a']]);
    expect([cache.prune(1), names()]).toEqual([1, []]);
    check(cache);
  });

  it('takes the directories along that nothing else keeps, however deep', () => {
    makeCache({ maxListed: 0 });
    const path = '/d'.repeat(300);
    memory.mkdirSync(path, { recursive: true });
    cache.walkSync(path);
    expect(cache.stats().dentries).toBe(300);
    // Those above are looked at and found to be in use; the last one is not, and then they go with it.
    expect(cache.prune(300)).toBe(300);
    expect(cache.count()).toBe(0);
    check(cache);
  });

  it('spares directories above that were used', () => {
    cache.walkSync('/a/d/f');
    nodeOf(cache.peek('/a', { attributes: false }) as Dentry<Inode>).referenced = true;
    cache.prune(100);
    check(cache);
    expect(cache.peek('/a', { attributes: false })).toBeDefined();
    expect(cache.peek('/a/d', { attributes: false })).toBe(undefined);
  });

  it('of a large directory that is dropped looks at each dentry once', () => {
    for (let at = 0; at < 2000; at++) {
      memory.writeFileSync(`/a/d/f${at}`);
    }
    for (let at = 0; at < 2000; at++) {
      cache.walkSync(`/a/d/f${at}`);
    }
    const tree = treeOf(cache);
    const count = tree.count;
    let steps = 0;
    const unhash = tree.unhash.bind(tree);
    tree.unhash = (node) => {
      steps++;
      unhash(node);
    };
    cache.invalidate('/a');
    expect([count, steps]).toEqual([2002, 2002]);
    check(cache);
  });

  it('keeps within the limits', () => {
    makeCache({ max: 20, maxListedTotal: 30, maxPaths: 40 });
    for (let at = 0; at < 60; at++) {
      memory.mkdirSync(`/x${at}/y/z`, { recursive: true });
      cache.created(`/x${at}`);
      cache.walkSync(`/x${at}/y/z/nothing`);
      const { dentries, listedNames, paths } = cache.stats();
      // One walk may be over.
      expect(dentries).toBeLessThan(20 + 8);
      expect(listedNames).toBeLessThan(30 + 100);
      expect(paths).toBeLessThan(41);
      check(cache);
    }
  });
});

describe('a cache that is closed', () => {
  it('has let go of everything, and walks no more', async () => {
    cache.walkSync('/a/d/f');
    const closing = cache.close();
    await loop.runAll();
    await closing;
    await cache[Symbol.asyncDispose]();
    expect(cache.stats()).toMatchObject({ dentries: 0, listings: 0, paths: 0, pending: 0 });
    expect(inodes.every((inode) => inode.released)).toBe(true);
    const closed = expect.objectContaining({ code: 'ERR_DENTRY_CLOSED' });
    expect(() => cache.walkSync('/a')).toThrow(closed);
    await expect(cache.walk('/a')).rejects.toEqual(closed);
    expect(cache.peek('/a')).toBe(undefined);
  });

  it('lets go of what is held when that is released', async () => {
    const file = cache.walkSync('/a/d/f');
    cache.hold(file);
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect(file.inode?.released).toBe(false);
    cache.release(file);
    await loop.runAll();
    expect(cache.stats()).toMatchObject({ dentries: 0, held: 0 });
    expect(released()).toContain('/a/d/f');
  });
});
