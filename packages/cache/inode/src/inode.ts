import { type BigIntStats, constants } from 'node:fs';
import type { LruNode } from '@core/list-lru';
import type { RcuHead } from '@core/rcu-pending';
import type { Zone } from '@core/shrinker';
import type { DerivedKind } from './derived-kind.js';
import type { Derived, Making } from './internal/derived.js';
import type { Retired } from './internal/graveyard.js';
import { Attributes, FREED, kindOf } from './internal/attributes.js';
import { CLEAR, FREEING, NEW, UNHASHED } from './internal/state.js';

/** When attributes are not believed. A double from the beginning, so that the field stays one. */
export const NEVER: number = Number.NEGATIVE_INFINITY;

/** What a maker is told. */
export interface MakeContext {
  /** Where to read. It is looked at again afterwards. */
  readonly path: string;
  /** The attributes that the value is made under. */
  readonly stats: BigIntStats;
}

/** Makes a derived value of what the file holds now. */
export type Make<T> = (context: MakeContext) => T | PromiseLike<T>;
export type MakeSync<T> = (context: MakeContext) => T;

/** What an inode asks of its cache. */
export interface InodeOwner {
  derived<T>(inode: Inode, kind: DerivedKind<T>): T | undefined;
  derive<T>(inode: Inode, kind: DerivedKind<T>, make: Make<T>, path: string): Promise<T>;
  deriveSync<T>(inode: Inode, kind: DerivedKind<T>, make: MakeSync<T>, path: string): T;
  invalidate(inode: Inode): void;
}

/**
 * A file as its attributes tell, whatever names it has. Made by an `InodeCache` only.
 *
 * One that was got without a hold is good for the current turn. One that is held stays good until it is released; it may
 * be `isStale` by then, when another file has taken its number or its name.
 */
export class Inode implements LruNode, Retired {
  readonly dev: bigint;
  readonly ino: bigint;
  /** `S_IFREG`, `S_IFDIR` and so on, of node's `fs.constants`. */
  readonly kind: number;
  /** As of the last look, and never changed: a later look puts others here. */
  stats: BigIntStats;
  /** The path by which it was seen last. */
  path: string;
  /** The coarse time until which the attributes are believed without a look. One compare is the fast path. */
  validUntilMs: number = NEVER;
  /** For the policy: the age that was granted last, and when. */
  ageMs: number = NEVER;
  agedAtMs: number = NEVER;

  /** @internal */
  readonly owner: InodeOwner;
  /** @internal What holds it. */
  count = 0;
  /** @internal */
  state: number = NEW;
  /** @internal Goes up whenever what was derived before is not good any more. */
  version = 0;
  /** @internal Number of the look, or of the notice, that the attributes are of. */
  lookId = 0;
  /** @internal When this change stamp was seen first. */
  stampSeenMs: number = NEVER;
  /** @internal What is charged for it. */
  bytes = 0;
  /** @internal Values that were derived. */
  values: Derived | null = null;
  /** @internal Makers that are at work. */
  makings: Making | null = null;
  /** @internal */
  lruSlot = -1;
  /** @internal */
  rcuNext: RcuHead | null = null;

  /** @internal */
  constructor(owner: InodeOwner, stats: BigIntStats, path: string) {
    this.owner = owner;
    this.stats = new Attributes(stats);
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.kind = kindOf(stats.mode);
    this.path = path;
  }

  /** @internal */
  get zone(): Zone {
    return 'heap';
  }

  get isDirectory(): boolean {
    return this.kind === constants.S_IFDIR;
  }

  /** Whether it has left the table: look its path up again. */
  get isStale(): boolean {
    return (this.state & (FREEING | UNHASHED)) !== 0;
  }

  /** The derived value, if there is one and the attributes are believed now; allocates nothing. */
  derived<T>(kind: DerivedKind<T>): T | undefined {
    return this.owner.derived(this, kind);
  }

  /**
   * The value of this kind, made by `make` if there is none, or if the file has changed. One maker is at work at a time:
   * who asks meanwhile gets what it makes.
   *
   * A file that changes while the maker reads it is read again, up to three times; what is made then, and what is made
   * of a file that changed a moment ago, is handed out and not kept. Errors are not kept either. A maker must not ask
   * for the value that it makes. Rejects with what `make` or the source throws, with `ERR_INODE_STALE`, or with
   * `ERR_INODE_CLOSED`.
   *
   * @param path where the file is; default: where it was seen last, which for a file of several names may be gone
   */
  derive<T>(kind: DerivedKind<T>, make: Make<T>, path: string = this.path): Promise<T> {
    return this.owner.derive(this, kind, make, path);
  }

  /**
   * As {@link derive}, at once. When an asynchronous maker is at work it is not waited for.
   *
   * @throws {InodeError} `ERR_INODE_STALE`, `ERR_INODE_NESTED`, `ERR_INODE_CLOSED`
   * @throws what `make` or the source throws
   */
  deriveSync<T>(kind: DerivedKind<T>, make: MakeSync<T>, path: string = this.path): T {
    return this.owner.deriveSync(this, kind, make, path);
  }

  /** As the cache's `invalidate`. */
  invalidate(): void {
    this.owner.invalidate(this);
  }

  /** @internal Called once, after the grace period. */
  destroy(): void {
    this.state |= CLEAR;
    this.stats = FREED;
  }
}
