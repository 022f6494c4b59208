import { assert } from '@core/base';
import { GroupLimitError, type MemoryGroup, ShrinkerError, type Zone } from '@core/shrinker';

/** Bytes charged in advance: a share of what is needed, within these. */
const STOCK_SHARE = 16;
const MIN_STOCK = 4096;
const MAX_STOCK = 65_536;
/** What a charge calls may change everything under it: so it is looked at again, but not for ever. */
const MAX_ROUNDS = 8;

/**
 * What is charged to a memory group: never less than is needed, and mostly a stock more, so that most changes are not
 * charges. What waits for readers is not charged: nothing can be done about it.
 *
 * `reserve` may run anything, this cache's own scan included: so it comes before a change, never in the middle of one.
 *
 * @see Linux mm/memcontrol.c, try_charge_memcg and the stock of each processor
 */
export class GroupLedger {
  charged = 0;
  private readonly group: MemoryGroup;
  private readonly zone: Zone;
  private readonly needed: () => number;

  constructor(group: MemoryGroup, zone: Zone, needed: () => number) {
    this.group = group;
    this.zone = zone;
    this.needed = needed;
  }

  /** Who has the bytes now. */
  get owner(): MemoryGroup {
    return this.group.heir;
  }

  /** Charges so much more than is needed now, unless it is charged already. @returns whether it is */
  reserve(bytes: number): boolean {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const missing = this.needed() + bytes - this.charged;
      if (missing <= 0) {
        return true;
      }
      if (!this.charge(missing)) {
        break;
      }
    }
    return this.needed() + bytes <= this.charged;
  }

  /** Something has left: of two stocks, one is given back. */
  trim(): void {
    const needed = this.needed();
    const stock = stockOf(needed);
    if (this.charged - needed > 2 * stock) {
      this.giveBack(stock);
    }
  }

  /** Memory is short, or nothing comes any more: the stock goes. */
  drain(): void {
    this.giveBack(0);
  }

  checkInvariants(): void {
    const needed = this.needed();
    assert(this.charged >= needed, () => `${needed} bytes are needed, and ${this.charged} are charged`);
    assert(this.charged <= needed + 3 * stockOf(needed), () => `${this.charged} bytes are charged for ${needed}`);
  }

  private charge(missing: number): boolean {
    for (;;) {
      const group = this.group.heir;
      const stock = stockOf(this.needed());
      // Nobody is reclaimed for a stock.
      const bytes = missing + (group.room(this.zone) >= missing + stock ? stock : 0);
      try {
        group.charge(bytes, this.zone);
        this.charged += bytes;
        return true;
      } catch (error) {
        // A group that has ended while it was charged has an heir, up to the root, which never ends.
        if (!(ShrinkerError.is(error) && error.code === 'ERR_GROUP_OFFLINE' && group.isOffline)) {
          if (GroupLimitError.is(error)) {
            return false;
          }
          throw error;
        }
      }
    }
  }

  private giveBack(keep: number): void {
    const surplus = this.charged - this.needed() - keep;
    if (surplus > 0) {
      this.group.uncharge(surplus, this.zone);
      this.charged -= surplus;
    }
  }
}

function stockOf(needed: number): number {
  return Math.min(MAX_STOCK, Math.max(MIN_STOCK, Math.floor(needed / STOCK_SHARE)));
}
