import { describe, expect, test } from 'vitest';
import { ByteArena, SeededRng } from '../src/index.js';

describe('ByteArena', () => {
  test('hands out the same arrays for the same lengths', () => {
    const arena = new ByteArena(2 ** 20);
    const lengths = [3, 0, 32, 33, 1000];
    const first = lengths.map((length) => arena.take(length));
    expect(first.map(({ length }) => length)).toEqual(lengths);
    arena.clear();
    for (const [at, length] of lengths.entries()) {
      expect(arena.take(length)).toBe(first[at]);
    }
    arena.checkInvariants();
  });

  test('a piece that is a little longer leaves those behind it as they are', () => {
    const arena = new ByteArena(2 ** 20);
    arena.take(3);
    const behind = arena.take(10);
    arena.clear();
    expect(arena.take(4)).toHaveLength(4);
    expect(arena.take(10)).toBe(behind);
  });

  test.each([1, 2, 3])('pieces are never in each other, however it grows; seed %i', (seed) => {
    const rng = new SeededRng(seed);
    const arena = new ByteArena(50_000);
    for (let round = 0; round < 50; round++) {
      const scale = rng.pick([20, 300, 5000]);
      const pieces = Array.from({ length: rng.below(200) }, (_, index) => {
        const piece = arena.take(rng.below(scale));
        piece.fill(index);
        return piece;
      });
      for (const [index, piece] of pieces.entries()) {
        expect(piece.every((byte) => byte === index % 256)).toBe(true);
      }
      arena.checkInvariants();
      arena.clear();
      expect(arena.bytes).toBeLessThanOrEqual(50_000);
    }
  });

  test('gives back what a burst has needed', () => {
    const arena = new ByteArena(10_000);
    arena.take(20_000);
    arena.clear();
    expect(arena.bytes).toBe(0);
  });

  test('keeps no more than so many arrays', () => {
    const arena = new ByteArena(2 ** 24);
    for (let round = 0; round < 2; round++) {
      for (let piece = 0; piece < 10_000; piece++) {
        expect(arena.take(8)).toHaveLength(8);
      }
      arena.checkInvariants();
      arena.clear();
    }
  });
});
