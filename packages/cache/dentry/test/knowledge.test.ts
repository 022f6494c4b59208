import { countingSource, faultySource, memorySource, type MemorySource } from '@core/fs-source';
import { describe, expect, it } from 'vitest';
import { DentryCache, type DentryCacheOptions, KIND_SYMLINK, type PlainInode } from '../src/index.js';
import { check } from './support/insides.js';

function counted(
  furnish: (memory: MemorySource) => void,
  options: Partial<DentryCacheOptions<PlainInode>> = {},
  memory: MemorySource = memorySource(),
) {
  furnish(memory);
  const source = countingSource(memory);
  return { memory, source, cache: new DentryCache({ source, ...options }) };
}

function deep(memory: MemorySource): void {
  memory.mkdirSync('/a/b/c/d/e', { recursive: true });
  memory.writeFileSync('/a/b/c/d/e/f');
  memory.writeFileSync('/a/b/c/d/e/g');
}

describe('what is cached', () => {
  it('asks nobody: a path, a miss, a name where there is no directory, real paths, directories', () => {
    const { source, cache } = counted((memory) => {
      deep(memory);
      memory.symlinkSync('a', '/l');
    });
    const walk = (): void => {
      cache.walkSync('/a/b/c/d/e/f');
      cache.walkSync('/a/b/c/d/e/f', { follow: false });
      cache.walkSync('/a/b/c/d/e/nothing');
      cache.walkSync('/a/b/c/d/e/f/x');
      cache.walkSync('/a/nothing/x');
      cache.realpathSync('/a/b/c');
      cache.readdirSync('/a/b/c/d/e');
      cache.readlinkSync('/l');
    };
    walk();
    source.reset();
    walk();
    walk();
    expect(source.total).toBe(0);
    expect(cache.peek('/a/b/c/d/e/f')?.inode).not.toBe(null);
    expect(cache.peek('/a/b/c/d/e/nothing')?.missing).toBe('ENOENT');
    expect(cache.peek('/a/b/c/d/e/f/x')?.missing).toBe('ENOTDIR');
    expect(() => cache.pathOf(cache.walkSync('/a/nothing'))).toThrow(
      'Cannot tell the path: the walk has led to nothing',
    );
    expect(cache.peek('/a/b/c/d/e/g')).toBe(undefined);
    expect(cache.peekdir('/a/b/c/d/e')).toHaveLength(2);
    expect(cache.peekdir('/a/b/c/d/e/f')).toBe(undefined);
    expect(cache.peek('/l', { follow: false, attributes: false })?.target).toBe('a');
    cache.created('/a/b/c/d/e/new');
    expect(cache.peekdir('/a/b/c/d/e')).toBe(undefined);
  });

  it('is peeked at without anything allocated', () => {
    const { cache } = counted(deep);
    cache.walkSync('/a/b/c/d/e/f');
    cache.walkSync('/a/b/c/d/e/nothing');
    const rounds = 100_000;
    const peekAll = (): number => {
      let found = 0;
      for (let round = 0; round < rounds; round++) {
        found += cache.peek('/a/b/c/d/e/f')?.missing === null ? 1 : 0;
        found += cache.peek('/a/b/c/d/e/nothing')?.missing === null ? 0 : 1;
      }
      return found;
    };
    // The least of several, since the compiler allocates too while it is at work.
    let least = Infinity;
    for (let times = 0; times < 6; times++) {
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      expect(peekAll()).toBe(2 * rounds);
      least = Math.min(least, process.memoryUsage().heapUsed - before);
    }
    // One object for each would be at least 16 bytes each.
    expect(least).toBeLessThan(rounds);
  });

  it('has no inode where nobody asked for one', () => {
    const { source, cache } = counted(deep);
    cache.walkSync('/a/b/c/d/e/f');
    source.reset();
    expect(cache.walkSync('/a/b', { attributes: false }).inode).toBe(null);
    expect(source.total).toBe(0);
    expect(cache.peek('/a/b')).toBe(undefined);
    expect(cache.peek('/a/b', { attributes: false })?.name).toBe('b');
    expect(cache.walkSync('/a/b').inode).not.toBe(null);
  });

  it('is asked for again where the walk wants that, and then is known anew', () => {
    const { memory, source, cache } = counted(deep);
    const file = '/a/b/c/d/e/f';
    cache.walkSync(file);
    memory.unlinkSync(file);
    source.reset();
    expect(cache.walkSync(file).missing).toBe(null);
    expect(cache.walkSync(file, { fresh: true }).missing).toBe('ENOENT');
    expect(source.total).toBe(1);
    expect(cache.walkSync(file).missing).toBe('ENOENT');
    memory.writeFileSync(file);
    expect(cache.walkSync(file, { fresh: true }).missing).toBe(null);
    memory.writeFileSync('/a/b/c/d/e/new');
    expect(cache.walkSync('/a/b/c/d/e/new', { fresh: true }).missing).toBe(null);
    expect(cache.walkSync('/', { fresh: true }).kind).toBe(2);
    check(cache);
  });
});

describe('a listing', () => {
  it('answers every later miss, and tells symlinks from others, with no call for each', () => {
    const { source, cache } = counted((memory) => {
      memory.mkdirSync('/d');
      for (let at = 0; at < 50; at++) {
        memory.writeFileSync(`/d/f${at}`);
      }
      memory.symlinkSync('f0', '/d/l');
    });
    cache.walkSync('/d/f0');
    source.reset();
    for (let at = 0; at < 50; at++) {
      expect(cache.walkSync(`/d/nothing${at}`).missing).toBe('ENOENT');
      expect(cache.realpathSync(`/d/f${at}`)).toBe(`/d/f${at}`);
    }
    expect(source.total).toBe(0);
    expect(cache.walkSync('/d/l', { follow: false, attributes: false }).kind).toBe(KIND_SYMLINK);
    expect(source.total).toBe(0);
    expect(cache.stats()).toMatchObject({ negative: 0, listings: 2, listedNames: 52, listedMisses: 50 });
  });

  it('of unknown kinds has each looked up', () => {
    const { source, cache } = counted(deep, {}, memorySource({ tellsKinds: false }));
    expect(cache.realpathSync('/a/b/c')).toBe('/a/b/c');
    expect(source.counts).toMatchObject({ lstat: 3, readdir: 3, readlink: 0 });
    cache.walkSync('/a/nothing');
    expect(source.total).toBe(6);
  });

  it('is not taken of a directory that is too large, or that may not be read', () => {
    const { source, cache } = counted(deep, { maxListed: 1 });
    cache.walkSync('/a/b/c/d/e/f');
    source.reset();
    cache.walkSync('/a/b/c/d/e/x');
    cache.walkSync('/a/b/c/d/e/y');
    expect(source.counts).toMatchObject({ lstat: 2, readdir: 0 });
    const shut = counted((other) => {
      other.mkdirSync('/shut/in', { recursive: true });
      other.chmodSync('/shut', 0o300);
    });
    expect(shut.cache.walkSync('/shut/in').missing).toBe(null);
    expect(shut.cache.walkSync('/shut/x').missing).toBe('ENOENT');
    expect(shut.cache.walkSync('/shut/y').missing).toBe('ENOENT');
    // Once the root, once in vain.
    expect(shut.source.counts).toMatchObject({ readdir: 2, lstat: 3 });
  });

  it('that fails for now is tried again', () => {
    const memory = memorySource();
    deep(memory);
    const source = faultySource(memory, { faults: [{ code: 'EMFILE', on: ['readdir'], nth: 1 }] });
    const cache = new DentryCache({ source });
    expect(cache.walkSync('/a').missing).toBe(null);
    expect(cache.stats().listings).toBe(0);
    expect(cache.walkSync('/x').missing).toBe('ENOENT');
    expect(cache.stats().listings).toBe(1);
  });

  it('comes with the look-up that it is set for', () => {
    const { source, cache } = counted(deep, { listAfter: 3 });
    cache.walkSync('/a');
    cache.walkSync('/x');
    expect(source.counts).toMatchObject({ lstat: 2, readdir: 0 });
    cache.walkSync('/y');
    expect(source.counts).toMatchObject({ lstat: 2, readdir: 1 });
    cache.walkSync('/z');
    expect(source.total).toBe(3);
  });

  it('answers at once where it is trusted', () => {
    const { source, cache } = counted(
      (memory) => {
        memory.mkdirSync('/d');
        memory.chmodSync('/d', 0o700);
        memory.writeFileSync('/d/f');
      },
      { trustListings: true },
    );
    expect(cache.walkSync('/d/nothing').missing).toBe('ENOENT');
    expect(cache.walkSync('/d/f', { attributes: false }).missing).toBe(null);
    expect(cache.walkSync('/d/..').missing).toBe(null);
    expect(source.counts).toMatchObject({ readdir: 2, lstat: 1 });
    cache.invalidate('/d', { exact: true });
    source.reset();
    expect(cache.walkSync('/d/none').missing).toBe('ENOENT');
    expect(source.counts).toMatchObject({ readdir: 1, lstat: 1 });
    check(cache);
  });

  it('never answers for names that may stand for others', () => {
    const { source, cache } = counted((memory) => {
      memory.mkdirSync('/d');
      memory.writeFileSync('/d/\uDC80');
    });
    cache.walkSync('/d');
    expect(cache.readdirSync('/d')).toEqual([{ name: '\uFFFD', kind: 'file' }]);
    source.reset();
    expect(cache.walkSync('/d/\uFFFD').missing).toBe('ENOENT');
    expect(source.counts.lstat).toBe(1);
    expect(cache.walkSync('/d/\uD83D').missing).toBe('ENOENT');
    expect(source.counts.lstat).toBe(2);
    // It is still there for those who list.
    expect(cache.readdirSync('/d')).toHaveLength(1);
    check(cache);
  });

  it('goes in order, and is read again once the order is not known', () => {
    const { memory, source, cache } = counted(deep);
    const path = '/a/b/c/d/e';
    const listed = cache.readdirSync(path);
    memory.writeFileSync(`${path}/new`);
    cache.created(`${path}/new`, { kind: 'file', certain: true });
    source.reset();
    expect(cache.walkSync(`${path}/x`).missing).toBe('ENOENT');
    expect(source.total).toBe(0);
    expect(cache.readdirSync(path)).toEqual([...listed, { name: 'new', kind: 'file' }]);
    expect(source.counts.readdir).toBe(1);
    memory.unlinkSync(`${path}/f`);
    cache.unlink(`${path}/f`, { certain: true });
    expect(cache.readdirSync(path)).toEqual(memory.readdirSync(path));
    expect(source.counts.readdir).toBe(1);
  });

  it('that is out of date in one name is asked about that name alone, and dropped when it is in many', () => {
    const { memory, source, cache } = counted(deep);
    const path = '/a/b/c/d/e';
    cache.walkSync(`${path}/f`);
    source.reset();
    cache.invalidate(`${path}/new`);
    source.reset();
    expect(cache.walkSync(`${path}/other`).missing).toBe('ENOENT');
    expect(source.total).toBe(0);
    expect(cache.walkSync(`${path}/new`).missing).toBe('ENOENT');
    expect(source.counts.lstat).toBe(1);
    expect(cache.walkSync(`${path}/new`).missing).toBe('ENOENT');
    expect(source.total).toBe(1);
    const { listings } = cache.stats();
    for (let at = 0; at < 100; at++) {
      memory.writeFileSync(`${path}/n${at}`);
      cache.created(`${path}/n${at}`);
      check(cache);
    }
    expect(cache.stats().listings).toBe(listings - 1);
    expect(cache.walkSync(`${path}/n7`).missing).toBe(null);
  });
});

describe('a miss', () => {
  it('is remembered under a cap of its own', () => {
    const { cache } = counted(deep, { maxListed: 0, maxNegative: 10 });
    cache.walkSync('/a/b/c/d/e/f');
    for (let at = 0; at < 500; at++) {
      cache.walkSync(`/a/nothing${at}`);
      expect(cache.stats().negative).toBeLessThan(10 + 2);
      check(cache);
    }
    expect(cache.peek('/a/b/c/d/e/f')).toBeDefined();
  });

  it('that is no answer is not remembered: errors are asked for again', () => {
    const memory = memorySource();
    deep(memory);
    for (const code of ['EACCES', 'EIO', 'EMFILE']) {
      const source = faultySource(memory, { faults: [{ code, on: ['lstat'], nth: 1 }] });
      const cache = new DentryCache({ source, maxListed: 0 });
      expect(() => cache.walkSync('/a')).toThrow(code);
      expect(cache.walkSync('/a').missing).toBe(null);
      check(cache);
    }
  });
});

describe('a cache that the file system has left behind', () => {
  it('finds out where a directory is none any more, and goes on', () => {
    const { memory, cache } = counted(deep, { maxListed: 0 });
    cache.walkSync('/a/b/c/d/e/f');
    memory.rmSync('/a');
    memory.writeFileSync('/a');
    expect(cache.walkSync('/a/b/c/d/e/new').missing).toBe('ENOTDIR');
    check(cache);
  });

  it('finds out where a symlink is none any more', async () => {
    const { memory, cache } = counted((memory) => {
      deep(memory);
      memory.symlinkSync('a', '/l');
    });
    cache.walkSync('/l', { follow: false });
    memory.unlinkSync('/l');
    memory.writeFileSync('/l');
    expect((await cache.walk('/l')).missing).toBe(null);
    expect(cache.walkSync('/l', { follow: false }).kind).toBe(1);
    check(cache);
  });

  it('gives the error when the source contradicts itself', () => {
    const memory = memorySource();
    deep(memory);
    const source = faultySource(memory, { faults: [{ code: 'ENOTDIR', on: ['lstat'], path: '/a/x' }] });
    const cache = new DentryCache({ source, maxListed: 0 });
    expect(() => cache.walkSync('/a/x')).toThrow('ENOTDIR');
    check(cache);
  });
});
