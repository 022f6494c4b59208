import { expect, test } from 'vitest';
import { SeededRng } from '@core/base';
import { type Change, SortedEntries, type Walk } from '../src/internal/sorted-entries.js';

const words = (walk: Walk): string[] => {
  const found: string[] = [];
  for (let entry = walk.next(); entry !== undefined; entry = walk.next()) {
    found.push(`${keyOf(entry[0])}=${entry[1][0]}`);
  }
  return found;
};
const bytesOf = (key: number): Uint8Array => Uint8Array.of(key >>> 8, key & 255);
const keyOf = (bytes: Uint8Array): number => bytes[0]! * 256 + bytes[1]!;

function fuzz(seed: number): void {
  const rng = new SeededRng(seed);
  const keys = rng.pick([20, 500, 3000]);
  let entries = SortedEntries.EMPTY;
  const model = new Map<number, number>();
  const kept: { entries: SortedEntries; words: string[] }[] = [];
  const wordsOfModel = (from = 0, to = keys) =>
    [...model]
      .filter(([key]) => key >= from && key <= to)
      .toSorted(([one], [other]) => one - other)
      .map(([key, value]) => `${key}=${value}`);
  for (let step = 0; step < 40; step++) {
    const shrink = rng.below(4) === 0;
    const changed = new Set(Array.from({ length: 1 + rng.below(rng.pick([3, 40, keys])) }, () => rng.below(keys)));
    const changes = [...changed]
      .toSorted((one, other) => one - other)
      .map((key): Change => {
        const value = rng.below(4) === 0 || shrink ? undefined : rng.below(256);
        if (value === undefined) {
          model.delete(key);
        } else {
          model.set(key, value);
        }
        return [bytesOf(key), value === undefined ? undefined : Uint8Array.of(value)];
      });
    entries = entries.with(changes);
    entries.checkInvariants();
    expect(entries.length).toBe(model.size);
    expect(words(entries.walk(undefined))).toEqual(wordsOfModel());
    expect(words(entries.walkBack(undefined))).toEqual(wordsOfModel().toReversed());
    for (let look = 0; look < 5; look++) {
      const key = rng.below(keys);
      expect(entries.get(bytesOf(key))?.[0]).toBe(model.get(key));
      expect(words(entries.walk(bytesOf(key)))).toEqual(wordsOfModel(key));
      expect(words(entries.walkBack(bytesOf(key)))).toEqual(wordsOfModel(0, key).toReversed());
    }
    if (rng.below(10) === 0) {
      kept.push({ entries, words: wordsOfModel() });
    }
  }
  for (const version of kept) {
    expect(words(version.entries.walk(undefined))).toEqual(version.words);
  }
}

test.each(Array.from({ length: 12 }, (_, index) => index + 1))('does what a map does, seed %i', (seed) => {
  fuzz(seed);
});

test('few are left together when most are gone', () => {
  const all = Array.from({ length: 6400 }, (_, key) => key);
  const full = SortedEntries.EMPTY.with(all.map((key): Change => [bytesOf(key), Uint8Array.of(1)]));
  const few = full.with(all.filter((key) => key % 64 !== 0).map((key): Change => [bytesOf(key), undefined]));
  few.checkInvariants();
  expect(few.length).toBe(100);
  expect(words(few.walk(bytesOf(6000)))).toEqual(['6016=1', '6080=1', '6144=1', '6208=1', '6272=1', '6336=1']);
});
