import { ListLru, type LruStatus, REMOVED, ROTATE } from '@core/list-lru';
import type { MemoryGroup, ShrinkControl, Shrinker, Zone } from '@core/shrinker';
import type { DerivedKind } from '../derived-kind.js';
import type { Inode } from '../inode.js';
import type { Prunable } from '../super-block.js';
import type { Account } from './account.js';
import { Derived, type Trial } from './derived.js';
import type { Graveyard } from './graveyard.js';
import { pruneExcess } from './prune-excess.js';

/** Bytes of the heap that a value takes besides: its node, and a place in the list; 110 on Node 20. */
const VALUE_OVERHEAD = 112;

export interface DerivedValuesOptions {
  readonly group: MemoryGroup | null;
  readonly account: Account;
  readonly graveyard: Graveyard;
  readonly maxBytes: number;
  readonly onError: (error: unknown) => void;
}

/**
 * The derived values of all inodes, oldest first, with second chance. Each is on its inode's chain as well, and leaves
 * with it, or before.
 */
export class DerivedValues implements Prunable {
  readonly lru: ListLru<Derived> = new ListLru<Derived>({ zones: ['heap', 'external', 'shared'] });
  /** What is charged for them. */
  bytes = 0;
  evictions = 0;
  /** Values that a later look has shown to be good. */
  confirmed = 0;
  private readonly inZone: Record<Zone, { count: number; bytes: number }> = {
    heap: { count: 0, bytes: 0 },
    external: { count: 0, bytes: 0 },
    shared: { count: 0, bytes: 0 },
  };
  private readonly group: MemoryGroup | null;
  private readonly account: Account;
  private readonly graveyard: Graveyard;
  private readonly maxBytes: number;
  private readonly onError: (error: unknown) => void;

  constructor(options: DerivedValuesOptions) {
    this.group = options.group;
    this.account = options.account;
    this.graveyard = options.graveyard;
    this.maxBytes = options.maxBytes;
    this.onError = options.onError;
  }

  find<T>(inode: Inode, kind: DerivedKind<T>): Derived<T> | null {
    for (let derived = inode.values; derived !== null; derived = derived.next) {
      if (derived.kind === kind) {
        return derived as Derived<T>;
      }
    }
    return null;
  }

  /**
   * Keeps a value, unless there is no room, or while room was made the inode has left or changed, or got one. Calls back.
   *
   * @param version that the inode must still have
   * @returns the value that is kept, maybe another one; null when none is
   */
  keep<T>(inode: Inode, kind: DerivedKind<T>, value: T, version: number): Derived<T> | null {
    const bytes = this.measure(kind, value);
    if (bytes === null || bytes > this.maxBytes || !this.account.charge(bytes, kind.zone)) {
      return null;
    }
    const present = this.find(inode, kind);
    if (present !== null || inode.isStale || inode.version !== version) {
      this.account.uncharge(bytes, kind.zone);
      return present;
    }
    const derived = new Derived<T>(inode, kind, value, bytes);
    derived.next = inode.values;
    inode.values = derived as Derived;
    this.add(kind.zone, 1, bytes);
    this.lru.add(derived as Derived, this.group, kind.zone);
    if (this.bytes > this.maxBytes) {
      pruneExcess(this, () => (this.bytes > this.maxBytes ? 1 : 0));
    }
    return derived;
  }

  /** A look that began as number `id` has shown the same stamp as the one before: values made in between are of it. */
  confirm(inode: Inode, id: number): void {
    for (let derived = inode.values; derived !== null; derived = derived.next) {
      if (derived.isConfirmable && id > (derived.trial as Trial).lookId) {
        derived.trial = null;
        this.confirmed++;
      }
    }
  }

  /** Retires a value of an inode that has it. */
  drop<T>(derived: Derived<T>): void {
    this.unchain(derived as Derived);
    this.retire(derived as Derived);
  }

  /** Retires a value that is not kept. */
  discard<T>(inode: Inode, kind: DerivedKind<T>, value: T): void {
    if (kind.dispose !== null) {
      this.graveyard.retire(new Derived<T>(inode, kind, value, 0));
    }
  }

  /** Retires all values of an inode. */
  dropAll(inode: Inode): void {
    for (let derived = inode.values; derived !== null; derived = inode.values) {
      inode.values = derived.next;
      this.retire(derived);
    }
  }

  count(sc?: ShrinkControl): number {
    return this.lru.count(sc);
  }

  prune(nr: number, sc?: ShrinkControl): number {
    return this.lru.walk(
      sc === undefined ? nr : { nrToScan: nr, nrScanned: 0, zone: sc.zone, group: sc.group },
      this.isolate,
    );
  }

  objectBytes(zone: Zone): number {
    const { count, bytes } = this.inZone[zone];
    return count === 0 ? 0 : bytes / count;
  }

  attach(shrinker: Shrinker): void {
    this.lru.attach(shrinker);
  }

  private readonly isolate = (derived: Derived): LruStatus => {
    if (derived.isReferenced) {
      derived.isReferenced = false;
      return ROTATE;
    }
    this.drop(derived);
    this.evictions++;
    return REMOVED;
  };

  private add(zone: Zone, count: number, bytes: number): void {
    this.bytes += bytes;
    this.inZone[zone].count += count;
    this.inZone[zone].bytes += bytes;
  }

  private unchain(derived: Derived): void {
    const { inode } = derived;
    if (inode.values === derived) {
      inode.values = derived.next;
      return;
    }
    let before = inode.values as Derived;
    while (before.next !== derived) {
      before = before.next as Derived;
    }
    before.next = derived.next;
  }

  private retire(derived: Derived): void {
    derived.next = null;
    this.lru.del(derived);
    this.add(derived.zone, -1, -derived.bytes);
    this.account.uncharge(derived.bytes, derived.zone);
    this.graveyard.retire(derived);
  }

  private measure<T>(kind: DerivedKind<T>, value: T): number | null {
    try {
      const bytes: unknown = kind.sizeOf(value);
      if (typeof bytes !== 'number' || !(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER - VALUE_OVERHEAD)) {
        throw new RangeError(
          `Cannot keep a value of kind "${kind.name}": its size is ${String(bytes)}; sizeOf must return a number of 0 or more`,
        );
      }
      return Math.ceil(bytes) + VALUE_OVERHEAD;
    } catch (error) {
      this.onError(error);
      return null;
    }
  }
}
