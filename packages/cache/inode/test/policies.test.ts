import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeSource } from '@core/fs-source';
import { describe, expect, test } from 'vitest';
import {
  alwaysRevalidate,
  byAge,
  byWatcher,
  type Inode,
  InodeCache,
  type RevalidationPolicy,
  type WatchDirectory,
} from '../src/index.js';
import { GatedSource } from './support/gated-source.js';
import { makeWorld } from './support/make-cache.js';
import { microtasks } from './support/test-time.js';

describe('always', () => {
  test('each who asks has a look that begins then', async () => {
    const { memory, cache, source } = makeWorld({ policy: alwaysRevalidate() });
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    expect(cache.isFresh(inode)).toBe(false);
    const first = cache.revalidate(inode);
    memory.chmodSync('/a', 0o600);
    const second = cache.revalidate(inode);
    expect((await Promise.all([first, second])).toSorted()).toEqual(['changed', 'unchanged']);
    expect(source.counts.lstat).toBe(3);
    expect(cache.revalidateSync(inode)).toBe('unchanged');
  });
});

describe('by age', () => {
  test('doubles while nothing changes, up to the most, and falls back on a change', async () => {
    const { memory, time, cache, source } = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    for (const ageMs of [3000, 6000, 12_000, 24_000, 48_000, 60_000, 60_000]) {
      time.advance(ageMs - 1);
      expect([ageMs, cache.revalidateSync(inode)]).toEqual([ageMs, 'fresh']);
      time.advance(1);
      expect(await cache.revalidate(inode)).toBe('unchanged');
    }
    expect(source.counts.lstat).toBe(8);
    memory.chmodSync('/a', 0o600);
    time.advance(60_000);
    expect(cache.revalidateSync(inode)).toBe('changed');
    time.advance(2999);
    expect(cache.isFresh(inode)).toBe(true);
    time.advance(1);
    expect(cache.isFresh(inode)).toBe(false);
  });

  test('directories have ages of their own', () => {
    const { memory, time, cache } = makeWorld({ policy: byAge({ acdirminMs: 10, acdirmaxMs: 15, acregminMs: 1 }) });
    memory.mkdirSync('/d');
    memory.writeFileSync('/a');
    const [directory, file] = [cache.igetSync('/d'), cache.igetSync('/a')];
    time.advance(9);
    expect([cache.isFresh(directory), cache.isFresh(file)]).toEqual([true, false]);
    time.advance(1);
    expect(cache.revalidateSync(directory)).toBe('unchanged');
    time.advance(14);
    expect(cache.isFresh(directory)).toBe(true);
    time.advance(1);
    expect(cache.isFresh(directory)).toBe(false);
  });

  test('looks that are forced in between do not make it older', () => {
    const { memory, time, cache } = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    for (let look = 0; look < 20; look++) {
      time.advance(10);
      cache.invalidate(inode);
      cache.revalidateSync(inode);
    }
    time.advance(3000);
    expect(cache.isFresh(inode)).toBe(false);
  });

  test('counts from when the look began', async () => {
    const world = makeWorld();
    const { memory, time, rcu } = world;
    const gated = new GatedSource(memory);
    const cache = new InodeCache({ source: gated.source, rcu, clock: time, wallClock: time, scheduler: time });
    memory.writeFileSync('/a');
    const looking = cache.iget('/a');
    gated.gates[0]!.call();
    time.advance(3000);
    gated.gates[0]!.deliver();
    expect(cache.isFresh(await looking)).toBe(false);
  });

  test('a program that never lets the event loop run sees time pass', () => {
    const { memory, time, cache } = makeWorld();
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    // Without `advance` no timer runs.
    time.nowMs += 3000;
    let reads = 0;
    while (cache.isFresh(inode) && reads < 1000) {
      reads++;
    }
    expect(reads).toBeLessThanOrEqual(64);
  });

  test.each([
    [{ acregminMs: -1 }, RangeError],
    [{ acregminMs: Number.NaN }, RangeError],
    [{ acregmaxMs: 1 }, RangeError],
    [{ acdirminMs: 5, acdirmaxMs: 4 }, RangeError],
    [{ acdirminMs: '5' }, TypeError],
    [{ acregMinMs: 5 }, TypeError],
  ])('not %o', (options, error) => {
    expect(() => byAge(options as any)).toThrow(error);
  });
});

describe('a policy of the user’s', () => {
  test('that throws, or says what is no time, is not believed, and breaks nothing', () => {
    const policy: RevalidationPolicy = {
      trustMs() {
        throw new Error('policy');
      },
      forget() {
        throw new Error('forget');
      },
      close() {
        throw new Error('close');
      },
    };
    const { memory, cache, errors } = makeWorld({ policy });
    memory.writeFileSync('/a');
    const inode = cache.igetSync('/a');
    expect(cache.isFresh(inode)).toBe(false);
    cache.release(inode);
    expect(cache.prune(1)).toBe(1);
    void cache.close();
    expect(errors.map((error) => (error as Error).message)).toEqual(['policy', 'forget', 'close']);
    const odd = makeWorld({ policy: { trustMs: () => Number.NaN } });
    odd.memory.writeFileSync('/a');
    expect(odd.cache.isFresh(odd.cache.igetSync('/a'))).toBe(false);
    odd.cache.checkInvariants();
  });
});

class FakeWatches {
  readonly events = new Map<string, (name: string | null) => void>();
  readonly faults = new Map<string, () => void>();
  refuses = false;
  opened = 0;

  readonly watch: WatchDirectory = (directory, onEvent, onError) => {
    if (this.refuses) {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    }
    this.opened++;
    this.events.set(directory, onEvent);
    this.faults.set(directory, () => onError(new Error('lost')));
    return {
      close: () => {
        this.events.delete(directory);
        this.faults.delete(directory);
      },
    };
  };
}

describe('by watcher', () => {
  function watched(options: Parameters<typeof byWatcher>[0] = {}) {
    const watches = new FakeWatches();
    const world = makeWorld({ policy: byWatcher({ watch: watches.watch, ...options }) });
    world.memory.mkdirSync('/d');
    world.memory.writeFileSync('/d/a');
    return { ...world, watches };
  }

  /** Until it is believed for as long as a watched file is. */
  function settled({ cache, time }: ReturnType<typeof watched>, inode: Inode): void {
    time.advance(3000);
    expect(cache.revalidateSync(inode)).toBe('unchanged');
  }

  test('believes a watched file until an event, and never for longer than it may', () => {
    const world = watched();
    const { memory, cache, time, watches } = world;
    const inode = cache.igetSync('/d/a');
    expect([...watches.events.keys()]).toEqual(['/d']);
    // The watch began after the look: what came in between is not known, so it goes by age at first.
    settled(world, inode);
    time.advance(59_999);
    expect(cache.isFresh(inode)).toBe(true);
    time.advance(1);
    expect(cache.isFresh(inode)).toBe(false);
    cache.revalidateSync(inode);
    memory.writeFileSync('/d/a', 'x');
    watches.events.get('/d')?.('b');
    expect(cache.isFresh(inode)).toBe(true);
    watches.events.get('/d')?.('a');
    expect(cache.isFresh(inode)).toBe(false);
    expect(cache.revalidateSync(inode)).toBe('changed');
  });

  test('an event without a name is about all in the directory', () => {
    const world = watched();
    const { memory, cache, watches } = world;
    memory.writeFileSync('/d/b');
    const [a, b] = [cache.igetSync('/d/a'), cache.igetSync('/d/b')];
    settled(world, a);
    cache.revalidateSync(b);
    expect(watches.opened).toBe(1);
    watches.events.get('/d')?.(null);
    expect([cache.isFresh(a), cache.isFresh(b)]).toEqual([false, false]);
  });

  test('a watch that fails is no watch any more', () => {
    const world = watched();
    const { cache, time, watches } = world;
    const inode = cache.igetSync('/d/a');
    settled(world, inode);
    watches.refuses = true;
    watches.faults.get('/d')?.();
    expect([cache.isFresh(inode), watches.events.size]).toEqual([false, 0]);
    const { opened } = watches;
    cache.revalidateSync(inode);
    time.advance(59_998);
    expect(cache.isFresh(inode)).toBe(false);
    // The system has no more watches: it is not asked all the time.
    watches.refuses = false;
    cache.revalidateSync(inode);
    expect(watches.opened).toBe(opened);
    time.advance(60_000);
    cache.revalidateSync(inode);
    expect(watches.opened).toBe(opened + 1);
  });

  test('an event during a look is not lost', async () => {
    const world = watched();
    const gated = new GatedSource(world.memory);
    const { time, rcu, watches } = world;
    const cache = new InodeCache({
      source: gated.source,
      policy: byWatcher({ watch: watches.watch }),
      rcu,
      clock: time,
      wallClock: time,
      scheduler: time,
    });
    const inode = cache.igetSync('/d/a');
    time.advance(3000);
    const looking = cache.revalidate(inode);
    gated.gates[0]!.call();
    watches.events.get('/d')?.('a');
    gated.gates[0]!.deliver();
    await looking;
    expect(cache.isFresh(inode)).toBe(false);
  });

  test('files with several names, directories, and what cannot be watched go by age', () => {
    const world = watched({ maxWatches: 1 });
    const { memory, cache, time } = world;
    memory.linkSync('/d/a', '/d/b');
    memory.mkdirSync('/e');
    memory.writeFileSync('/d/one');
    memory.writeFileSync('/e/c');
    const believedMs = (path: string): number => {
      const inode = cache.igetSync(path);
      time.advance(60_000);
      cache.revalidateSync(inode);
      return inode.validUntilMs - time.nowMs;
    };
    expect(['/d/one', '/d/a', '/e', '/e/c'].map(believedMs)).toEqual([60_000, 6000, 60_000, 6000]);
  });

  test('watches end with what they are for', () => {
    const world = watched();
    const { memory, cache, watches } = world;
    memory.mkdirSync('/e');
    memory.writeFileSync('/e/c');
    const [a, c] = [cache.igetSync('/d/a'), cache.igetSync('/e/c')];
    expect([...watches.events.keys()]).toEqual(['/d', '/e']);
    cache.release(a);
    cache.prune(1);
    expect([...watches.events.keys()]).toEqual(['/e']);
    cache.release(c);
    void cache.close();
    expect(watches.events.size).toBe(0);
  });

  test('a file that moves is watched where it is', () => {
    const world = watched();
    const { memory, cache, watches } = world;
    memory.mkdirSync('/e');
    const inode = cache.igetSync('/d/a');
    memory.renameSync('/d/a', '/e/a');
    expect(cache.igetSync('/e/a')).toBe(inode);
    expect([...watches.events.keys()]).toEqual(['/e']);
  });

  test('on the real file system: a change is seen without a look before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'inode-watch-'));
    const path = join(directory, 'a');
    writeFileSync(path, 'old');
    const cache = new InodeCache({ source: nodeSource(), policy: byWatcher({ acregminMs: 0 }) });
    try {
      const inode = cache.igetSync(path);
      expect(cache.revalidateSync(inode)).toBe('unchanged');
      expect(cache.isFresh(inode)).toBe(true);
      writeFileSync(path, 'newer');
      for (let turn = 0; turn < 100_000 && cache.isFresh(inode); turn++) {
        await microtasks();
      }
      expect(cache.isFresh(inode)).toBe(false);
      expect(cache.revalidateSync(inode)).toBe('changed');
      cache.release(inode);
    } finally {
      await cache.close();
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    [{ maxAgeMs: -1 }, RangeError],
    [{ maxAgeMs: 'x' }, TypeError],
    [{ maxWatches: 1.5 }, RangeError],
    [{ watch: true }, TypeError],
    [{ wach: () => {} }, TypeError],
    [{ acregminMs: -1 }, RangeError],
  ])('not %o', (options, error) => {
    expect(() => byWatcher(options as any)).toThrow(error);
  });
});
