import type { LruNode } from '@core/list-lru';
import type { RcuHead } from '@core/rcu-pending';
import type { Zone } from '@core/shrinker';
import type { DerivedKind } from '../derived-kind.js';
import type { Inode } from '../inode.js';
import type { Retired } from './graveyard.js';

/** A derived value of an inode. */
export class Derived<T = unknown> implements LruNode, Retired {
  readonly inode: Inode;
  readonly kind: DerivedKind<T>;
  readonly value: T;
  /** What is charged for it. */
  readonly bytes: number;
  isReferenced = false;
  /** The next one of the inode. */
  next: Derived | null = null;
  lruSlot = -1;
  rcuNext: RcuHead | null = null;

  constructor(inode: Inode, kind: DerivedKind<T>, value: T, bytes: number) {
    this.inode = inode;
    this.kind = kind;
    this.value = value;
    this.bytes = bytes;
  }

  get zone(): Zone {
    return this.kind.zone;
  }

  destroy(): void {
    this.kind.dispose?.(this.value);
  }
}

/** A maker at work. */
export class Making<T = unknown> {
  readonly kind: DerivedKind<T>;
  /** Where the maker reads, and where is looked after it. */
  readonly path: string;
  /** Null for a synchronous one, which nobody can wait for. */
  promise: Promise<T> | null = null;
  /** Of the inode when the present try began. */
  version: number;
  /** Whether the maker has returned: what it read may be older than who asks from now on. */
  isLate = false;
  /** Whether any change since the present try began would be seen in the change stamp. */
  isSettled = false;
  /** While the maker is on the stack. */
  isRunning = false;
  next: Making | null = null;

  constructor(kind: DerivedKind<T>, path: string, version: number) {
    this.kind = kind;
    this.path = path;
    this.version = version;
  }
}
