import { describe, expect, test } from 'vitest';
import { Cooldown } from '../src/internal/cooldown.js';
import { startPriority } from '../src/internal/start-priority.js';

const MIB = 2 ** 20;

describe('cooldown', () => {
  test('doubles while nothing helps, up to 10 s, and is over as soon as something does', () => {
    const cooldown = new Cooldown();
    const lengths = [0, 0, 0, 0, 0, 0].map(() => {
      cooldown.reclaimed(10 * MIB);
      cooldown.collected(6 * MIB, 0);
      return cooldown.leftMs(0);
    });
    expect(lengths).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
    cooldown.reclaimed(10 * MIB);
    cooldown.collected(4 * MIB, 0);
    expect(cooldown.leftMs(0)).toBe(0);
    cooldown.reclaimed(10 * MIB);
    cooldown.collected(6 * MIB, 0);
    expect(cooldown.leftMs(0)).toBe(1000);
  });

  test('what is too little says nothing, either way', () => {
    const cooldown = new Cooldown();
    cooldown.reclaimed(3 * MIB);
    cooldown.collected(100 * MIB, 0);
    expect(cooldown.leftMs(0)).toBe(0);
    cooldown.reclaimed(10 * MIB);
    cooldown.collected(10 * MIB, 0);
    cooldown.collected(0, 0);
    expect(cooldown.leftMs(0)).toBe(1000);
  });

  test('after a rest as much as tells may go, and then a collection must judge it', () => {
    const cooldown = new Cooldown();
    cooldown.reclaimed(50 * MIB);
    expect(cooldown.rests(0)).toBe(false);
    cooldown.collected(50 * MIB, 0);
    expect([cooldown.rests(999), cooldown.rests(1000)]).toEqual([true, false]);
    cooldown.reclaimed(3 * MIB);
    expect(cooldown.rests(1000)).toBe(false);
    cooldown.reclaimed(MIB);
    expect(cooldown.rests(100_000)).toBe(true);
    cooldown.collected(0, 100_000);
    cooldown.reclaimed(50 * MIB);
    expect(cooldown.rests(100_000)).toBe(false);
  });
});

test('a pass begins at the mildest priority at which it can be enough', () => {
  expect(startPriority(100, 200)).toBe(0);
  expect(startPriority(100, 101)).toBe(0);
  expect(startPriority(100, 100)).toBe(1);
  expect(startPriority(100, 50)).toBe(2);
  expect(startPriority(100, 49)).toBe(2);
  expect(startPriority(100, 25)).toBe(3);
  expect(startPriority(2 ** 40, 1)).toBe(12);
  expect(startPriority(2 ** 40, 0)).toBe(12);
  expect(startPriority(0, 100)).toBe(0);
  for (let wanted = 1; wanted <= 1e6; wanted *= 3) {
    const freed = (2 * 1e6) / 2 ** startPriority(1e6, wanted);
    expect(freed >= wanted || freed === 2e6 || wanted < 1e6 / 2048).toBe(true);
  }
});
