import { describe, expect, test } from 'vitest';
import { Readahead } from '../src/internal/readahead.js';
import { BLOCK, makeBuf } from './support/make-buf.js';
import { fault, turns } from './support/test-source.js';

const AHEAD = { readaheadBytes: 16 * BLOCK, maxBytes: 256 * BLOCK };

function readsOf(source: { readonly calls: readonly { kind: string; position: number; length: number }[] }): unknown[] {
  return source.calls
    .filter(({ kind }) => kind === 'read')
    .map(({ position, length }) => [position / BLOCK, length / BLOCK]);
}

describe('Readahead', () => {
  test('windows of a sequential reader: 4 blocks, doubling up to the maximum, and their marks', () => {
    const ahead = new Readahead(32);
    expect([ahead.missed(0, 1), ahead.mark]).toEqual([4, 2]);
    expect([ahead.next(), ahead.mark]).toEqual([{ first: 4, last: 12 }, 4]);
    expect([ahead.next(), ahead.mark]).toEqual([{ first: 12, last: 28 }, 12]);
    expect(ahead.next()).toEqual({ first: 28, last: 60 });
    expect(ahead.next()).toEqual({ first: 60, last: 92 });
  });

  test('a random reader gets what he asks for', () => {
    const ahead = new Readahead(32);
    ahead.last = 5;
    expect([ahead.missed(40, 1), ahead.mark]).toEqual([1, -1]);
    ahead.last = 40;
    expect(ahead.missed(7, 3)).toBe(3);
  });

  test('a reader that comes to the end of a window that was not there in time goes on', () => {
    const ahead = new Readahead(32);
    expect(ahead.missed(0, 1)).toBe(4);
    expect(ahead.missed(4, 1)).toBe(8);
    ahead.last = 11;
    expect(ahead.missed(12, 1)).toBe(16);
  });

  test('large requests are read as a whole; 0 turns it off', () => {
    expect(new Readahead(32).missed(0, 100)).toBe(100);
    expect(new Readahead(0).missed(0, 1)).toBe(1);
  });
});

describe('a sequential reader', () => {
  test('finds each block there before it asks, in reads that grow', async () => {
    const { cache, file, source } = makeBuf(100 * BLOCK, AHEAD);
    let waited = 0;
    for (let block = 0; block < 100; block++) {
      const read = file.read(block);
      waited += read instanceof Promise ? 1 : 0;
      expect((await read).bytes).toEqual(source.bytes.subarray(block * BLOCK, (block + 1) * BLOCK));
      await turns(2);
    }
    expect(waited).toBe(1);
    expect(readsOf(source).slice(0, 5)).toEqual([
      [0, 4],
      [4, 8],
      [12, 16],
      [28, 16],
      [44, 16],
    ]);
    const { reads, readAheads, misses, evictions } = cache.stats();
    expect([misses, evictions, readAheads]).toEqual([1, 0, reads - 1]);
    cache.checkInvariants();
  });

  test('begins the next window when half of this one is read', async () => {
    const { file, source } = makeBuf(100 * BLOCK, AHEAD);
    await file.readAt(0, 1);
    await file.readAt(BLOCK, 1);
    await turns();
    expect(readsOf(source)).toEqual([[0, 4]]);
    file.get(2);
    await turns();
    expect(readsOf(source)).toEqual([
      [0, 4],
      [4, 8],
    ]);
    expect(file.get(11)).not.toBeNull();
  });

  test('synchronously: whole windows, and nothing in the background', () => {
    const { cache, file, source } = makeBuf(100 * BLOCK, AHEAD);
    for (let block = 0; block < 40; block++) {
      file.readIntoSync(new Uint8Array(BLOCK), 0, BLOCK, block * BLOCK);
    }
    expect(readsOf(source)).toEqual([
      [0, 4],
      [4, 8],
      [12, 16],
      [28, 16],
    ]);
    expect(cache.stats()).toMatchObject({ inFlight: 0, readAheads: 0 });
    cache.checkInvariants();
  });

  test('a random reader reads single blocks', async () => {
    const { file, source } = makeBuf(100 * BLOCK, AHEAD);
    for (const block of [50, 7, 93, 20]) {
      await file.read(block);
    }
    await turns();
    expect(readsOf(source)).toEqual([
      [50, 1],
      [7, 1],
      [93, 1],
      [20, 1],
    ]);
  });

  test('blocks that are there are not read again', async () => {
    const { cache, file, source } = makeBuf(100 * BLOCK, { ...AHEAD, writeBack: true });
    await file.writeAt(6 * BLOCK, new Uint8Array(BLOCK).fill(200));
    for (let block = 0; block < 12; block++) {
      await file.read(block);
      await turns(2);
    }
    expect(file.get(6)?.bytes[0]).toBe(200);
    expect(readsOf(source).slice(0, 3)).toEqual([
      [0, 4],
      [4, 2],
      [7, 5],
    ]);
    cache.checkInvariants();
  });

  test('stops at the end of the file, and keeps nothing behind it', async () => {
    const { cache, file, source } = makeBuf(6 * BLOCK + 3, AHEAD);
    for (let block = 0; block < 7; block++) {
      await file.read(block);
      await turns(2);
    }
    expect([file.cached, file.knownBytes]).toEqual([7, source.bytes.length]);
    expect(source.calls.every(({ position }) => position <= 12 * BLOCK)).toBe(true);
    cache.checkInvariants();
  });

  test('an error of a readahead is nobody’s; the reader tries for himself', async () => {
    const { cache, file, source, errors } = makeBuf(100 * BLOCK, AHEAD);
    await file.read(0);
    await file.read(1);
    source.before = ({ position }) => {
      if (position > 0) {
        throw fault('EIO');
      }
    };
    await file.read(2);
    await turns();
    expect([errors, file.get(4)]).toEqual([[], null]);
    source.before = () => {};
    expect((await file.read(4)).bytes[0]).toBe(source.bytes[4 * BLOCK]);
    cache.checkInvariants();
  });

  test('who meets a readahead in flight that fails reads alone', async () => {
    const { cache, file, source } = makeBuf(100 * BLOCK, AHEAD);
    await file.readAt(0, BLOCK);
    source.manual = true;
    file.get(2);
    await turns(1);
    const reading = file.read(5);
    source.before = () => {
      source.before = () => {};
      throw fault('EIO');
    };
    await source.steps();
    expect((await reading).bytes).toEqual(source.bytes.subarray(5 * BLOCK, 6 * BLOCK));
    expect(readsOf(source)).toEqual([
      [0, 4],
      [4, 8],
      [5, 1],
    ]);
    cache.checkInvariants();
  });

  test('a window takes no more than there is room for', async () => {
    const { cache, file, source } = makeBuf(100 * BLOCK, { readaheadBytes: 64 * BLOCK, maxBytes: 16 * BLOCK });
    const guards = [];
    for (let block = 80; block < 94; block++) {
      guards.push(await file.hold(block));
    }
    for (let block = 0; block < 20; block++) {
      expect((await file.readAt(block * BLOCK, BLOCK))[0]).toBe(source.bytes[block * BLOCK]);
    }
    expect(cache.stats().used).toBeLessThanOrEqual(16);
    cache.checkInvariants();
    for (const guard of guards) {
      guard.release();
    }
  });
});
