import { Shadows } from '../policy/shadows.js';
import { hashKey, isKnowable } from './hash-key.js';

/** Shadows are kept for as many keys as there is room for entries, but for no fewer than these: a few bytes. */
const KEYS_MIN = 64;
const NO_HASHES: Int32Array = new Int32Array(0);

/**
 * The memory in which a policy has shadows of evicted keys, if it wants any: when it is allocated and dropped; and as long
 * as it is there, hashes of the keys that are in, by slot.
 */
export class EvictedKeys {
  private readonly shadows: Shadows | null;
  /** 0 for a key that came before. */
  private hashes: Int32Array = NO_HASHES;
  /** After so many evictions it is to be allocated, or again; Infinity if it is there, or not wanted. */
  private dueFrom = Infinity;
  /** Keys that there is to be room for. */
  private room = KEYS_MIN;

  constructor(shadows: Shadows | null) {
    this.shadows = shadows;
  }

  get bytes(): number {
    return this.shadows === null ? 0 : this.shadows.bytes + this.hashes.byteLength;
  }

  isDue(evictions: number): boolean {
    return evictions >= this.dueFrom;
  }

  /** Bytes that it will take more when it is allocated. */
  get missingBytes(): number {
    return Shadows.bytesFor(this.room) + this.room * Int32Array.BYTES_PER_ELEMENT - this.bytes;
  }

  /** There are so many slots from now on. */
  grow(slots: number, evictions: number): void {
    this.room = Math.max(KEYS_MIN, slots);
    if (this.shadows !== null && this.shadows.capacity < slots && this.dueFrom === Infinity) {
      this.dueFrom = evictions;
    }
  }

  /** From now on keys that are evicted are remembered. Those that were remembered for fewer slots are forgotten. */
  allocate(): void {
    this.shadows?.allocate(this.room);
    this.hashes = new Int32Array(this.room);
    this.dueFrom = Infinity;
  }

  /** Forgets all, until there were so many evictions. */
  drop(dueFrom: number): void {
    if (this.shadows !== null) {
      this.shadows.drop();
      this.hashes = NO_HASHES;
      this.dueFrom = dueFrom;
    }
  }

  /** There is no room for it. */
  postpone(dueFrom: number): void {
    this.dueFrom = dueFrom;
  }

  /** What the policy is told of a new key, which is kept while it is in the slot. */
  hashOf(key: unknown, slot: number): number {
    if (this.hashes.length === 0) {
      return this.unhashed(key);
    }
    const hash = hashKey(key);
    this.hashes[slot] = hash;
    return hash;
  }

  /** What it is told of a key that is in. */
  hashAt(slot: number, key: unknown): number {
    if (this.hashes.length === 0) {
      return this.unhashed(key);
    }
    const hash = this.hashes[slot] as number;
    return hash === 0 ? hashKey(key) : hash;
  }

  private unhashed(key: unknown): number {
    return this.shadows !== null && isKnowable(key) ? 1 : 0;
  }
}
