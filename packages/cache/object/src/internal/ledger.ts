import { assert } from '@core/base';
import { GroupLimitError, type MemoryGroup, type ShrinkControl, ShrinkerError, type Zone } from '@core/shrinker';
import { ENTRY_OVERHEAD, type EntryTable, type WalkGoal } from './entry-table.js';
import type { Graveyard } from './graveyard.js';
import type { Holds } from './holds.js';
import { zoneOf } from './zone-of.js';

const MIN_STOCK = 4096;
const MAX_STOCK = 65_536;
/** A stock is so much less than what is needed. */
const STOCK_SHARE = 16;
/** What a charge calls may change everything under it: so it is looked at again, but not for ever. */
const MAX_ROUNDS = 8;

export interface LedgerOptions<K, V> {
  readonly group: MemoryGroup;
  /** Undefined: where the first value lives. */
  readonly zone: Zone | undefined;
  readonly table: EntryTable<K, V>;
  readonly holds: Holds<K, V>;
  readonly graveyard: Graveyard<K, V>;
}

/**
 * What a cache has charged to its group: never less than it needs, and mostly a stock more, so that a set is a few
 * additions and seldom a charge.
 *
 * Bytes are needed by entries, by what is remembered of evicted keys, by values that have left and are held, and by
 * those kept for reuse. What waits for a
 * grace period is not charged: nothing can be done about it, and a group at its `max` would be emptied for it.
 *
 * `reserve` may run anything: this cache's own scan, other shrinkers, whatever these call. So it comes before a change,
 * never in the middle of one. Nothing else here makes anybody reclaim.
 *
 * @see Linux mm/memcontrol.c, try_charge_memcg and the stock of each processor
 */
export class Ledger<K, V> {
  /** Bytes that are charged now. */
  charged = 0;
  /** Values that were rejected since the group had no room. */
  refused = 0;
  /** Where the values live; null until there was one. */
  zone: Zone | null;
  private readonly group: MemoryGroup;
  private readonly table: EntryTable<K, V>;
  private readonly holds: Holds<K, V>;
  private readonly graveyard: Graveyard<K, V>;
  /** Nothing is stored any more: no stock is kept. */
  private closed = false;
  /** Bytes that may be charged beside two stocks, for the next value. */
  private spare = 0;
  /** While a charge is under way: the stock that it counts on, and what a scan is to free for it. */
  private relied = 0;
  private wanted = 0;

  constructor(options: LedgerOptions<K, V>) {
    this.group = options.group;
    this.zone = options.zone ?? null;
    this.table = options.table;
    this.holds = options.holds;
    this.graveyard = options.graveyard;
  }

  /** Bytes that a scan is to free and then leave it at that, since it is for a charge of this cache; or null. */
  get goal(): WalkGoal | null {
    return this.wanted === 0 ? null : { least: this.wanted, most: this.wanted + stockOf(this.needed()) };
  }

  /** Whether a charge of this cache that is under way has its room, so that no more need be freed for it. */
  get isServed(): boolean {
    return this.wanted > 0 && this.group.heir.room(this.zone ?? 'heap') >= this.wanted;
  }

  /** Whether a scan or count is for the values of this cache. A registry that accounts no objects knows no groups. */
  isAskedBy(sc: ShrinkControl): boolean {
    return sc.zone === this.zone && (sc.group === null || sc.group === this.group.heir);
  }

  /** Whether so many bytes more are charged already. */
  covers(bytes: number): boolean {
    return this.needed() + bytes <= this.charged;
  }

  /**
   * Charges what it takes to store a value, unless it is charged already. Calls back.
   *
   * @returns whether it is
   */
  reserve(key: K, value: V, size: number): boolean {
    if (this.needed() + size + ENTRY_OVERHEAD <= this.charged) {
      return true;
    }
    this.zone ??= zoneOf(value);
    if (size + ENTRY_OVERHEAD > capacityOf(this.group.heir, this.zone)) {
      // Not even alone: no other value is worth evicting for it.
      this.refused++;
      return false;
    }
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const missing = this.missing(this.table.growth(key, value, size));
      if (missing <= 0) {
        return true;
      }
      if (!this.charge(missing)) {
        break;
      }
    }
    this.refused++;
    return false;
  }

  /** As {@link reserve}, of a value that is to be kept for reuse: nothing is reclaimed for it. */
  mayKeep(bytes: number): boolean {
    const missing = this.missing(bytes);
    return (
      missing <= 0 ||
      (this.group.heir.room(this.zone ?? 'heap') >= missing && this.charge(missing) && this.covers(bytes))
    );
  }

  /** A value of so many bytes was stored, or not: what it has pushed out may be worth giving back. */
  settle(size: number): void {
    if (this.closed || this.needed() === 0) {
      this.trim();
      return;
    }
    this.makeShadows();
    const needed = this.needed();
    // What a value needed before another one left for it, the next one will need again.
    const spare = size + ENTRY_OVERHEAD;
    this.spare = spare;
    if (this.charged - needed > 2 * stockOf(needed) + spare) {
      this.giveBack(stockOf(needed) + spare);
    }
  }

  /** Something may have left. Of two stocks one is given back, of nothing everything. */
  trim(): void {
    const needed = this.needed();
    this.spare = 0;
    if (this.closed || needed === 0) {
      this.giveBack(0);
    } else if (this.charged - needed > 2 * stockOf(needed)) {
      this.giveBack(stockOf(needed));
    }
  }

  /** Memory is short: the stock goes, but for what a charge of this cache that is under way counts on. */
  drain(): void {
    this.giveBack(this.relied);
  }

  /** Bytes of an entry, on average; 0 when there is none. */
  get entryBytes(): number {
    const { count, bytes } = this.table;
    return count === 0 ? 0 : bytes / count + ENTRY_OVERHEAD;
  }

  close(): void {
    this.closed = true;
    this.trim();
  }

  checkInvariants(): void {
    const needed = this.needed();
    // Sizes that are fractions add up inexactly.
    const inexact = 1e-6 * Math.max(1, needed);
    assert(Number.isSafeInteger(this.charged), () => `${this.charged} bytes are charged`);
    assert(needed <= this.charged + inexact, () => `${needed} bytes are needed, and ${this.charged} are charged`);
    const most = this.closed || needed === 0 ? 1 : 2 * stockOf(needed) + this.spare + 1;
    assert(this.charged <= needed + most + inexact, () => `${this.charged} bytes are charged, ${needed} are needed`);
    assert(this.relied === 0 && this.wanted === 0, 'A charge is said to be under way');
  }

  /** Shadows are charged as what is kept for reuse: nothing is reclaimed for them. */
  private makeShadows(): void {
    const { table } = this;
    if (table.evicted.isDue(table.evictions)) {
      if (this.mayKeep(table.evicted.missingBytes)) {
        table.evicted.allocate();
      } else {
        table.evicted.postpone(table.turnover);
      }
    }
  }

  private needed(): number {
    const { table, holds } = this;
    return (
      table.bytes +
      table.count * ENTRY_OVERHEAD +
      table.evicted.bytes +
      (holds.retiredBytes - holds.exemptBytes) +
      this.graveyard.reusableBytes
    );
  }

  private missing(bytes: number): number {
    return Math.ceil(this.needed() + bytes) - this.charged;
  }

  /** Charges what is missing, and a stock as far as there is room for it: nobody is reclaimed for a stock. */
  private charge(missing: number): boolean {
    const zone = this.zone ?? 'heap';
    const { relied, wanted } = this;
    const stock = stockOf(this.needed());
    this.relied = Math.max(0, this.charged - this.needed());
    try {
      for (;;) {
        const group = this.group.heir;
        const room = group.room(zone) - missing;
        // Where there is room, whoever reclaims does so for the process: then this cache gives its whole share.
        this.wanted = room < 0 ? missing : 0;
        const bytes = missing + Math.floor(Math.max(0, Math.min(stock, room)));
        try {
          group.charge(bytes, zone);
          this.charged += bytes;
          return true;
        } catch (error) {
          // What has ended while it was charged has an heir, up to the root, which never ends.
          if (!(ShrinkerError.is(error) && error.code === 'ERR_GROUP_OFFLINE' && group.isOffline)) {
            // A RangeError: more than can be counted.
            if (GroupLimitError.is(error) || error instanceof RangeError) {
              return false;
            }
            throw error;
          }
        }
      }
    } finally {
      this.relied = relied;
      this.wanted = wanted;
    }
  }

  private giveBack(keep: number): void {
    const surplus = this.charged - Math.ceil(this.needed() + keep);
    if (surplus > 0) {
      // First of all: a group that has ended gives it to its heir.
      this.group.uncharge(surplus, this.zone ?? 'heap');
      this.charged -= surplus;
    }
  }
}

/** Bytes that are charged in advance. */
function stockOf(needed: number): number {
  return Math.min(MAX_STOCK, Math.max(MIN_STOCK, Math.floor(needed / STOCK_SHARE)));
}

/** Bytes that there may ever be in the group. */
function capacityOf(lowest: MemoryGroup, zone: Zone): number {
  let capacity = Infinity;
  for (let group: MemoryGroup | null = lowest; group !== null; group = group.parent) {
    const { max } = group.limits;
    capacity = Math.min(capacity, typeof max === 'number' ? max : (max[zone] ?? Infinity));
  }
  return capacity;
}
