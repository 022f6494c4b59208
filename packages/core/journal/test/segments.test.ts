import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { SeededRng } from '@core/base';
import { describe, expect, it } from 'vitest';

import { Journal, type JournalPin } from '../src/index.js';
import { recordsOf, temporary, WatchedFiles } from './support/temporary.js';

const payload = Buffer.alloc(100, 1);

function segmentsIn(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => /^segment-\d+$/.test(name))
    .map((name) => Number(name.slice('segment-'.length)))
    .sort((left, right) => left - right);
}

/** One record to a frame: 160 bytes. */
async function append(journal: Journal, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    await journal.committed(journal.append(payload));
  }
}

describe('segments', () => {
  it('are dropped when no pin needs any record of them, and not before', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory, segmentBytes: 540 });
    const pin = journal.createPin();
    journal.append(payload);
    journal.pin(pin, 1);
    await journal.committed(1);
    await append(journal, 11);
    expect([journal.firstSequence, journal.oldestPinned, journal.stats().segments]).toEqual([1, 1, 4]);
    journal.pin(pin, 3);
    await journal.sync();
    expect([journal.firstSequence, segmentsIn(directory)[0]]).toEqual([1, 1]);
    journal.pin(pin, 4);
    await journal.sync();
    expect([journal.firstSequence, segmentsIn(directory)[0]]).toEqual([4, 2]);
    journal.unpin(pin);
    expect([pin.sequence, journal.oldestPinned]).toEqual([0, 13]);
    await journal.sync();
    // The one that is written stays, with what is in it.
    expect([journal.firstSequence, journal.stats().segments, journal.stats().droppedSegments]).toEqual([10, 1, 3]);
    journal.checkInvariants();
    expect((await recordsOf(journal)).map(([sequence]) => sequence)).toEqual([10, 11, 12]);
    await journal.close();
  });

  it('are dropped soon without a sync, once nothing holds them', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory, segmentBytes: 540 });
    await append(journal, 30);
    expect(journal.stats().droppedSegments).toBeGreaterThan(5);
    expect(journal.stats().segments).toBeLessThan(3);
    await journal.close();
  });

  it('the last sequence survives that all but the newest are dropped', async () => {
    const directory = temporary();
    for (let life = 1; life <= 5; life++) {
      const journal = await Journal.open({ directory, segmentBytes: 540 });
      expect(journal.lastSequence).toBe((life - 1) * 10);
      await recordsOf(journal);
      await append(journal, 10);
      await journal.sync();
      await journal.close();
    }
    expect(segmentsIn(directory).length).toBeLessThan(4);
  });

  it('what was there at open is kept until it has been replayed', async () => {
    const directory = temporary();
    const first = await Journal.open({ directory, segmentBytes: 540 });
    const pin = first.createPin();
    first.append(payload);
    first.pin(pin, 1);
    await append(first, 11);
    await first.close();

    const journal = await Journal.open({ directory, segmentBytes: 540 });
    await append(journal, 5);
    await journal.sync();
    expect([journal.firstSequence, journal.oldestPinned, [...journal.pins()].length]).toEqual([1, 1, 0]);
    const held = journal.createPin();
    for await (const { sequence } of journal.replay()) {
      if (sequence === 7) {
        journal.pin(held, sequence);
      }
    }
    expect(journal.oldestPinned).toBe(7);
    await journal.sync();
    expect(journal.firstSequence).toBe(7);
    await journal.close();
  });

  it('the next one is made before it is needed', async () => {
    const directory = temporary();
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory, segmentBytes: 1000, files });
    const pin = journal.createPin();
    journal.append(payload);
    journal.pin(pin, 1);
    await append(journal, 4);
    while (files.count('rename') < 2 || files.calls.lastIndexOf('syncDirectory') < files.calls.lastIndexOf('rename')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([segmentsIn(directory), journal.stats().segments]).toEqual([[1, 2], 1]);
    // Turning over to it is one sync of nothing, one close and one write: no name is made.
    const before = files.calls.length;
    await append(journal, 1);
    expect(files.calls.slice(before)).toEqual(['write', 'datasync']);
    await journal.close();

    // It is taken up again, not made anew.
    const again = await Journal.open({ directory, segmentBytes: 1000 });
    await append(again, 3);
    expect(segmentsIn(directory)).toEqual([1, 2]);
    expect(again.stats().segments).toBe(2);
    await again.close();
  });

  it.each(['every', 'interval'] as const)(
    'grow by much at a time where each commit is synced: %s',
    async (durability) => {
      const directory = temporary();
      const options = { directory, durability, segmentBytes: 600_000 };
      const journal = await Journal.open(options);
      const sizes = new Set<number>();
      const sizeOf = (number: number): number =>
        statSync(join(directory, `segment-${String(number).padStart(16, '0')}`)).size;
      const pin = journal.createPin();
      journal.append(payload);
      journal.pin(pin, 1);
      for (let count = 0; count < 100; count++) {
        await journal.committed(journal.append(Buffer.alloc(9940, 1)));
        sizes.add(sizeOf(1));
      }
      // Not by one commit at a time, and not past what a segment has; what was left is as long as what is in it.
      expect(sizes.size < 6).toBe(durability === 'every');
      expect(Math.max(...sizes)).toBeLessThanOrEqual(600_000);
      expect(journal.stats().segments).toBe(2);
      await journal.close();
      expect([1, 2].map(sizeOf).reduce((sum, size) => sum + size, 0)).toBe(journal.stats().segmentBytes);

      const again = await Journal.open(options);
      expect((await recordsOf(again)).length).toBe(101);
      await again.close();
    },
  );

  it('a pin names what is kept, moves on only, and belongs to one journal', async () => {
    const journal = await Journal.open({ directory: temporary(), segmentBytes: 540 });
    const other = await Journal.open({ directory: temporary() });
    const pin = journal.createPin();
    journal.append(payload);
    expect(() => journal.pin(pin, 3)).toThrow(RangeError);
    expect(() => journal.pin(pin, 0)).toThrow(RangeError);
    expect(() => journal.pin(pin, 1.5)).toThrow(RangeError);
    journal.pin(pin, 2);
    journal.pin(pin, 2);
    expect(() => journal.pin(pin, 1)).toThrow(/from 2 to 2/);
    expect(() => other.pin(pin, 1)).toThrow(TypeError);
    expect(() => other.unpin(pin)).toThrow(TypeError);
    expect(() => journal.unpin({ sequence: 1 })).toThrow(TypeError);
    journal.unpin(pin);
    journal.unpin(pin);
    await append(journal, 30);
    await journal.sync();
    expect(journal.firstSequence).toBeGreaterThan(1);
    expect(() => journal.pin(pin, 1)).toThrow(RangeError);
    expect(journal.stats().pinned).toBe(0);
    await journal.close();
    await other.close();
  });

  it('pins come oldest first, and may be written back as they come', async () => {
    const journal = await Journal.open({ directory: temporary() });
    const pins: JournalPin[] = [];
    for (let count = 0; count < 20; count++) {
      const pin = journal.createPin();
      journal.append(payload);
      journal.pin(pin, journal.lastSequence);
      pins.push(pin);
    }
    journal.pin(pins[0] as JournalPin, 20);
    const seen: number[] = [];
    for (const pin of journal.pins()) {
      seen.push(pin.sequence);
      expect(journal.oldestPinned).toBe(pin.sequence);
      journal.unpin(pin);
    }
    expect(seen).toEqual([...Array.from({ length: 19 }, (_, index) => index + 2), 20]);
    expect(journal.oldestPinned).toBe(21);
    await journal.close();
  });

  it.each([1, 2, 3])('against a plain list, seed %i', async (seed) => {
    const rng = new SeededRng(seed);
    const directory = temporary();
    const model: string[] = [];
    let journal = await Journal.open({ directory, segmentBytes: 700 });
    let pins = new Map<JournalPin, number>();
    let needed = 1;
    for (let step = 0; step < 150; step++) {
      const kind = rng.next();
      if (kind < 0.6) {
        const record = `${seed}.${model.length}`.repeat(1 + rng.below(12));
        expect(journal.append(Buffer.from(record))).toBe(model.push(record));
        if (rng.next() < 0.4) {
          const pin = journal.createPin();
          journal.pin(pin, journal.lastSequence);
          pins.set(pin, journal.lastSequence);
        }
      } else if (kind < 0.7) {
        await journal.committed(journal.lastSequence);
      } else if (kind < 0.8 && pins.size > 0) {
        const pin = rng.pick([...pins.keys()]);
        journal.unpin(pin);
        pins.delete(pin);
      } else if (kind < 0.9) {
        await journal.sync();
      } else if (kind < 0.93) {
        await journal.close();
        journal = await Journal.open({ directory, segmentBytes: 700 });
        const held = journal.createPin();
        if (journal.firstSequence <= journal.lastSequence) {
          journal.pin(held, journal.firstSequence);
        }
        pins = new Map(held.sequence > 0 ? [[held, held.sequence]] : []);
        await recordsOf(journal);
      }
      journal.checkInvariants();
      needed = Math.min(...pins.values(), journal.lastSequence + 1);
      expect(journal.oldestPinned).toBe(needed);
      expect(journal.firstSequence).toBeLessThanOrEqual(needed);
    }
    await journal.sync();
    const found = await recordsOf(journal);
    expect(found[0]?.[0] ?? needed).toBeLessThanOrEqual(needed);
    for (const [sequence, record] of found) {
      expect(record).toBe(model[sequence - 1]);
    }
    expect(found.at(-1)?.[0] ?? journal.lastSequence).toBe(model.length);
    await journal.close();
  });
});
