import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { Journal } from '../src/index.js';
import { recordChecksum } from '../src/internal/checksum.js';
import { decodeSegmentHeader, encodeSegmentHeader, readUint64, writeUint64 } from '../src/internal/format.js';
import { temporary } from './support/temporary.js';

/** As a later version would begin a file: the same first 16 bytes, and who knows what after them. */
function newer(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(2, 8);
  changed.writeUInt32LE(crc32(changed.subarray(0, 12)), 12);
  return changed;
}

describe('the format', () => {
  it.each(['segment-0000000000000001', 'closed'])('of a later version is refused, by %s', async (name) => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    journal.append(Buffer.from('1'));
    await journal.close();
    const path = join(directory, name);
    writeFileSync(path, newer(readFileSync(path)));
    const error = expect.objectContaining({ code: 'ERR_JOURNAL_FORMAT', damage: { segment: path, offset: 8 } });
    await expect(Journal.open({ directory })).rejects.toEqual(error);
    if (name !== 'closed') {
      // It is not damaged: nothing is set aside.
      await expect(Journal.salvage({ directory })).rejects.toEqual(error);
      await expect(Journal.open({ directory })).rejects.toEqual(error);
    }
  });

  it('refuses segments of two journals in one directory, and one under another number', async () => {
    const [left, right] = [temporary(), temporary()];
    for (const directory of [left, right]) {
      const journal = await Journal.open({ directory, segmentBytes: 256 });
      const pin = journal.createPin();
      for (let count = 0; count < 5; count++) {
        await journal.committed(journal.append(Buffer.alloc(100)));
        journal.pin(pin, pin.sequence || 1);
      }
      await journal.close();
    }
    const second = 'segment-0000000000000002';
    const whole = readFileSync(join(left, second));
    for (const other of [readFileSync(join(right, second)), readFileSync(join(left, 'segment-0000000000000001'))]) {
      writeFileSync(join(left, second), other);
      await expect(Journal.open({ directory: left })).rejects.toMatchObject({ code: 'ERR_JOURNAL_CORRUPT' });
    }
    writeFileSync(join(left, second), whole);
    const journal = await Journal.open({ directory: left });
    expect(journal.lastSequence).toBe(5);
    await journal.close();
  });

  it('ignores files that are not its own', async () => {
    const directory = temporary();
    for (const name of ['notes.txt', 'segment-1', 'segment-x']) {
      writeFileSync(join(directory, name), 'mine');
    }
    const journal = await Journal.open({ directory });
    journal.append(Buffer.from('1'));
    await journal.close();
    expect(readFileSync(join(directory, 'segment-1'), 'utf8')).toBe('mine');
  });

  it('a header reads as it was written', () => {
    const identity = Buffer.from('0123456789abcdef');
    const bytes = encodeSegmentHeader(identity, 2 ** 40 + 5, 2 ** 52 + 9);
    expect(decodeSegmentHeader(bytes)).toMatchObject({ identity, number: 2 ** 40 + 5, base: 2 ** 52 + 9 });
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeSegmentHeader(bytes.subarray(0, length))).toBeNull();
    }
  });

  it.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])('the number %d has 64 bits', (value) => {
    const bytes = Buffer.alloc(8);
    writeUint64(bytes, value, 0);
    expect(readUint64(bytes, 0)).toBe(value);
  });

  it('the checksum of a record depends on its bytes, its length, its sequence and its life', () => {
    const payload = Buffer.from('payload');
    const sums = [
      recordChecksum(payload, 1, 1),
      recordChecksum(payload, 1, 2),
      recordChecksum(payload, 2, 1),
      recordChecksum(payload, 1, 2 ** 32 + 1),
      recordChecksum(payload.subarray(1), 1, 1),
      recordChecksum(Buffer.from('pbyload'), 1, 1),
      recordChecksum(Buffer.alloc(0), 1, 1),
      recordChecksum(Buffer.alloc(0), 1, 2),
      recordChecksum(Buffer.alloc(0), 2, 1),
      recordChecksum(Buffer.alloc(1), 1, 1),
    ];
    expect(new Set(sums).size).toBe(sums.length);
  });
});
