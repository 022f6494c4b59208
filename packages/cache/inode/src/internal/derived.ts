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
  /** Null once a look that began after the value was made has shown the same change stamp as one before that. */
  trial: Trial | null = null;
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

  /** Whether it is what the file holds, as far as is believed now. */
  isBelieved(nowMs: number): boolean {
    const { inode, trial } = this;
    return trial === null
      ? inode.validUntilMs > nowMs
      : trial.validUntilMs > nowMs && trial.version === inode.version && trial.path === inode.path;
  }

  /** Whether a look may yet show that it is of the stamp that the inode has. */
  get isConfirmable(): boolean {
    const { inode, trial } = this;
    return trial !== null && trial.isSettled && trial.version === inode.version && trial.path === inode.path;
  }

  destroy(): void {
    this.kind.dispose?.(this.value);
  }
}

/** What is known of a value as long as nobody has looked at the file since it was made. */
export interface Trial {
  /** Where it was read. If the file is seen elsewhere, another one may have been there. */
  readonly path: string;
  /** Up to when it is believed. */
  readonly validUntilMs: number;
  /** Of the inode when the maker began: another one says that the file has changed, or that somebody doubts it. */
  readonly version: number;
  /** Whether any change since the maker began shows in the change stamp. Otherwise no look can tell. */
  readonly isSettled: boolean;
  /** The number of the last look that had begun when the value was made: a later one tells. */
  readonly lookId: number;
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
  /** Whether the look after the present try is put off. */
  isDeferred = false;
  /** When the present try began. */
  begunMs = 0;
  /** While the maker is on the stack. */
  isRunning = false;
  next: Making | null = null;

  constructor(kind: DerivedKind<T>, path: string, version: number) {
    this.kind = kind;
    this.path = path;
    this.version = version;
  }
}
