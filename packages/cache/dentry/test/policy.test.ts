import { countingSource, memorySource, type MemorySource } from '@core/fs-source';
import { beforeEach, describe, expect, it } from 'vitest';
import { DentryCache, type DentryPolicy, type InodePort, type PlainInode } from '../src/index.js';
import { check } from './support/insides.js';

let nowMs: number;
let memory: MemorySource;
let source: ReturnType<typeof countingSource>;
const clock = { now: (): number => nowMs };

function cacheWith(policy: DentryPolicy<PlainInode>): DentryCache {
  return new DentryCache({ source, policy, clock });
}

beforeEach(() => {
  nowMs = 1000;
  memory = memorySource({ clock });
  memory.mkdirSync('/d/e', { recursive: true });
  memory.writeFileSync('/d/e/f');
  memory.symlinkSync('d', '/l');
  source = countingSource(memory);
});

describe('a policy by age', () => {
  const byAge: DentryPolicy<PlainInode> = { validUntil: (_, now) => now + 10 };

  it('believes what was told for as long, and then asks once for each name on the way', () => {
    const cache = cacheWith(byAge);
    const file = cache.walkSync('/d/e/f');
    source.reset();
    nowMs += 10;
    expect(cache.walkSync('/d/e/f')).toBe(file);
    expect(cache.peek('/d/e/f')).toBe(file);
    expect(source.total).toBe(0);
    nowMs += 1;
    expect(cache.peek('/d/e/f')).toBe(undefined);
    expect(cache.walkSync('/d/e/f')).toBe(file);
    expect(source.counts).toMatchObject({ lstat: 3, readdir: 0 });
    expect(cache.peek('/d/e/f')).toBe(file);
    check(cache);
  });

  it('sees what others have done, after that time', async () => {
    const cache = cacheWith(byAge);
    cache.walkSync('/d/e/f');
    expect(cache.walkSync('/d/e/new').missing).toBe('ENOENT');
    expect(cache.walkSync('/l/e/f').missing).toBe(null);
    memory.writeFileSync('/d/e/new');
    memory.unlinkSync('/d/e/f');
    memory.unlinkSync('/l');
    memory.symlinkSync('d/e', '/l');
    expect(cache.walkSync('/d/e/new').missing).toBe('ENOENT');
    nowMs += 11;
    expect(cache.walkSync('/d/e/new').missing).toBe(null);
    expect((await cache.walk('/d/e/f')).missing).toBe('ENOENT');
    expect(cache.realpathSync('/l/new')).toBe('/d/e/new');
    expect(cache.readdirSync('/d/e').map(({ name }) => name)).toEqual(['new']);
    check(cache);
  });

  it('takes another file of the same name for another one', () => {
    const cache = cacheWith(byAge);
    const [file, directory] = [cache.walkSync('/d/e/f'), cache.walkSync('/d/e')];
    memory.unlinkSync('/d/e/f');
    nowMs += 5;
    memory.writeFileSync('/d/e/f');
    nowMs += 11;
    const other = cache.walkSync('/d/e/f');
    // The number is used again; the time of birth is another one.
    expect(other.inode?.stats.ino).toBe(file.inode?.stats.ino ?? other.inode?.stats.ino);
    expect(other).not.toBe(file);
    memory.rmSync('/d/e');
    memory.mkdirSync('/d/e');
    nowMs += 11;
    expect(cache.walkSync('/d/e')).not.toBe(directory);
    expect(cache.walkSync('/d/e/f').missing).toBe('ENOENT');
    check(cache);
  });
});

describe('a policy that believes nothing', () => {
  it('asks in each walk, and only once', async () => {
    const cache = cacheWith({ validUntil: () => -1 });
    cache.walkSync('/d/e/f');
    source.reset();
    cache.walkSync('/d/e/f');
    expect(source.counts.lstat).toBe(3);
    await cache.walk('/d/e/f');
    expect(source.counts.lstat).toBe(6);
    memory.writeFileSync('/d/e/new');
    expect(cache.walkSync('/d/e/new').missing).toBe(null);
    expect(cache.readdirSync('/d/e')).toHaveLength(2);
    check(cache);
  });
});

describe('revalidate', () => {
  it('says what becomes of a dentry whose time is over', () => {
    let verdict: 'valid' | 'check' | 'gone' = 'valid';
    const asked: string[] = [];
    const cache = cacheWith({
      validUntil: (_, now) => now + 10,
      revalidate(dentry) {
        asked.push(dentry.name);
        return verdict;
      },
    });
    const file = cache.walkSync('/d/e/f');
    memory.writeFileSync('/d/e/f', 'longer');
    source.reset();
    nowMs += 11;
    expect(cache.walkSync('/d/e/f')).toBe(file);
    expect([asked.splice(0), source.total]).toEqual([['d', 'e', 'f'], 0]);
    nowMs += 11;
    verdict = 'gone';
    const other = cache.walkSync('/d/e/f');
    expect(other).not.toBe(file);
    expect(other.inode?.stats.size).toBe(6n);
    expect(asked.splice(0)).toEqual(['d']);
    nowMs += 11;
    verdict = 'check';
    expect(cache.walkSync('/d/e/f')).toBe(other);
    expect(asked).toEqual(['d', 'e', 'f']);
    check(cache);
  });

  it('is not asked where the caller wants to have asked the source, or has invalidated the name', async () => {
    const cache = cacheWith({ validUntil: (_, now) => now + 10, revalidate: () => 'valid' });
    cache.walkSync('/d');
    source.reset();
    cache.walkSync('/d', { fresh: true });
    await cache.walk('/d', { fresh: true });
    expect(source.counts.lstat).toBe(2);
    cache.invalidate('/d', { exact: true });
    source.reset();
    cache.walkSync('/d');
    expect(source.counts.lstat).toBe(1);
  });
});

describe('without `update` in the port', () => {
  it('a file is the same if the port has the same inode for it', () => {
    const shared = new Map<bigint, PlainInode & { refs: number }>();
    const inodes: InodePort<PlainInode & { refs: number }> = {
      instantiate(stats) {
        let inode = shared.get(stats.ino);
        if (inode === undefined) {
          inode = { stats, refs: 0 };
          shared.set(stats.ino, inode);
        }
        inode.refs++;
        inode.stats = stats;
        return inode;
      },
      release(inode) {
        inode.refs--;
      },
    };
    const cache = new DentryCache({ source, inodes, clock, policy: { validUntil: (_, now) => now + 10 } });
    const file = cache.walkSync('/d/e/f');
    memory.writeFileSync('/d/e/f', 'longer');
    nowMs += 11;
    expect(cache.walkSync('/d/e/f')).toBe(file);
    expect(file.inode?.stats.size).toBe(6n);
    memory.writeFileSync('/other');
    memory.renameSync('/other', '/d/e/f');
    nowMs += 11;
    expect(cache.walkSync('/d/e/f')).not.toBe(file);
    check(cache);
  });
});
