import { assert } from '@core/base';
import { ListLru, type LruStatus, REMOVED, RETRY, ROTATE, SKIP } from '@core/list-lru';
import type { MemoryGroup, ShrinkControl } from '@core/shrinker';
import { type Inode, NEVER } from '../inode.js';
import type { FileContents } from '../options.js';
import type { Prunable } from '../super-block.js';
import type { Account } from './account.js';
import type { DerivedValues } from './derived-values.js';
import type { Graveyard } from './graveyard.js';
import { InodeTable } from './inode-table.js';
import { pruneExcess } from './prune-excess.js';
import { FREEING, LRU_ISOLATING, NEW, REFERENCED, UNHASHED } from './state.js';

/** Bytes of the heap that an inode takes, with its attributes, a path and its place in the table: 782 on Node 20. */
export const INODE_BYTES: number = 800;

export interface InodeStoreOptions {
  readonly group: MemoryGroup | null;
  readonly contents: FileContents | null;
  readonly maxUnused: number;
  readonly account: Account;
  readonly graveyard: Graveyard;
  readonly values: DerivedValues;
  /** An inode is leaving. Must not throw. */
  readonly onEvict: (inode: Inode) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Where inodes are from when they are made until they are destroyed: in the table, held or on the list of those that
 * may be reclaimed, and then out of both.
 *
 * Contents and charges call back, and what they call may do anything here. So whatever is decided before such a call is
 * looked at again after it.
 */
export class InodeStore implements Prunable {
  readonly table: InodeTable = new InodeTable();
  readonly lru: ListLru<Inode> = new ListLru<Inode>();
  /** Holds on all inodes. */
  holds = 0;
  /** Inodes that were taken out of the table, since another file had their number. */
  replaced = 0;
  evictions = 0;
  /** False: inodes leave with their last hold. */
  isOpen = true;
  private readonly options: InodeStoreOptions;

  constructor(options: InodeStoreOptions) {
    this.options = options;
  }

  /** The inode that has this number, unless it is leaving. */
  at(dev: bigint, ino: bigint): Inode | null {
    const inode = this.table.get(dev, ino);
    return inode === undefined || (inode.state & FREEING) !== 0 ? null : inode;
  }

  /** Puts a new inode, held once, in the table, unless it is unhashed; what has its number must be leaving. */
  add(inode: Inode): void {
    if ((inode.state & UNHASHED) === 0) {
      const leaving = this.table.get(inode.dev, inode.ino);
      if (leaving !== undefined) {
        assert((leaving.state & FREEING) !== 0, () => `Inode ${inode.ino} is there already`);
        this.table.delete(leaving);
      }
      this.table.add(inode);
    }
    this.hold(inode);
  }

  /** Charges an inode that was added, and so ends its being new. Calls back. */
  charge(inode: Inode): void {
    if (this.options.account.charge(INODE_BYTES, 'heap')) {
      inode.bytes = INODE_BYTES;
    }
    inode.state &= ~NEW;
  }

  hold(inode: Inode): void {
    inode.count++;
    this.holds++;
  }

  release(inode: Inode): void {
    inode.count--;
    this.holds--;
    if (inode.count > 0) {
      return;
    }
    if (!this.mayStay(inode)) {
      this.evictUnlessPinned(inode);
    } else if (!this.lru.add(inode, this.options.group)) {
      inode.state |= REFERENCED;
    } else if (this.lru.length > this.options.maxUnused) {
      pruneExcess(this, () => this.lru.length - this.options.maxUnused);
    }
  }

  count(sc?: ShrinkControl): number {
    return this.lru.count(sc);
  }

  prune(nr: number, sc?: ShrinkControl): number {
    const leaving: Inode[] = [];
    const isolate = (inode: Inode): LruStatus => this.isolate(inode, leaving);
    try {
      this.lru.walk(sc === undefined ? nr : { nrToScan: nr, nrScanned: 0, zone: sc.zone, group: sc.group }, isolate);
    } finally {
      // After the walk: what is called from here may take and release inodes, and evict others.
      for (const inode of leaving) {
        this.evict(inode);
      }
      this.evictions += leaving.length;
    }
    return leaving.length;
  }

  /** Takes an inode out of the table, since its number is another file's. It leaves with its last hold. */
  unhash(inode: Inode): void {
    this.replaced++;
    this.table.delete(inode);
    this.lru.del(inode);
    inode.state |= UNHASHED;
    inode.validUntilMs = NEVER;
    inode.version++;
    this.options.values.dropAll(inode);
    this.dropContents(inode);
    if (inode.count === 0) {
      this.evictUnlessPinned(inode);
    }
  }

  /** Lets all go that nobody holds, and what was derived from the others. */
  close(): void {
    this.isOpen = false;
    for (const inode of this.table) {
      if (inode.count > 0) {
        this.options.values.dropAll(inode);
      } else {
        this.evictUnlessPinned(inode);
      }
    }
  }

  /** @returns whether nothing is left */
  dropContents(inode: Inode): boolean {
    const { contents, onError } = this.options;
    try {
      return contents === null || !contents.has(inode) || contents.drop(inode);
    } catch (error) {
      onError(error);
      return false;
    }
  }

  /** Whether an inode that nobody holds is worth keeping: it can be found, is charged, and its file has a name. */
  private mayStay(inode: Inode): boolean {
    return (
      this.isOpen &&
      (inode.state & UNHASHED) === 0 &&
      (inode.bytes > 0 || this.options.group === null) &&
      inode.stats.nlink !== 0n
    );
  }

  private isolate(inode: Inode, leaving: Inode[]): LruStatus {
    if ((inode.state & LRU_ISOLATING) !== 0) {
      return SKIP;
    }
    if (inode.count > 0) {
      return REMOVED;
    }
    if ((inode.state & REFERENCED) !== 0) {
      inode.state &= ~REFERENCED;
      return ROTATE;
    }
    if (inode.values !== null || this.hasContents(inode)) {
      inode.state |= LRU_ISOLATING;
      this.options.values.dropAll(inode);
      const isEmpty = this.dropContents(inode);
      inode.state &= ~LRU_ISOLATING;
      if (inode.count > 0 || (inode.state & UNHASHED) === 0) {
        return isEmpty ? RETRY : ROTATE;
      }
    }
    inode.state = FREEING;
    leaving.push(inode);
    return REMOVED;
  }

  /** While it is pinned, the walk that has pinned it sees to it; and what it called may have evicted it already. */
  private evictUnlessPinned(inode: Inode): void {
    if ((inode.state & (LRU_ISOLATING | FREEING)) === 0) {
      this.evict(inode);
    }
  }

  private evict(inode: Inode): void {
    const { values, account, graveyard, onEvict } = this.options;
    inode.state = FREEING;
    inode.validUntilMs = NEVER;
    this.lru.del(inode);
    this.table.delete(inode);
    values.dropAll(inode);
    this.dropContents(inode);
    onEvict(inode);
    account.uncharge(inode.bytes, 'heap');
    graveyard.retire(inode);
  }

  private hasContents(inode: Inode): boolean {
    const { contents, onError } = this.options;
    try {
      return contents !== null && contents.has(inode);
    } catch (error) {
      onError(error);
      return false;
    }
  }
}
