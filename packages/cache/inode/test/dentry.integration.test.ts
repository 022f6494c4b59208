import { type Dentry, DentryCache } from '@cache/dentry';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { DerivedKind, type Inode, SuperBlock } from '../src/index.js';
import { makeWorld, type World } from './support/make-cache.js';

interface Stack extends World {
  readonly dentries: DentryCache<Inode>;
  readonly registry: ShrinkerRegistry;
  /** The time by which everything is looked at again. */
  expire(): void;
}

/** Names over inodes, over one file system in memory, with one shrinker. */
function makeStack(): Stack {
  const world = makeWorld();
  const { time, rcu, cache, errors } = world;
  const dentries = new DentryCache<Inode>({
    source: cache.source,
    inodes: cache,
    rcu,
    clock: time,
    policy: { validUntil: (_, nowMs) => nowMs + 3000 },
    onError: (error) => void errors.push(error),
  });
  const registry = new ShrinkerRegistry();
  const block = new SuperBlock({ dentries, inodes: cache, contents: [cache.derivedValues] });
  registry.register(registry.alloc(block.asShrinker()));
  return { ...world, dentries, registry, expire: () => time.advance(60_001) };
}

const inodeOf = (dentry: Dentry<Inode>): Inode => dentry.inode as Inode;

describe('under a dentry cache', () => {
  test('names of one file share its inode', () => {
    const { memory, dentries, cache } = makeStack();
    memory.mkdirSync('/d');
    memory.writeFileSync('/d/a', 'abc');
    memory.linkSync('/d/a', '/d/b');
    memory.symlinkSync('a', '/d/s');
    const [a, b, s] = ['/d/a', '/d/b', '/d/s'].map((path) => dentries.walkSync(path));
    expect(a).not.toBe(b);
    expect([inodeOf(b!), inodeOf(s!)]).toEqual([a?.inode, a?.inode]);
    expect(inodeOf(a!).stats.nlink).toBe(2n);
    cache.checkInvariants();
  });

  test('a walk and a revalidation agree on what is there, whatever others do', async () => {
    const { memory, dentries, cache, expire } = makeStack();
    memory.writeFileSync('/a', 'old');
    const old = inodeOf(dentries.walkSync('/a'));
    expire();
    memory.writeFileSync('/a', 'changed');
    // Changed: the same inode has the new attributes.
    expect(inodeOf(await dentries.walk('/a'))).toBe(old);
    expect(old.stats.size).toBe(7n);
    expire();
    memory.unlinkSync('/a');
    memory.writeFileSync('/a', 'another');
    // Another file, which even has the number.
    const another = inodeOf(dentries.walkSync('/a'));
    expect([another === old, another.ino === old.ino, old.isStale]).toEqual([false, true, true]);
    expire();
    memory.unlinkSync('/a');
    expect(dentries.walkSync('/a')).toMatchObject({ inode: null, missing: 'ENOENT' });
    expect(cache.revalidateSync(another)).toBe('gone');
    cache.checkInvariants();
  });

  test('a file that is replaced takes what was derived of the old one with it', () => {
    const { memory, dentries, expire } = makeStack();
    const text = new DerivedKind<string>('text', { sizeOf: (value) => value.length });
    const read = (path: string): string =>
      inodeOf(dentries.walkSync(path)).deriveSync(text, (file) => memory.readFileSync(file.path).toString());
    memory.writeFileSync('/a', 'old');
    memory.writeFileSync('/b', 'new');
    expire();
    expect([read('/a'), read('/a'), read('/b')]).toEqual(['old', 'old', 'new']);
    memory.renameSync('/b', '/a');
    dentries.rename('/b', '/a');
    expect(read('/a')).toBe('new');
    expire();
    memory.writeFileSync('/a', 'NEW');
    expect(read('/a')).toBe('NEW');
  });

  test('a walk is a look: it ends a doubt, and no other is needed', async () => {
    const { memory, dentries, cache, source, time } = makeStack();
    memory.writeFileSync('/a', 'old');
    time.advance(5);
    // A file that has changed since it was made: the device's times of birth are believed from here on.
    memory.chmodSync('/a', 0o600);
    const inode = inodeOf(dentries.walkSync('/a'));
    for (const walk of [() => dentries.walkSync('/a'), () => dentries.walk('/a')]) {
      memory.writeFileSync('/a', 'changed');
      cache.invalidate(inode);
      dentries.invalidate('/a');
      source.reset();
      expect(inodeOf(await walk())).toBe(inode);
      expect([cache.isFresh(inode), source.counts.lstat]).toEqual([true, 1]);
    }
  });

  test('inodes are let go with their names, after the grace period', async () => {
    const { memory, dentries, cache, settle } = makeStack();
    memory.writeFileSync('/a');
    memory.unlinkSync('/a');
    memory.writeFileSync('/b');
    dentries.walkSync('/b');
    const { holds } = cache.stats();
    memory.unlinkSync('/b');
    dentries.unlink('/b');
    expect(cache.stats().holds).toBe(holds);
    await settle();
    expect(cache.stats().holds).toBe(holds - 1);
    cache.checkInvariants();
  });

  test('one shrinker takes names first, and the inodes when these have let go', async () => {
    const { memory, dentries, cache, registry, settle } = makeStack();
    for (let index = 0; index < 500; index++) {
      memory.writeFileSync(`/${index}`);
      dentries.walkSync(`/${index}`);
    }
    expect(cache.stats()).toMatchObject({ unused: 0 });
    for (let pass = 0; pass < 10; pass++) {
      registry.shrinkSlabSync({ priority: 0 });
      cache.checkInvariants();
      await settle();
    }
    expect(cache.stats().inodes).toBeLessThanOrEqual(1);
    expect(dentries.stats().dentries).toBeLessThanOrEqual(1);
  });

  test('all is given back in the end', async () => {
    const { memory, dentries, cache, time, errors } = makeStack();
    memory.mkdirSync('/d');
    for (const path of ['/d/a', '/d/b', '/c']) {
      memory.writeFileSync(path);
      await Promise.all([
        dentries.walk(path),
        dentries.walk(path),
        cache.iget(path).then((inode) => cache.release(inode)),
      ]);
    }
    const closing = dentries.close().then(() => cache.close());
    for (let turn = 0; turn < 5; turn++) {
      await time.runAll();
    }
    await closing;
    expect([cache.stats(), errors]).toMatchObject([{ holds: 0, inodes: 0, retired: 0, chargedBytes: 0 }, []]);
  });
});
