import { describe, expect, test } from 'vitest';
import { heapLimitOf } from '@core/pressure';

const MIB = 2 ** 20;

function limitMb(
  flags: readonly string[],
  { sizeMb = 4144, version = '11.3.244.8', workerMb }: { sizeMb?: number; version?: string; workerMb?: number } = {},
): number {
  const { bytes } = heapLimitOf({
    heapSizeLimit: sizeMb * MIB,
    flags,
    v8Version: version,
    workerLimitMb: workerMb,
  });
  return bytes / MIB;
}

describe('the flag', () => {
  test.each([
    [['--max-old-space-size=256']],
    [['--max_old_space_size=256']],
    [['--max-old_space-size=256']],
    [['-max-old-space-size=256']],
    [['--max-old-space-size', '256']],
    [['--max_old_space_size', '256', '--inspect']],
    [['--inspect', '--max-old-space-size=256', '--expose-gc']],
  ])('%j', (flags) => {
    expect(limitMb(flags)).toBe(256);
  });

  test('the last one wins, so those of the command line over those of NODE_OPTIONS', () => {
    expect(limitMb(['--max-old-space-size=256', '--max_old_space_size=512'])).toBe(512);
    expect(limitMb(['--max_old_space_size', '512', '--max-old-space-size=256'])).toBe(256);
  });

  test.each([
    [['--max-old-space-size']],
    [['--max-old-space-size=']],
    [['--max-old-space-size=0']],
    [['--max-old-space-size=-5']],
    [['--max-old-space-size=much']],
    [['--max-old-space-size=Infinity']],
    [['--max-old-space-size', '--inspect']],
    [['--max-old-space-size-percentage=20']],
    [['--no-max-old-space-size']],
    [['max-old-space-size=256']],
    [['max-old-space-size', '256']],
    [['', '=', '-', '--', '=256']],
  ])('%j is none', (flags) => {
    expect(limitMb(flags)).toBe(4096);
  });

  test('a word that is no number does not undo the one before', () => {
    expect(limitMb(['--max-old-space-size=256', '--max-old-space-size='])).toBe(256);
  });

  test('is not believed when it is above what V8 says: it was given to somebody else', () => {
    expect(limitMb(['--max-old-space-size=8192'])).toBe(4096);
    expect(limitMb(['--max-old-space-size=8192'], { workerMb: 100 })).toBe(100);
    expect(limitMb(['--max-old-space-size=4144'])).toBe(4144);
  });
});

describe('a worker', () => {
  test('has its own limit, unless the flag is for all threads', () => {
    expect(limitMb([], { workerMb: 100 })).toBe(100);
    expect(limitMb(['--max-old-space-size=256'], { workerMb: 100 })).toBe(256);
  });

  test('that has none has that of V8', () => {
    expect(limitMb([], { workerMb: 0 })).toBe(4096);
    expect(limitMb([], { workerMb: -1 })).toBe(4096);
  });
});

describe('without either, the young generation comes off', () => {
  // What Node 20, 22, 24 and 26 say when the flag is 256.
  test.each([
    ['11.3.244.8-node.30', 304],
    ['12.4.254.21-node.33', 304],
    ['13.6.233.10-node.28', 448],
    ['14.6.202.33-node.18', 352],
  ])('V8 %s', (version, sizeMb) => {
    expect(limitMb([], { version, sizeMb })).toBe(256);
  });

  test('a version that is not known is taken for one with the largest', () => {
    expect(limitMb([], { version: '15.0.1', sizeMb: 448 })).toBe(256);
    expect(limitMb([], { version: '', sizeMb: 448 })).toBe(256);
  });

  test('its flag counts', () => {
    expect(limitMb(['--max-semi-space-size=8'], { sizeMb: 280 })).toBe(256);
    expect(limitMb(['--max_semi_space_size', '64'], { sizeMb: 448 })).toBe(256);
  });

  test('half of the heap is left in any case', () => {
    expect(limitMb(['--max-semi-space-size=1024'], { sizeMb: 448 })).toBe(224);
  });

  test('it is told in any case, and where the limit is from', () => {
    const facts = { heapSizeLimit: 304 * MIB, v8Version: '12.4', workerLimitMb: undefined };
    expect(heapLimitOf({ ...facts, flags: ['--max-old-space-size=256'] })).toEqual({
      bytes: 256 * MIB,
      youngBytes: 48 * MIB,
      from: '--max-old-space-size',
    });
    expect(heapLimitOf({ ...facts, flags: [], workerLimitMb: 64 })).toMatchObject({
      youngBytes: 48 * MIB,
      from: 'resourceLimits.maxOldGenerationSizeMb',
    });
    expect(heapLimitOf({ ...facts, flags: [] }).from).toContain('heap_size_limit');
  });
});
