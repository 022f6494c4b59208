import type { DentryNode } from './dentry-node.js';

const CAPACITY_MIN = 64;
const FNV_PRIME = 0x01000193;
const GOLDEN = 0x9e3779b1;

/** Where hashes of names begin; then {@link hashCode} of each UTF-16 unit. */
export const HASH_SEED: number = 0x811c9dc5 | 0;

export function hashCode(hash: number, code: number): number {
  return Math.imul(hash ^ code, FNV_PRIME);
}

export function hashName(name: string): number {
  let hash = HASH_SEED;
  for (let at = 0; at < name.length; at++) {
    hash = hashCode(hash, name.charCodeAt(at));
  }
  return hash;
}

/**
 * Dentries by directory and name, in chains through the dentries themselves: a name is found as a part of a path, and
 * no string is made for it.
 */
export class DentryHash<I extends object> {
  private buckets: (DentryNode<I> | null)[] = emptyBuckets(CAPACITY_MIN);
  private mask = CAPACITY_MIN - 1;
  private size = 0;

  get count(): number {
    return this.size;
  }

  /** The dentry of the name that `text` has from `start` to `end`. */
  find(parent: DentryNode<I>, hash: number, text: string, start: number, end: number): DentryNode<I> | null {
    let node = this.buckets[this.bucketOf(parent, hash)] as DentryNode<I> | null;
    while (node !== null) {
      if (node.hash === hash && node.parent === parent && isPart(node.key, text, start, end)) {
        return node;
      }
      node = node.hashNext;
    }
    return null;
  }

  add(node: DentryNode<I>): void {
    if (this.size > this.mask) {
      this.grow();
    }
    this.size++;
    this.put(node);
  }

  remove(node: DentryNode<I>): void {
    const bucket = this.bucketOf(node.parent as DentryNode<I>, node.hash);
    let at = this.buckets[bucket] as DentryNode<I>;
    if (at === node) {
      this.buckets[bucket] = node.hashNext;
    } else {
      while (at.hashNext !== node) {
        at = at.hashNext as DentryNode<I>;
      }
      at.hashNext = node.hashNext;
    }
    node.hashNext = null;
    this.size--;
  }

  private bucketOf(parent: DentryNode<I>, hash: number): number {
    const mixed = Math.imul(hash ^ Math.imul(parent.id, GOLDEN), GOLDEN);
    return (mixed ^ (mixed >>> 15)) & this.mask;
  }

  private put(node: DentryNode<I>): void {
    const bucket = this.bucketOf(node.parent as DentryNode<I>, node.hash);
    node.hashNext = this.buckets[bucket] as DentryNode<I> | null;
    this.buckets[bucket] = node;
  }

  private grow(): void {
    const old = this.buckets;
    this.buckets = emptyBuckets(old.length * 2);
    this.mask = this.buckets.length - 1;
    for (const first of old) {
      let node = first;
      while (node !== null) {
        const next = node.hashNext;
        this.put(node);
        node = next;
      }
    }
  }
}

function emptyBuckets<I extends object>(length: number): (DentryNode<I> | null)[] {
  return Array.from({ length }, () => null);
}

function isPart(key: string, text: string, start: number, end: number): boolean {
  const { length } = key;
  if (end - start !== length) {
    return false;
  }
  for (let at = 0; at < length; at++) {
    if (key.charCodeAt(at) !== text.charCodeAt(start + at)) {
      return false;
    }
  }
  return true;
}
