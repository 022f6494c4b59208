import { createHost, FrameworkError, TOKENS } from '@core/framework';
import { memorySource } from '@core/fs-source';
import { describe, expect, test } from 'vitest';
import { DerivedKind, InodeCache, inodeCache, InodeError } from '../src/index.js';

describe('inodeCache', () => {
  test('gives a host a cache, charged to its memory, with its shrinker', async () => {
    const source = memorySource();
    source.writeFileSync('/a', 'abc');
    const host = await createHost({ plugins: [inodeCache({ source })] });
    const cache = host.get(InodeCache);
    const inode = await cache.iget('/a');
    expect([cache.name, host.get(TOKENS.MemoryGroup).usage()]).toEqual(['inode', 800]);
    cache.release(inode);
    for (let pass = 0; pass < 10 && cache.count() > 0; pass++) {
      await host.reclaim();
    }
    expect(cache.stats()).toMatchObject({ inodes: 0, evictions: 1 });
    expect(JSON.stringify(host.stats().plugins)).toContain('"evictions":1');
    await host.close();
    await expect(cache.iget('/a')).rejects.toMatchObject({ code: 'ERR_INODE_CLOSED' });
  });

  test('over node’s file system, and in a group, by options', async () => {
    const plugin = inodeCache({ name: 'files', group: (root) => root.child('tenant') });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    const inode = cache.igetSync(import.meta.dirname);
    expect([inode.isDirectory, cache.name]).toEqual([true, 'files']);
    expect(host.get(TOKENS.MemoryGroup).children()[0]?.usage()).toBe(800);
    cache.release(inode);
  });

  test('prunes what is in its super block', async () => {
    const source = memorySource();
    source.writeFileSync('/a', 'abc');
    const held: (() => void)[] = [];
    const dentries = {
      count: () => held.length,
      prune: (nr: number) => {
        const dropped = held.splice(0, nr);
        for (const drop of dropped) {
          drop();
        }
        return dropped.length;
      },
    };
    const plugin = inodeCache({ source, group: null, superBlock: { dentries } });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    const inode = cache.igetSync('/a');
    held.push(() => cache.release(inode));
    for (let pass = 0; pass < 20 && cache.stats().inodes > 0; pass++) {
      await host.reclaim();
    }
    expect(cache.stats().inodes).toBe(0);
  });

  test('tells the host of errors', async () => {
    const source = memorySource({ clock: { now: () => 1000 } });
    source.writeFileSync('/a', 'abc');
    const host = await createHost({ plugins: [inodeCache({ source })] });
    const errors: unknown[] = [];
    host.events.on('errored', ({ error }) => void errors.push(error));
    const cache = host.get(InodeCache);
    const inode = cache.igetSync('/a');
    const kind = new DerivedKind<string>('odd', { sizeOf: () => -1 });
    inode.deriveSync(kind, () => 'x');
    expect(errors).toHaveLength(1);
    cache.release(inode);
    await host.close();
  });

  test('a host that closes over held inodes says so', async () => {
    const source = memorySource();
    source.writeFileSync('/a');
    const host = await createHost({ plugins: [inodeCache({ source })] });
    const cache = host.get(InodeCache);
    const inode = cache.igetSync('/a');
    const failure: unknown = await host.close().then(
      () => null,
      (error: unknown) => error,
    );
    expect(FrameworkError.is(failure) && failure.code).toBe('ERR_CLOSE_FAILED');
    const [cause] = ((failure as FrameworkError).cause as AggregateError).errors as unknown[];
    expect(InodeError.is(cause) && cause.code).toBe('ERR_INODE_HELD');
    expect((cause as Error).message).toContain('1 holds are open, of /a;');
    cache.release(inode);
    expect(cache.stats().holds).toBe(0);
  });
});
