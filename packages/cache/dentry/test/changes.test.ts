import { countingSource, memorySource, type MemorySource } from '@core/fs-source';
import { beforeEach, describe, expect, it } from 'vitest';
import { DentryCache } from '../src/index.js';
import { check } from './support/insides.js';
import { cacheOutcome, sourceOutcome } from './support/outcome.js';

const PATHS = ['/', '/d', '/d/e', '/d/e/f', '/d/x', '/g', '/g/e/f', '/l', '/l/e', '/new', '/dangling', '/to/f', '/h'];
const CERTAIN = { certain: true } as const;

let memory: MemorySource;
let source: ReturnType<typeof countingSource>;
let cache: DentryCache;

function agrees(): void {
  for (const path of PATHS) {
    for (const follow of [true, false]) {
      const expected = [path, follow, sourceOutcome(memory, path, follow)];
      expect([path, follow, cacheOutcome(cache, path, follow)]).toEqual(expected);
    }
  }
  check(cache);
}

beforeEach(() => {
  let nowMs = 0;
  memory = memorySource({ clock: { now: () => ++nowMs } });
  memory.mkdirSync('/d/e', { recursive: true });
  memory.writeFileSync('/d/e/f');
  memory.writeFileSync('/h');
  memory.symlinkSync('d', '/l');
  memory.symlinkSync('to/f', '/dangling');
  source = countingSource(memory);
  cache = new DentryCache({ source });
  agrees();
});

describe.each([true, false])('a change that is certain: %s', (certain) => {
  it('makes a name', () => {
    memory.mkdirSync('/new');
    cache.created('/new', { certain, kind: 'directory' });
    agrees();
    memory.writeFileSync('/d/x');
    cache.created('/l/x', { certain, kind: 'file' });
    agrees();
  });

  it('makes what a dangling symlink leads to', () => {
    memory.mkdirSync('/to');
    cache.created('/to', { certain, kind: 'directory' });
    agrees();
    memory.writeFileSync('/dangling', 'x');
    cache.created('/dangling', { certain, kind: 'file' });
    agrees();
  });

  it('makes a name of a kind that is not said', () => {
    memory.mknodSync('/new', 'fifo');
    cache.created('/new', { certain, kind: 'unknown' });
    agrees();
    memory.mknodSync('/d/x', 'socket');
    cache.created('/d/x', { certain, kind: 'socket' });
    agrees();
  });

  it('makes a symlink', () => {
    memory.symlinkSync('d/e', '/new');
    cache.created('/new', { certain, kind: 'symlink' });
    agrees();
  });

  it('removes names', () => {
    memory.unlinkSync('/d/e/f');
    cache.unlink('/l/e/f', { certain });
    agrees();
    memory.rmdirSync('/d/e');
    cache.unlink('/d/e/', { certain });
    agrees();
    memory.unlinkSync('/l');
    cache.unlink('/l', { certain });
    agrees();
  });

  it('renames a directory with all that is in it', () => {
    memory.renameSync('/d', '/g');
    cache.rename('/d', '/g', { certain });
    agrees();
    memory.mkdirSync('/d');
    cache.created('/d', { certain, kind: 'directory' });
    agrees();
  });

  it('renames over what is there', () => {
    memory.renameSync('/h', '/d/e/f');
    cache.rename('/h', '/d/e/f', { certain });
    agrees();
    memory.renameSync('/l', '/dangling');
    cache.rename('/l', '/dangling', { certain });
    agrees();
  });

  it('exchanges', () => {
    memory.renameSync('/h', '/d/e', { exchange: true });
    cache.rename('/h', '/d/e', { certain, exchange: true });
    agrees();
    memory.renameSync('/l', '/d', { exchange: true });
    cache.rename('/l', '/d', { certain, exchange: true });
    agrees();
  });

  it('renames a name to itself, or to another name of the same file, which changes nothing', () => {
    memory.renameSync('/h', '/h');
    cache.rename('/h', '/h', { certain });
    agrees();
    memory.linkSync('/h', '/new');
    cache.created('/new', { certain });
    cache.invalidate('/h', { exact: true });
    agrees();
    memory.renameSync('/h', '/new');
    cache.rename('/h', '/new', { certain });
    expect(cache.walkSync('/h').missing).toBe(null);
    agrees();
  });

  it('renames between directories that nothing is known of', () => {
    cache.invalidate();
    memory.renameSync('/d/e/f', '/new');
    cache.rename('/d/e/f', '/new', { certain });
    agrees();
  });
});

describe('what is certain', () => {
  it('needs no look-up afterwards', () => {
    memory.unlinkSync('/d/e/f');
    cache.unlink('/d/e/f', CERTAIN);
    memory.renameSync('/d', '/g');
    cache.rename('/d', '/g', CERTAIN);
    source.reset();
    expect(cache.walkSync('/g/e/f').missing).toBe('ENOENT');
    expect(cache.walkSync('/d').missing).toBe('ENOENT');
    expect(cache.walkSync('/g/e', { attributes: false }).missing).toBe(null);
    expect(source.total).toBe(0);
  });
});

describe('invalidate', () => {
  it('forgets all below a path', () => {
    memory.rmSync('/d');
    memory.writeFileSync('/d', 'a file now');
    cache.invalidate('/d');
    agrees();
  });

  it('forgets what a symlink leads to', () => {
    memory.unlinkSync('/d/e/f');
    cache.invalidate('/l');
    agrees();
  });

  it('forgets everything', () => {
    memory.rmSync('/d');
    memory.mkdirSync('/to');
    memory.writeFileSync('/to/f');
    cache.invalidate();
    expect(cache.stats()).toMatchObject({ dentries: 0, listings: 0 });
    agrees();
    memory.rmSync('/to');
    cache.invalidate('/');
    agrees();
  });

  it('of one name alone has the directory looked at again, and keeps what is in it if it is the same', () => {
    const file = cache.walkSync('/d/e/f');
    memory.chmodSync('/d', 0o700);
    memory.writeFileSync('/d/x');
    cache.invalidate('/d', { exact: true });
    expect(cache.walkSync('/d/e/f')).toBe(file);
    agrees();
    memory.renameSync('/d', '/g');
    memory.mkdirSync('/d');
    cache.invalidate('/d', { exact: true });
    cache.invalidate('/g', { exact: true });
    agrees();
    memory.writeFileSync('/h', 'longer');
    cache.invalidate('/h', { exact: true });
    agrees();
    cache.invalidate('/', { exact: true });
    agrees();
  });

  it('of names in directories that are not there changes nothing', () => {
    const { dentries } = cache.stats();
    cache.invalidate('/nothing/at/all');
    cache.invalidate('/h/below/a/file');
    expect(cache.stats().dentries).toBe(dentries);
    agrees();
  });

  it('of a path of which the source cannot tell where it leads forgets everything', () => {
    memory.mkdirSync('/closed/in', { recursive: true });
    memory.symlinkSync('/d', '/closed/in/d');
    memory.chmodSync('/closed', 0);
    cache.invalidate('/closed');
    cache.walkSync('/d/e/f');
    cache.invalidate('/closed/in/d/e/f');
    expect(cache.peek('/d/e/f')).toBe(undefined);
    agrees();
  });
});

describe('what was made just now', () => {
  it('is known, an empty directory as well, and nothing is asked about it', () => {
    memory.mkdirSync('/d/new');
    source.reset();
    cache.created('/d/new', { certain: true, isNew: true, kind: 'directory' });
    expect(cache.readdirSync('/l/new')).toEqual([]);
    expect(cache.walkSync('/d/new/x', { attributes: false }).missing).toBe('ENOENT');
    memory.writeFileSync('/d/new/x');
    cache.created('/d/new/x', { certain: true, isNew: true, kind: 'file' });
    expect(cache.walkSync('/d/new/x', { attributes: false }).kind).toBe(1);
    expect(source.total).toBe(0);
    agrees();
  });

  it('is where it was made, though nobody may have looked a name up there', () => {
    const unread = new DentryCache({ source });
    unread.readdirSync('/d');
    source.reset();
    memory.mkdirSync('/d/new');
    unread.created('/d/new', { certain: true, isNew: true, kind: 'directory' });
    memory.unlinkSync('/d/e/f');
    unread.unlink('/d/e/f', { certain: true });
    // Of `/d/e` it is known that it is a directory, and that is enough to find the place.
    expect(source.total).toBe(0);
    expect(unread.walkSync('/d/new').kind).toBe(2);
    expect(unread.walkSync('/d/e/f').missing).toBe('ENOENT');
  });
});
