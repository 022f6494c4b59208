import type { Shadows } from './shadows.js';

/**
 * A mark that is no count: the next use of the entry is told to the policy, by `touch`. The entry counts as unmarked.
 */
export const WATCHED = 255;

/**
 * Who goes when room is needed: a port over slots, the integers under which a cache keeps its entries.
 *
 * A use raises `marks[slot]` up to `markMax`, and tells the policy nothing, unless the mark is {@link WATCHED}. To evict,
 * the cache looks at the entry in `hand()`. One that is marked gets another round, by `spare`; the first that is not
 * goes, by `evict`, or by `replace` if a new one takes its slot. One that must stay since somebody holds it is taken out,
 * by `remove`, and put in again later.
 *
 * What is asked of a policy, and of its caller; none of it is checked again:
 * - `insert` gets a slot that is not in and is below the capacity that `grow` was called with; `spare`, `evict`
 *   and `replace` get the slot that `hand` has just returned; `remove` any slot that is in; `touch` one that is in and watched.
 * - While entries are in, `hand` returns one. Each `spare` brings them nearer to be unmarked: after
 *   3 × (`markMax` + 2) for each entry the cache evicts what is in the hand.
 * - `marks` is read anew after `grow`. Before `insert`, the cache has cleared the mark of a new entry; that of one which
 *   was held has counted its uses meanwhile.
 * - No method calls back. All but `grow` are O(1), amortised, and allocate nothing.
 */
export interface EvictionPolicy {
  /** For reports. */
  readonly name: string;
  /** By slot. */
  readonly marks: Uint8Array;
  /** Where a mark saturates, from 0 to 254: 1 for a referenced bit, 3 for a counter of two bits. */
  readonly markMax: number;
  /**
   * What it remembers of evicted keys, or null. The cache allocates and drops it. With it, the methods are told hashes of
   * keys: 32 bits, signed; 0 for a key that cannot be known again, which is an object; and 1 for any other as long as
   * nothing is remembered. Without it they are told 0.
   */
  readonly shadows: Shadows | null;
  /** Entries that are in. */
  readonly length: number;
  /** Makes room for the slots up to `capacity` - 1. O(capacity). */
  grow(capacity: number): void;
  has(slot: number): boolean;
  /** A new entry, or one that was held. */
  insert(slot: number, hash: number): void;
  /** An entry is deleted, expires, or is held. */
  remove(slot: number): void;
  /** The entry that goes next if it is not marked, or -1 if there is none. May rearrange entries, and change marks. */
  hand(): number;
  /** Gives the marked entry in the hand another round, with a lower mark. */
  spare(slot: number): void;
  /** The entry in the hand makes room. */
  evict(slot: number, hash: number): void;
  /** The same, and a new entry is stored in its slot: as `evict`, and `insert` after it. */
  replace(slot: number, oldHash: number, hash: number): void;
  /** A watched entry was used. */
  touch(slot: number): void;
  /** For tests: throws when the books do not balance. */
  checkInvariants(): void;
}

/** Makes a policy, for one cache. */
export type EvictionPolicyFactory = () => EvictionPolicy;

/** The policies that come with the package. */
export type EvictionPolicyName = 'second-chance' | 'sieve' | 's3-fifo' | 'workingset' | 'lru';
