import type { DentryNode } from './dentry-node.js';

/** In place of a count of bends: the path went straight down. */
export const STRAIGHT = -1;

/** What a path led to, and under which conditions it still does. */
export class PathEntry<I extends object> {
  readonly result: DentryNode<I>;
  /** Whose sequence number says whether the answer stands: the result, or the directory whose listing lacks the name. */
  readonly guard: DentryNode<I>;
  readonly seq: number;
  /** Count of symlinks and directories that have gone, if the way led over any that the guard does not keep. */
  readonly bends: number;
  readonly validUntil: number;

  constructor(result: DentryNode<I>, guard: DentryNode<I>, seq: number, bends: number, validUntil: number) {
    this.result = result;
    this.guard = guard;
    this.seq = seq;
    this.bends = bends;
    this.validUntil = validUntil;
  }
}

/**
 * Whole paths and where they led, in two generations: when the young one is full it becomes the old one, and what nobody
 * asks for goes with the next. Entries are not removed when they stop being true; they say so themselves.
 */
export class PathCache<I extends object> {
  private readonly generation: number;
  private young = new Map<string, PathEntry<I>>();
  private old = new Map<string, PathEntry<I>>();

  /** @param max paths in both generations together */
  constructor(max: number) {
    this.generation = Math.floor(max / 2);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(path: string): PathEntry<I> | undefined {
    const entry = this.young.get(path);
    if (entry !== undefined) {
      return entry;
    }
    if (this.old.size === 0) {
      return undefined;
    }
    const aged = this.old.get(path);
    if (aged !== undefined) {
      this.set(path, aged);
    }
    return aged;
  }

  set(path: string, entry: PathEntry<I>): void {
    if (this.young.size >= this.generation) {
      if (this.generation === 0) {
        return;
      }
      this.age();
    }
    this.young.set(path, entry);
  }

  /** Lets the old generation go, and what it keeps alive. */
  age(): void {
    this.old = this.young;
    this.young = new Map();
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
