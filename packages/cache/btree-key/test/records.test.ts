import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { readRecord, type RecordedValue, RecordWriter } from '../src/internal/records.js';

function written(values: readonly RecordedValue[], prefix = ''): Uint8Array {
  const writer = new RecordWriter();
  writer.begin(values.length);
  for (const { key, value } of values) {
    writer.add(prefix, key, value);
  }
  return new Uint8Array(writer.finish());
}

describe('records', () => {
  test('come back as they were, of any size', () => {
    const rng = new SeededRng(1);
    for (let round = 0; round < 50; round++) {
      const values = Array.from({ length: rng.below(200) }, (_, index): RecordedValue => {
        const value = rng.below(4) === 0 ? undefined : new Uint8Array(rng.below(500)).fill(index);
        return { key: `\u{ff}${index}`.padEnd(1 + rng.below(300), '\u{80}'), value };
      });
      expect(readRecord(1, written(values))).toEqual(values);
    }
    const large = new Uint8Array(3_000_000).fill(1);
    const [read] = readRecord(1, written([{ key: 'k', value: large }]));
    expect(Buffer.compare(read?.value as Uint8Array, large)).toBe(0);
  });

  test('the format: 1, how many, and of each kind, key and value', () => {
    const values = [
      { key: 'ab', value: Uint8Array.of(7) },
      { key: 'c', value: undefined },
    ];
    expect([...written(values, '\u{1}t')]).toEqual([1, 2, 0, 4, 1, 116, 97, 98, 1, 7, 1, 3, 1, 116, 99]);
  });

  test('cut at any byte, a record is none', () => {
    const whole = written([
      { key: 'ab', value: Uint8Array.of(1, 2, 3) },
      { key: 'c', value: undefined },
    ]);
    for (let length = 0; length < whole.length; length++) {
      expect(() => readRecord(5, whole.subarray(0, length))).toThrow(/Cannot replay record 5/);
    }
  });
});
