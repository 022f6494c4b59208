import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Journal, JournalError, MAX_RECORD_BYTES } from '../src/index.js';
import { recordsOf, temporary, WatchedFiles } from './support/temporary.js';

const text = (value: string): Buffer => Buffer.from(value);

describe('Journal', () => {
  it('keeps records over a close, in order, also those without a byte', async () => {
    const directory = join(temporary(), 'a', 'b');
    const journal = await Journal.open({ directory });
    expect([journal.lastSequence, journal.durableSequence, journal.firstSequence]).toEqual([0, 0, 1]);
    expect(journal.append(text('one'))).toBe(1);
    expect(journal.append(new Uint8Array(0))).toBe(2);
    expect(journal.append(text('three'))).toBe(3);
    expect([journal.lastSequence, journal.durableSequence]).toEqual([3, 0]);
    await journal.committed(3);
    expect(journal.durableSequence).toBe(3);
    journal.checkInvariants();
    await journal.close();

    const again = await Journal.open({ directory });
    expect(again.lastSequence).toBe(3);
    expect(await recordsOf(again)).toEqual([
      [1, 'one'],
      [2, ''],
      [3, 'three'],
    ]);
    expect(await recordsOf(again, 3)).toEqual([[3, 'three']]);
    expect(await recordsOf(again, 4)).toEqual([]);
    expect(again.append(text('four'))).toBe(4);
    await again.close();
  });

  it('copies the payload before append returns', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    const payload = text('first');
    journal.append(payload);
    payload.fill('x');
    await journal.sync();
    expect(await recordsOf(journal)).toEqual([[1, 'first']]);
    await journal.close();
  });

  it('takes payloads of any size up to the limit', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory, segmentBytes: 1024 });
    const pin = journal.createPin();
    journal.pin(pin, 1);
    const sizes = [0, 1, 1000, 100_000, 3_000_000, 7];
    for (const size of sizes) {
      journal.append(Buffer.alloc(size, size % 251));
    }
    expect(() => journal.append(new Uint8Array(MAX_RECORD_BYTES + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_JOURNAL_RECORD_TOO_LARGE' }),
    );
    await journal.close();
    const again = await Journal.open({ directory });
    const found: number[] = [];
    for await (const { payload } of again.replay()) {
      expect(payload.every((byte) => byte === payload.length % 251)).toBe(true);
      found.push(payload.length);
    }
    expect(found).toEqual(sizes);
    await again.close();
  });

  it('the largest record there is', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory, durability: 'none' });
    journal.append(text('before'));
    journal.append(new Uint8Array(MAX_RECORD_BYTES));
    journal.append(text('after'));
    await journal.committed(3);
    // It is in a frame of its own, and the ones beside it are not copied with it.
    expect(journal.stats()).toMatchObject({ commits: 3, largestBatch: 1 });
    expect((await recordsOf(journal)).map(([, { length }]) => length)).toEqual([6, MAX_RECORD_BYTES, 5]);
    await journal.close();
  });

  it('refuses what is not bytes', async () => {
    const journal = await Journal.open({ directory: temporary() });
    for (const bad of ['text', null, undefined, 7, [1, 2], new ArrayBuffer(3), new Uint16Array(2)]) {
      expect(() => journal.append(bad as unknown as Uint8Array)).toThrow(TypeError);
    }
    expect(journal.lastSequence).toBe(0);
    await journal.close();
  });

  it('tells of a sequence that is not there', async () => {
    const journal = await Journal.open({ directory: temporary() });
    await journal.committed(0);
    for (const bad of [1, -1, 0.5, NaN, '1' as unknown as number]) {
      await expect(journal.committed(bad)).rejects.toThrow(RangeError);
      await expect(journal.replay(bad === 1 ? -2 : bad).next()).rejects.toThrow(RangeError);
    }
    await journal.close();
  });

  it('replays up to what was committed when it was asked, while more is appended', async () => {
    const journal = await Journal.open({ directory: temporary(), segmentBytes: 256 });
    const pin = journal.createPin();
    journal.append(text('1'));
    journal.pin(pin, 1);
    for (let sequence = 2; sequence <= 50; sequence++) {
      await journal.committed(journal.append(text(String(sequence))));
    }
    const seen: number[] = [];
    for await (const { sequence } of journal.replay(10)) {
      seen.push(sequence);
      await journal.committed(journal.append(text('more')));
    }
    expect(seen).toEqual(Array.from({ length: 41 }, (_, index) => index + 10));
    await journal.close();
  });

  it('a replay that is left early lets go of what it held', async () => {
    const journal = await Journal.open({ directory: temporary() });
    journal.append(text('1'));
    journal.append(text('2'));
    await journal.sync();
    for await (const { sequence } of journal.replay()) {
      expect([sequence, journal.stats().pinned, [...journal.pins()]]).toEqual([1, 1, []]);
      break;
    }
    expect(journal.stats().pinned).toBe(0);
    await journal.close();
  });

  it('closes once, however often it is asked', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    journal.append(text('last'));
    const closing = journal.close();
    expect(journal.close()).toBe(closing);
    await journal[Symbol.asyncDispose]();
    const closed = expect.objectContaining({ code: 'ERR_JOURNAL_CLOSED' });
    expect(() => journal.append(text('late'))).toThrow(closed);
    await expect(journal.sync()).rejects.toEqual(closed);
    await expect(journal.replay().next()).rejects.toEqual(closed);
    await journal.committed(1);
    expect(readdirSync(directory).sort()).toEqual(['closed', 'lock', 'segment-0000000000000001']);
  });

  it('a journal that was closed and opened again is not written to before the first append', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    await journal.committed(journal.append(text('1')));
    await journal.close();
    const files = new WatchedFiles();
    const again = await Journal.open({ directory, files });
    await again.close();
    for (const call of ['write', 'truncate', 'unlink', 'rename', 'datasync', 'sync']) {
      expect(files.count(call), call).toBe(0);
    }
  });

  it('writes nothing before it has the lock', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), files });
    await journal.close();
    expect(files.calls.slice(0, 2)).toEqual(['makeDirectory', 'lock']);
  });

  it('counts', async () => {
    const journal = await Journal.open({ directory: temporary(), segmentBytes: 4096 });
    const pin = journal.createPin();
    journal.append(Buffer.alloc(100));
    journal.append(Buffer.alloc(50));
    journal.pin(pin, 1);
    await journal.committed(2);
    await journal.committed(journal.append(Buffer.alloc(5)));
    expect(journal.stats()).toEqual({
      appends: 3,
      appendedBytes: 155,
      commits: 2,
      syncs: 2,
      largestBatch: 2,
      segments: 1,
      segmentBytes: 52 + 2 * 44 + 3 * 16 + 155,
      droppedSegments: 0,
      pinned: 1,
      cutBytes: 0,
      syncedSequence: 3,
    });
    await journal.close();
  });

  it('a directory that cannot be made', async () => {
    const file = join(temporary(), 'file');
    writeFileSync(file, '');
    for (const directory of [file, join(file, 'below')]) {
      const error: unknown = await Journal.open({ directory }).catch((reason: unknown) => reason);
      expect(JournalError.is(error) && [error.code, error.cause instanceof Error]).toEqual(['ERR_JOURNAL_OPEN', true]);
    }
    expect(statSync(file).size).toBe(0);
  });

  it.each([
    [{ directory: '' }, TypeError],
    [{ directory: 7 }, TypeError],
    [{}, TypeError],
    [undefined, TypeError],
    [{ directory: 'x', durability: 'always' }, RangeError],
    [{ directory: 'x', intervalMs: 0 }, RangeError],
    [{ directory: 'x', intervalMs: '5' }, TypeError],
    [{ directory: 'x', segmentBytes: 255 }, RangeError],
    [{ directory: 'x', segmentBytes: 2 ** 31 }, RangeError],
    [{ directory: 'x', segmentBytes: 1000.5 }, RangeError],
    [{ directory: 'x', onError: 'log' }, TypeError],
    [{ directory: 'x', segmentByte: 1000 }, TypeError],
  ])('refuses the options %j', async (options, kind) => {
    await expect(Journal.open(options as never)).rejects.toThrow(kind);
  });
});
