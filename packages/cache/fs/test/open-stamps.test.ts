import type { BigIntStats } from 'node:fs';
import { BufCache } from '@cache/buf';
import { describe, expect, it } from 'vitest';
import type { BackingReads } from '../src/internal/backing-reads.js';
import { ContentBudget, type UsedPart } from '../src/internal/content-budget.js';
import { SharedFile } from '../src/internal/shared-file.js';

const MS = 1_000_000n;
/** When the file was changed, in milliseconds since the epoch: no whole second. */
const CHANGED = 5_000_500;

function stats(size: number, changedMs: number = CHANGED): BigIntStats {
  const ns = BigInt(changedMs) * MS;
  return { dev: 1n, ino: 2n, size: BigInt(size), mtimeNs: ns, ctimeNs: ns } as BigIntStats;
}

/** A file of one letter, which may become another one. */
function fileOf(letter: string) {
  const state = { letter };
  const reads = {
    readvSync: (_: number, buffers: readonly Uint8Array[], position: number) => {
      const { length } = buffers[0] as Uint8Array;
      const bytes = Math.max(0, Math.min(length, 100 - position));
      buffers[0]?.fill(state.letter.charCodeAt(0), 0, bytes);
      return bytes;
    },
  } as unknown as BackingReads;
  const cache = new BufCache({ maxBytes: 1 << 20 });
  const shared = new SharedFile(stats(0), { reads, cache, ageMs: 10, onRead: () => {} });
  shared.descriptors.add({ fd: 3, isClosed: false });
  const read = (): string => {
    const buffer = Buffer.alloc(1);
    shared.readSync(buffer, 0, 1, 50);
    return buffer.toString();
  };
  return { state, shared, read, close: () => cache.close() };
}

describe('a look that finds the change stamp that was there before', () => {
  it('believes the blocks, if the file was old at the look before', async () => {
    const { state, shared, read, close } = fileOf('a');
    shared.seen(stats(100), 1, 0, CHANGED + 101);
    expect(read()).toBe('a');
    state.letter = 'b';
    shared.seen(stats(100), 2, 0, CHANGED + 500);
    expect([read(), shared.version]).toEqual(['a', 1]);
    await close();
  });

  it('drops the blocks, if it may have changed since, within a tick', async () => {
    const { state, shared, read, close } = fileOf('a');
    shared.seen(stats(100), 1, 0, CHANGED + 100);
    expect(read()).toBe('a');
    state.letter = 'b';
    expect(read()).toBe('a');
    // By now it is old, and was not when the block was read.
    shared.seen(stats(100), 2, 0, CHANGED + 500);
    expect(read()).toBe('b');
    state.letter = 'c';
    shared.seen(stats(100), 3, 0, CHANGED + 900);
    expect(read()).toBe('b');
    await close();
  });

  it('takes two seconds for a tick where all times are whole seconds', async () => {
    const { state, shared, read, close } = fileOf('a');
    shared.seen(stats(100, 5_000_000), 1, 0, 5_002_000);
    expect(read()).toBe('a');
    state.letter = 'b';
    shared.seen(stats(100, 5_000_000), 2, 0, 5_002_001);
    expect(read()).toBe('b');
    state.letter = 'c';
    shared.seen(stats(100, 5_000_000), 3, 0, 5_010_000);
    expect(read()).toBe('b');
    await close();
  });
});

describe('a look that finds another stamp', () => {
  it.each([stats(99), stats(100, CHANGED + 1), { ...stats(100), ctimeNs: 1n }])('drops the blocks', async (other) => {
    const { state, shared, read, close } = fileOf('a');
    shared.seen(stats(100), 1, 0, CHANGED + 1000);
    expect(read()).toBe('a');
    state.letter = 'b';
    shared.seen(other as BigIntStats, 2, 7, CHANGED + 1000);
    expect([read(), shared.size, shared.validUntilMs]).toEqual(['b', Number(other.size), 17]);
    await close();
  });

  it('is nothing, if a later one has ended before', async () => {
    const { shared, close } = fileOf('a');
    shared.seen(stats(100), 2, 0, CHANGED + 1000);
    const { version } = shared;
    shared.seen(stats(5), 1, 0, CHANGED + 1000);
    expect([shared.size, shared.version]).toEqual([100, version]);
    await close();
  });
});

/** So many objects of ten bytes each, oldest first, each of which is passed over once if it was used. */
class Part implements UsedPart {
  uses = 0;
  private readonly used: boolean[];

  constructor(count: number, wereUsed = false) {
    this.used = Array.from({ length: count }, () => wereUsed);
  }

  get bytes(): number {
    return 10 * this.used.length;
  }

  count(): number {
    return this.used.length;
  }

  prune(nr: number): number {
    const before = this.used.length;
    for (const wasUsed of this.used.splice(0, nr)) {
      if (wasUsed) {
        this.used.push(false);
      }
    }
    return before - this.used.length;
  }
}

describe('a budget of bytes', () => {
  it('takes from blocks, unless they were used since the last time; then from files', () => {
    const [files, blocks] = [new Part(60), new Part(40)];
    const budget = new ContentBudget(1000, files, blocks);
    budget.makeRoom(0);
    expect([files.count(), blocks.count()]).toEqual([60, 40]);
    budget.makeRoom(100);
    expect([files.count(), blocks.count()]).toEqual([60, 24]);
    blocks.uses++;
    budget.makeRoom(300);
    expect([files.count(), blocks.count()]).toEqual([44, 24]);
    budget.makeRoom(400);
    expect([files.count(), blocks.count()]).toEqual([44, 8]);
  });

  it('takes from both where one is not enough, and from what was used at last', () => {
    const [files, blocks] = [new Part(60, true), new Part(40, true)];
    const budget = new ContentBudget(1000, files, blocks);
    budget.makeRoom(900);
    expect([blocks.count(), files.count() <= 10]).toEqual([0, true]);
    budget.makeRoom(5000);
    expect([blocks.count(), files.count()]).toEqual([0, 0]);
  });
});
