import type { LruNode } from '@core/list-lru';
import type { RcuHead } from '@core/rcu-pending';
import { type Dentry, type DentryKind, KIND_NONE } from '../dentry.js';
import type { Listing } from './listing.js';
import type { Request } from './request.js';

/** No walk finds it any more. Those who have it may go on using it; when the last lets go it is killed. */
export const UNHASHED = 1;
/** Killed: freed after a grace period. */
export const DEAD = 2;
/** The source is being asked what it is; whoever else wants to know waits for that answer. */
export const IN_LOOKUP = 4;
/** Of a directory: some look-up in it got an answer, so names in it may be looked up at all. A listing proves less. */
export const SEARCHED = 8;
/** Of a directory: too large to be listed, or not readable. */
export const UNLISTABLE = 16;
/** Its attributes are not what they were; it is the same file. */
export const STALE = 32;

/** A dentry, with what the cache needs. All fields are set here and in this order, so that there is one shape. */
export class DentryNode<I extends object> implements Dentry<I>, LruNode, RcuHead {
  name: string;
  parent: DentryNode<I> | null;
  kind: DentryKind = KIND_NONE;
  inode: I | null = null;
  missing: 'ENOENT' | 'ENOTDIR' | null = null;
  /** Where a symlink leads, as it is written; null if that was not read. */
  target: string | null = null;

  /** The name as the source compares it. */
  key: string;
  /** Of the key alone. */
  hash: number;
  /** Tells directories apart in hashes; may repeat after 2^32 of them. */
  readonly id: number;
  hashNext: DentryNode<I> | null = null;
  firstChild: DentryNode<I> | null = null;
  nextSibling: DentryNode<I> | null = null;
  previousSibling: DentryNode<I> | null = null;

  flags = 0;
  /** Children, walks that wait, and holds. */
  refs = 0;
  /** How many of these are holds of users. */
  holds = 0;
  /** Even, and other than before whenever what was found by this name may not be any more. */
  seq = 0;
  /** Used since eviction came by. */
  referenced = false;
  lruSlot = -1;
  rcuNext: RcuHead | null = null;

  /** On the cache's clock, or Infinity. What is past must be asked for again. */
  validUntil: number = Infinity;
  /** When the source was asked, by the cache's count of events. */
  serial = 0;
  /** Of a directory: all its entries, if known. */
  listing: Listing<I> | null = null;
  /** Of a directory: names that had to be looked up in it one by one since it had a listing. */
  lookups = 0;
  /** What the source is being asked about it. */
  request: Request<I> | null = null;
  listRequest: Request<I> | null = null;

  constructor(parent: DentryNode<I> | null, name: string, key: string, hash: number, id: number) {
    this.parent = parent;
    this.name = name;
    this.key = key;
    this.hash = hash;
    this.id = id;
  }
}

/** The path from the root, without symlinks. Readable for dead dentries too, until their grace period is over. */
export function pathOf(node: DentryNode<object>): string {
  const { parent } = node;
  if (parent === null) {
    return '/';
  }
  let path = node.name;
  for (let at = parent; at.parent !== null; at = at.parent) {
    path = `${at.name}/${path}`;
  }
  return `/${path}`;
}

export function childPath(directory: DentryNode<object>, name: string): string {
  return directory.parent === null ? `/${name}` : `${pathOf(directory)}/${name}`;
}
