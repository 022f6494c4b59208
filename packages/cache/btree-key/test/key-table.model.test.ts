import { assert, SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { CachedKey } from '../src/internal/cached-key.js';
import { hashOfBytes, hashOfLatin, hashOfText, NOT_ASCII } from '../src/internal/key-hash.js';
import { KeySpace } from '../src/internal/key-space.js';
import { KeyTable } from '../src/internal/key-table.js';

function space(index: number, prefix: string): KeySpace {
  return new KeySpace({ name: prefix, index, seed: 7, prefix, maxKeyBytes: 100 });
}

/** Random inserts and removes, turns at random, against a `Map`. */
function fuzz(seed: number, bust: (table: any) => void = () => {}): void {
  const rng = new SeededRng(seed);
  const turns: (() => void)[] = [];
  const table = new KeyTable({ nextTurn: (turn) => void turns.push(turn), after: () => ({ cancel() {} }) });
  bust(table);
  const spaces = [space(0, 'a'), space(1, 'b')] as const;
  const model = new Map<string, CachedKey>();
  let rehashed = 0;
  for (let done = 0; done < 10_000; done++) {
    // Grows for a while, then shrinks.
    const growing = done % 5000 < 2600;
    const [first] = growing || rng.below(3) === 0 ? [] : model.values();
    const within = first?.space ?? rng.pick(spaces);
    const key = first?.key ?? `k${rng.below(2500)}`;
    const name = within.prefix + key;
    const hash = within.hash(key);
    const there = model.get(name);
    const found = table.find(within, key, hash);
    assert(found === (there ?? null), () => `seed ${seed}: ${name} is not what it was`);
    assert(found === table.findBytes(within, Buffer.from(key), hash), () => `seed ${seed}: ${name}, by bytes`);
    if (there === undefined && (growing || rng.below(8) === 0)) {
      const entry = new CachedKey();
      Object.assign(entry, { space: within, key, hash });
      table.insert(entry);
      model.set(name, entry);
    } else if (there !== undefined && (!growing || rng.below(8) === 0)) {
      assert(table.remove(there) && !table.remove(there), () => `seed ${seed}: ${name} was removed twice, or never`);
      model.delete(name);
      table.tidy();
    }
    rehashed += table.rehashing ? 1 : 0;
    if (rng.below(200) === 0) {
      turns.shift()?.();
    }
    if (done % 100 === 0) {
      let count = 0;
      table.checkInvariants((entry) => {
        count++;
        assert(model.get((entry.space as KeySpace).prefix + entry.key) === entry, () => `seed ${seed}: a key too many`);
      });
      assert(count === model.size, () => `seed ${seed}: ${count} keys, and there should be ${model.size}`);
    }
  }
  assert(rehashed > 10 && table.rehashes > 4, () => `The table moved ${table.rehashes} times only`);
}

describe('KeyTable', () => {
  test('against a Map, while it grows and shrinks', () => {
    for (let seed = 1; seed <= 6; seed++) {
      fuzz(seed);
    }
  });

  test.each<[string, (table: any) => void]>([
    [
      'looks into the new table only',
      (table) => {
        table.tableOf = () => table.heads;
      },
    ],
    [
      'leaves a bucket behind',
      (table) => {
        const { step } = table;
        table.step = (buckets: number) => {
          step.call(table, buckets);
          table.moved += table.old === null ? 0 : 1;
        };
      },
    ],
  ])('busted: %s', (_, bust) => {
    expect(() => {
      for (let seed = 1; seed <= 6; seed++) {
        fuzz(seed, bust);
      }
    }).toThrow(/^(seed|A key|There are)/);
  });

  test('a key has one hash, however it is written', () => {
    const key = 'user:17:balance';
    expect(hashOfText(key, 5)).toBe(hashOfLatin(key, 5));
    expect(hashOfText(key, 5)).toBe(hashOfBytes(Buffer.from(key), 5));
    expect(hashOfText(key, 5)).not.toBe(hashOfText(key, 6));
    expect(hashOfText('grün', 5)).toBe(NOT_ASCII);
    const latin = '\u{ff}\u{80}';
    expect(hashOfLatin(latin, 5)).toBe(hashOfBytes(Buffer.from(latin, 'latin1'), 5));
  });

  test('keys that differ little are spread over all buckets', () => {
    const buckets = new Set<number>();
    for (let key = 0; key < 4096; key++) {
      buckets.add(hashOfText(`key:${key}`, 1) & 4095);
    }
    // Of as many balls as boxes, 63 % of the boxes have one.
    expect(buckets.size).toBeGreaterThan(2400);
  });
});
