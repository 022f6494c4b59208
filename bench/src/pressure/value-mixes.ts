import type { Zone } from '@core/shrinker';

/** One kind of values: how they are made, and what they take in truth. */
export interface ValueKind {
  readonly name: string;
  readonly zone: Zone;
  readonly make: (seed: number) => unknown;
  /** What one takes, with its entry. Bytes. */
  readonly bytes: number;
  readonly sizeOf: (value: unknown) => number;
}

export type Mix = readonly ValueKind[];

function kind(name: string, zone: Zone, bytes: number, make: (seed: number) => unknown): ValueKind {
  return { name, zone, make, bytes, sizeOf: () => bytes };
}

/** A string of its own: concatenation would share its halves. */
function stringOf(length: number, seed: number): string {
  return Buffer.alloc(length, `${seed} `, 'latin1').toString('latin1');
}

const small = kind('small objects', 'heap', 300, (seed) => ({ id: seed, at: seed + 0.5, tags: [seed, seed + 1, 'x'] }));
const trees = kind('trees', 'heap', 2_400, (seed) =>
  Array.from({ length: 24 }, (_, index) => ({ seed, index, next: null })),
);
const shortStrings = kind('strings of 1 KB', 'heap', 1_150, (seed) => stringOf(1_024, seed));
const longStrings = kind('strings of 64 KB', 'heap', 65_700, (seed) => stringOf(65_536, seed));
const arrays = kind('arrays', 'heap', 8_250, (seed) => Array.from({ length: 1_000 }, (_, index) => seed + index));
const buffers = kind('buffers', 'external', 16_700, (seed) => Buffer.allocUnsafeSlow(16_384).fill(seed & 255));

export type MixName = 'small' | 'strings' | 'objects' | 'all';

export const mixes: Readonly<Record<MixName, Mix>> = {
  small: [small],
  strings: [longStrings],
  objects: [small, trees, arrays],
  all: [small, shortStrings, buffers, arrays, longStrings],
};
