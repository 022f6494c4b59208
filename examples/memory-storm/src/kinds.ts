import { SeededRng } from '@core/base';
import { Handle, type HandleLedger } from './handles.js';

/** What one of the caches is for. */
export interface Kind<V = unknown> {
  readonly name: string;
  /** Of all requests. */
  readonly share: number;
  /** How many keys there are: those of low rank are asked for most. */
  readonly keys: number;
  /** Where most of a value is. */
  readonly zone: 'heap' | 'external';
  make(rank: number): V;
  /** Bytes. */
  sizeOf(value: V): number;
  /** What a request does with a value: nothing, but a handle must be open. */
  use?(value: V): void;
  /** What must happen to a value that has left, exactly once. */
  dispose?(value: V): void;
}

interface Small {
  readonly id: number;
  readonly name: string;
  readonly mail: string;
  readonly tags: readonly string[];
  readonly score: number;
}

const SMALL_BYTES = 320;
const TEXT = noise(2 ** 17);

/** Small objects, long strings, buffers, large arrays, and handles that must be closed. */
export function kindsOf(ledger: HandleLedger): Kind[] {
  const small: Kind<Small> = {
    name: 'small',
    share: 0.4,
    keys: 400_000,
    zone: 'heap',
    make: (rank) => ({
      id: rank,
      name: `User number ${rank}`,
      mail: `user-${rank}@example.org`,
      tags: [`group-${rank % 7}`, `since-${rank % 31}`],
      score: rank / 7,
    }),
    sizeOf: () => SMALL_BYTES,
  };
  const strings: Kind<string> = {
    name: 'strings',
    share: 0.25,
    keys: 80_000,
    zone: 'heap',
    make: (rank) => TEXT.toString('latin1', rank % 1024, (rank % 1024) + between(1024, 65_536, rank)),
    sizeOf: (text) => text.length,
  };
  const arrays: Kind<number[]> = {
    name: 'arrays',
    share: 0.15,
    keys: 60_000,
    zone: 'heap',
    make: (rank) => numbers(between(1000, 8000, rank), rank + 0.5),
    sizeOf: (array) => 8 * array.length,
  };
  const buffers: Kind<Buffer> = {
    name: 'buffers',
    share: 0.1,
    keys: 50_000,
    zone: 'external',
    make: (rank) => Buffer.alloc(between(4096, 65_536, rank), 1),
    sizeOf: (buffer) => buffer.length,
  };
  const handles: Kind<Handle> = {
    name: 'handles',
    share: 0.1,
    keys: 100_000,
    zone: 'external',
    make: () => new Handle(ledger),
    sizeOf: (handle) => handle.bytes,
    use: (handle) => handle.read(),
    dispose: (handle) => handle.close(),
  };
  return [small, strings, arrays, buffers, handles];
}

/** A size for a rank, always the same: small ones often, large ones seldom. */
function between(least: number, most: number, rank: number): number {
  const part = new SeededRng(rank).next();
  return Math.floor(least * (most / least) ** part);
}

function numbers(length: number, value: number): number[] {
  const array: number[] = [];
  array.length = length;
  return array.fill(value);
}

function noise(bytes: number): Buffer {
  const rng = new SeededRng(1);
  return Buffer.from(Array.from({ length: bytes }, () => 32 + rng.below(95)));
}
