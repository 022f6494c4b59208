import { Rcu } from '@core/rcu';
import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkControl, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import type { Buf, BufCache, BufFile } from '../src/index.js';
import { BLOCK, makeBuf } from './support/make-buf.js';
import { TestSource, turns } from './support/test-source.js';

function control(nrToScan: number, zone: ShrinkControl['zone'] = 'external'): ShrinkControl {
  return { zone, group: null, nrToScan, nrScanned: nrToScan, priority: 12, mode: 'background' };
}

async function fill(file: BufFile, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    await file.readAt(block * BLOCK, 1);
  }
}

/** After how many walks over the whole list each block of the file has gone, with nobody reading. */
async function agesOf(cache: BufCache, files: readonly BufFile[]): Promise<number[]> {
  for (const file of files) {
    await fill(file, 2);
  }
  const ages = files.map(() => -1);
  const shrinker = cache.asShrinker();
  for (let walk = 1; walk <= 6; walk++) {
    await shrinker.scan(control(cache.stats().idle));
    for (const [index, file] of files.entries()) {
      if (ages[index] === -1 && file.cached === 0) {
        ages[index] = walk;
      }
    }
  }
  return ages;
}

const TYPES = ['once', 'data', 'directory', 'index', 'root'] as const;

describe('the LRU', () => {
  test('keeps each type for as many walks as it is worth', async () => {
    const { cache } = makeBuf(0);
    const files = TYPES.map((type) => cache.open(new TestSource(4 * BLOCK), { type }));
    // What is worth nothing was never kept; the others go in the walk after their last round.
    const ages = await agesOf(cache, files);
    expect(ages).toEqual([1, 2, 3, 4, 5]);
    expect(cache.stats()).toMatchObject({ used: 0, arenas: 0 });
    cache.checkInvariants();
  });

  test('the kernel’s inverted test is caught', async () => {
    const { cache } = makeBuf(0);
    const { store } = cache as unknown as { store: { ages: (buf: Buf) => boolean } };
    // As it was for years: what has rounds left goes, what has none stays.
    store.ages = (buf) => {
      if (buf.lruRef === 0) {
        return true;
      }
      buf.lruRef--;
      return false;
    };
    const files = TYPES.map((type) => cache.open(new TestSource(4 * BLOCK), { type }));
    expect(await agesOf(cache, files)).not.toEqual([1, 2, 3, 4, 5]);
  });

  test('an access gives all rounds back', async () => {
    const { cache, file } = makeBuf(10 * BLOCK, {}, { type: 'directory' });
    await fill(file, 4);
    const shrinker = cache.asShrinker();
    for (let walk = 0; walk < 6; walk++) {
      await shrinker.scan(control(cache.stats().idle));
      file.get(1);
      await file.readAt(2 * BLOCK, 1);
    }
    expect([0, 1, 2, 3].map((block) => file.get(block) !== null)).toEqual([false, true, true, false]);
    cache.checkInvariants();
  });

  test('room is made by the oldest; what was used again stays', async () => {
    const { cache, file } = makeBuf(100 * BLOCK, { maxBytes: 8 * BLOCK });
    await fill(file, 8);
    for (let block = 8; block < 50; block++) {
      expect(await file.readAt(2 * BLOCK, 1)).toHaveLength(1);
      await file.readAt(block * BLOCK, 1);
    }
    expect([file.get(2) === null, file.get(3) === null, cache.stats().used]).toEqual([false, true, 8]);
    expect(cache.stats().misses).toBe(50);
    cache.checkInvariants();
  });

  test('own types', async () => {
    const { cache } = makeBuf(0, { lruRefs: { journal: 7 } });
    const file = cache.open(new TestSource(4 * BLOCK), { type: 'journal' });
    await fill(file, 1);
    for (let walk = 0; walk < 7; walk++) {
      expect(await cache.asShrinker().scan(control(1))).toBe(0);
    }
    expect(await cache.asShrinker().scan(control(1))).toBe(1);
  });
});

describe('asShrinker', () => {
  test('counts what is idle, in its zone', async () => {
    const { cache, file } = makeBuf(10 * BLOCK, { name: 'blocks' });
    const shrinker = cache.asShrinker();
    expect(shrinker).toMatchObject({ name: 'blocks', seeks: 2, zoneAware: true, groupAware: false });
    await fill(file, 5);
    const guard = await file.hold(0);
    expect(shrinker.count(control(0))).toBe(4);
    expect(shrinker.count(control(0, 'heap'))).toBe(SHRINK_EMPTY);
    expect(await shrinker.scan(control(9, 'heap'))).toBe(SHRINK_STOP);
    expect(shrinker.objectBytes?.('external')).toBe(BLOCK);
    expect(shrinker.skipped?.()).toEqual({ held: 1, dirty: 0 });
    guard.release();
    expect(shrinker.count(control(0))).toBe(5);
  });

  test('frees memory, and says how many it looked at', async () => {
    const { cache, file } = makeBuf(40 * BLOCK);
    await fill(file, 40);
    const shrinker = cache.asShrinker();
    expect(cache.stats().arenaBytes).toBe(40 * BLOCK);
    const first = control(40);
    expect([await shrinker.scan(first), first.nrScanned]).toEqual([0, 40]);
    const second = control(20);
    expect([await shrinker.scan(second), second.nrScanned]).toEqual([20, 20]);
    expect(cache.stats()).toMatchObject({ idle: 20, evictions: 20 });
    expect(cache.stats().arenaBytes).toBeLessThanOrEqual(24 * BLOCK);
    cache.checkInvariants();
    expect(await shrinker.scan(control(100))).toBe(20);
    expect(cache.stats()).toMatchObject({ arenaBytes: 0, used: 0 });
    cache.checkInvariants();
  });

  test('moves what is left together, so that arenas go', async () => {
    const { cache, file, source } = makeBuf(64 * BLOCK);
    await fill(file, 64);
    // Every eighth block is used: one in each arena.
    await cache.asShrinker().scan(control(64));
    for (let block = 0; block < 64; block += 8) {
      await file.readAt(block * BLOCK, 1);
    }
    expect(await cache.asShrinker().scan(control(64))).toBe(56);
    expect(cache.stats()).toMatchObject({ idle: 8, arenas: 1 });
    for (let block = 0; block < 64; block += 8) {
      expect(file.get(block)?.bytes).toEqual(source.bytes.subarray(block * BLOCK, (block + 1) * BLOCK));
    }
    cache.checkInvariants();
  });

  test('what somebody may be looking at is not moved, and waits for a grace period', async () => {
    const rcu = new Rcu();
    const { cache, file, source } = makeBuf(64 * BLOCK, { rcu });
    const seen = [0, 8, 16].map((block) => file.readSync(block));
    const shrinker = cache.asShrinker();
    // The first round takes the rounds that they have, the second one themselves.
    expect([shrinker.scan(control(3)), shrinker.scan(control(3))]).toEqual([0, 3]);
    expect([cache.stats().pending, shrinker.retiredBytes?.('external')]).toEqual([3, 3 * BLOCK]);
    cache.checkInvariants();
    for (const [index, { bytes }] of seen.entries()) {
      expect(bytes).toEqual(source.bytes.subarray(index * 8 * BLOCK, (index * 8 + 1) * BLOCK));
    }
    await turns();
    expect(cache.stats()).toMatchObject({ pending: 0 });
    await shrinker.scan(control(1));
    expect(cache.stats()).toMatchObject({ arenas: 0 });
    cache.checkInvariants();
  });

  test('a block that is free before the grace period is over is caught', async () => {
    /** Says at once that nobody is looking. */
    class HastyRcu extends Rcu {
      override poll(): boolean {
        return true;
      }
    }
    const looked = async (rcu: Rcu): Promise<boolean> => {
      const { file, source } = makeBuf(64 * BLOCK, { rcu, maxBytes: 8 * BLOCK });
      source.bytes = Uint8Array.from({ length: 64 * BLOCK }, (_, index) => Math.floor(index / BLOCK));
      const buf = await file.read(1);
      const { bytes } = buf;
      for (let block = 8; block < 40; block++) {
        file.readAtSync(block * BLOCK, 1);
      }
      return bytes.every((byte) => byte === 1);
    };
    expect(await looked(new Rcu())).toBe(true);
    expect(await looked(new HastyRcu())).toBe(false);
  });

  test('dirty blocks stay, and begin to be written', async () => {
    const { cache, file, source } = makeBuf(0, { writeBack: { delayMs: 1e6 } });
    await file.writeAt(0, new Uint8Array(4 * BLOCK).fill(1));
    const shrinker = cache.asShrinker();
    expect([shrinker.count(control(0)), await shrinker.scan(control(10))]).toEqual([0, 0]);
    await turns();
    expect([source.count('write'), shrinker.count(control(0)), file.dirty]).toEqual([1, 4, 0]);
    cache.checkInvariants();
  });

  test('runs under a registry, by priority', async () => {
    await using registry = new ShrinkerRegistry();
    const { cache, file } = makeBuf(4096 * BLOCK, { maxBytes: 4096 * BLOCK });
    await file.readAt(0, 4096 * BLOCK);
    registry.register(registry.alloc(cache.asShrinker()));
    expect(registry.shrinkSlabSync({ zone: 'heap', priority: 0 })).toBe(0);
    for (let pass = 0; pass < 10 && cache.stats().idle > 0; pass++) {
      registry.shrinkSlabSync({ zone: 'external', priority: 0 });
    }
    expect(cache.stats()).toMatchObject({ idle: 0, arenaBytes: 0 });
    cache.checkInvariants();
  });
});

describe('in a group', () => {
  function inGroup(max: number, maxBytes = 1024 * BLOCK) {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('tenant', { max });
    const made = makeBuf(1024 * BLOCK, { group, maxBytes });
    const shrinker = registry.alloc(made.cache.asShrinker());
    registry.register(shrinker);
    made.cache.attach(shrinker);
    return { ...made, registry, group };
  }

  test('arenas are charged, and given back', async () => {
    const { cache, file, group } = inGroup(1e9);
    await fill(file, 100);
    expect([group.usage('external'), group.usage('heap')]).toEqual([cache.stats().arenaBytes, 0]);
    expect(cache.stats().arenaBytes).toBeGreaterThanOrEqual(100 * BLOCK);
    await cache.close();
    expect(group.usage()).toBe(0);
  });

  test('its limit acts on the cache', async () => {
    const { cache, file, group, source } = inGroup(200 * BLOCK);
    for (let block = 0; block < 1024; block++) {
      expect((await file.readAt(block * BLOCK, 1))[0]).toBe(source.bytes[block * BLOCK]);
    }
    expect(group.usage()).toBeLessThanOrEqual(200 * BLOCK);
    expect(cache.stats().used).toBeGreaterThan(100);
    cache.checkInvariants();
  });

  test('no room for a single arena: an error', async () => {
    const { file } = inGroup(BLOCK);
    await expect(file.read(0)).rejects.toMatchObject({ code: 'ERR_BUF_FULL' });
    expect(() => file.readSync(0)).toThrow(expect.objectContaining({ code: 'ERR_BUF_FULL' }));
  });

  test('a pass over another group leaves it alone; when it ends, its heir has the bytes', async () => {
    const { cache, file, group, registry } = inGroup(1e9);
    const other = registry.root.child('other');
    await fill(file, 300);
    expect(registry.shrinkSlabSync({ zone: 'external', group: other, priority: 0 })).toBe(0);
    group.offline();
    expect(registry.root.usage('external')).toBe(cache.stats().arenaBytes);
    await fill(file, 400);
    await cache.close();
    expect(registry.root.usage('external')).toBe(0);
  });
});

describe('as a part of a shrinker of several caches', () => {
  test('counts and prunes what is idle, in its zone', async () => {
    const { cache, file } = makeBuf(8 * BLOCK);
    await fill(file, 8);
    const guard = await file.hold(3);
    await turns(4);
    expect([cache.count(), cache.count(control(0)), cache.count(control(0, 'heap'))]).toEqual([7, 7, 0]);
    expect(cache.prune(100, control(100, 'heap'))).toBe(0);
    expect([cache.objectBytes('external'), cache.objectBytes('heap')]).toEqual([BLOCK, 0]);
    // Each has a round left.
    expect([cache.prune(7), cache.prune(4), cache.prune(100)]).toEqual([0, 4, 3]);
    expect(cache.count()).toBe(0);
    guard.release();
    cache.checkInvariants();
    await cache.close();
    expect([cache.bytes, cache.retiredBytes('external')]).toEqual([0, 0]);
  });
});
