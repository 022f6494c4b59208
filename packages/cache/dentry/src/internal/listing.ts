import type { DirectoryEntry } from '@core/fs-source';
import type { LruNode } from '@core/list-lru';
import type { DentryKind } from '../dentry.js';
import type { DentryNode } from './dentry-node.js';
import { entryKindOf, kindOfEntry } from './kinds.js';

/** In the place of an entry of which nothing is known. */
const HOLE: DirectoryEntry = { name: '', kind: 'unknown' };
/** With more of them, to list the directory again is cheaper than to ask for each. */
const HOLES_MAX = 64;

/** All entries of a directory, as they were when the source was asked: what is not among them is not there. */
export class Listing<I extends object> implements LruNode {
  lruSlot = -1;
  referenced = false;
  readonly directory: DentryNode<I>;
  /** When the source was asked, by the cache's count of events. */
  readonly serial: number;
  readonly validUntil: number;
  /** By name as the source compares it. */
  readonly entries: Map<string, DirectoryEntry>;
  /** Whether the entries are in the order of the source. */
  ordered = true;
  #holes = 0;

  constructor(
    directory: DentryNode<I>,
    entries: readonly DirectoryEntry[],
    keyOf: (name: string) => string,
    serial: number,
    validUntil: number,
  ) {
    this.directory = directory;
    this.serial = serial;
    this.validUntil = validUntil;
    this.entries = new Map(entries.map((entry) => [keyOf(entry.name), entry]));
    // Names that cannot be told apart once decoded, or by case where that does not count.
    this.ordered = this.entries.size === entries.length;
  }

  /** Whether it can stand for what the source would list. */
  get isWhole(): boolean {
    return this.ordered && this.#holes === 0;
  }

  /** Nothing is known of this name any more. @returns whether the listing is still worth keeping */
  forget(key: string): boolean {
    if (this.entries.get(key) !== HOLE) {
      this.#holes++;
      this.entries.set(key, HOLE);
    }
    return this.#holes <= HOLES_MAX;
  }

  /** The source has this name now. @returns whether that was news */
  has(key: string, name: string, kind: DentryKind): boolean {
    const old = this.entries.get(key);
    if (old === undefined || old === HOLE) {
      this.fill(old);
      this.ordered = false;
    } else if (old.kind === 'unknown' || kindOfEntry(old.kind) === kind) {
      return false;
    }
    this.entries.set(key, { name, kind: entryKindOf(kind) });
    return true;
  }

  /** The source has no such name now. @returns whether that was news */
  lacks(key: string): boolean {
    const old = this.entries.get(key);
    if (old === undefined) {
      return false;
    }
    this.fill(old);
    return this.entries.delete(key);
  }

  private fill(old: DirectoryEntry | undefined): void {
    if (old === HOLE) {
      this.#holes--;
    }
  }
}
