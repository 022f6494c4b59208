import type { EvictionPolicyName } from '../../src/index.js';
import { hashKey } from '../../src/internal/hash-key.js';

/** An entry as a plain policy sees it: `uses` are those that it has not seen yet. */
export interface PlainEntry {
  readonly key: number;
  uses: number;
}

/** What a policy does, in the plainest way: arrays, oldest first, and maps of what was evicted. */
export interface PlainPolicy {
  readonly markMax: number;
  /** All entries, in the policy's own order. */
  readonly entries: PlainEntry[];
  insert(entry: PlainEntry): void;
  remove(entry: PlainEntry): void;
  /** The next to go, or undefined. */
  hand(): PlainEntry | undefined;
  spare(entry: PlainEntry): void;
  evict(entry: PlainEntry): void;
  use(entry: PlainEntry): void;
  /** Memory is short. */
  forget(): void;
  /** It may remember again. */
  remember(): void;
}

function drop<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) {
    list.splice(at, 1);
  }
  return at >= 0;
}

abstract class OneList implements PlainPolicy {
  abstract readonly markMax: number;
  readonly entries: PlainEntry[] = [];
  insert(entry: PlainEntry): void {
    this.entries.push(entry);
  }
  remove(entry: PlainEntry): void {
    drop(this.entries, entry);
  }
  hand(): PlainEntry | undefined {
    return this.entries[0];
  }
  spare(entry: PlainEntry): void {
    entry.uses = 0;
    this.toEnd(entry);
  }
  evict(entry: PlainEntry): void {
    this.remove(entry);
  }
  use(entry: PlainEntry): void {
    entry.uses = Math.min(entry.uses + 1, this.markMax);
  }
  forget(): void {}
  remember(): void {}
  protected toEnd(entry: PlainEntry): void {
    drop(this.entries, entry);
    this.entries.push(entry);
  }
}

class PlainSecondChance extends OneList {
  readonly markMax = 1;
}

class PlainLru extends OneList {
  readonly markMax = 0;
  override use(entry: PlainEntry): void {
    if (this.entries.includes(entry)) {
      this.toEnd(entry);
    }
  }
}

class PlainSieve extends OneList {
  readonly markMax = 1;
  private at: PlainEntry | undefined;
  override hand(): PlainEntry | undefined {
    return this.at ?? this.entries[0];
  }
  override remove(entry: PlainEntry): void {
    if (entry === this.at) {
      this.at = this.after(entry);
    }
    drop(this.entries, entry);
  }
  override spare(entry: PlainEntry): void {
    entry.uses = 0;
    this.at = this.after(entry);
  }
  override evict(entry: PlainEntry): void {
    this.at = this.after(entry);
    drop(this.entries, entry);
  }
  private after(entry: PlainEntry): PlainEntry | undefined {
    return this.entries[this.entries.indexOf(entry) + 1];
  }
}

/** Evicted keys, with the list that they left and the number of that list's evictions before. */
class PlainShadows {
  on = false;
  private readonly evictions = [0, 0];
  private readonly left = new Map<number, { readonly list: number; readonly nth: number }>();

  add(list: 0 | 1, key: number): void {
    if (this.on) {
      this.evictions[list]!++;
      this.left.set(hashKey(key), { list, nth: this.evictions[list]! });
    }
  }

  take(key: number): { readonly list: number; readonly distance: number } | undefined {
    const found = this.left.get(hashKey(key));
    this.left.delete(hashKey(key));
    return found === undefined
      ? undefined
      : { list: found.list, distance: (this.evictions[found.list] as number) - found.nth };
  }

  clear(): void {
    this.on = false;
    this.left.clear();
    this.evictions.fill(0);
  }
}

abstract class TwoLists implements PlainPolicy {
  abstract readonly markMax: number;
  protected readonly first: PlainEntry[] = [];
  protected readonly second: PlainEntry[] = [];
  protected readonly shadows = new PlainShadows();
  get entries(): PlainEntry[] {
    return [...this.first, ...this.second];
  }
  abstract insert(entry: PlainEntry): void;
  abstract hand(): PlainEntry | undefined;
  abstract spare(entry: PlainEntry): void;
  abstract evict(entry: PlainEntry): void;
  remove(entry: PlainEntry): void {
    if (!drop(this.first, entry)) {
      drop(this.second, entry);
    }
  }
  use(entry: PlainEntry): void {
    entry.uses = Math.min(entry.uses + 1, this.markMax);
  }
  forget(): void {
    this.shadows.clear();
  }
  remember(): void {
    this.shadows.on = true;
  }
}

class PlainS3Fifo extends TwoLists {
  readonly markMax = 3;
  insert(entry: PlainEntry): void {
    const found = this.shadows.take(entry.key);
    const refaults = found !== undefined && found.distance <= this.entries.length - this.share();
    (refaults ? this.second : this.first).push(entry);
  }
  hand(): PlainEntry | undefined {
    const { first, second } = this;
    if (first.length === 0 || (second.length > 0 && first.length < this.share())) {
      return second[0];
    }
    if (first[0]!.uses < 2) {
      first[0]!.uses = 0;
    }
    return first[0];
  }
  spare(entry: PlainEntry): void {
    if (drop(this.first, entry)) {
      entry.uses = 0;
    } else {
      drop(this.second, entry);
      entry.uses--;
    }
    this.second.push(entry);
  }
  evict(entry: PlainEntry): void {
    if (drop(this.first, entry)) {
      this.shadows.add(0, entry.key);
    } else {
      drop(this.second, entry);
    }
  }
  private share(): number {
    return Math.max(1, Math.floor(this.entries.length / 10));
  }
}

class PlainWorkingset extends TwoLists {
  readonly markMax = 2;
  private target = 0;
  private full = 0;
  private readonly gone = [0, 0];
  private last = 0;
  private row = 0;
  private useless = 0;
  insert(entry: PlainEntry): void {
    const found = this.shadows.take(entry.key);
    const refaults = found !== undefined && found.distance <= this.full;
    if (refaults) {
      this.learn(found.list);
    }
    const thrashes = found?.list === 1 && this.useless > this.full;
    ((refaults && !thrashes) || entry.uses > 0 ? this.second : this.first).push(entry);
  }
  hand(): PlainEntry | undefined {
    const { first, second } = this;
    this.full = this.entries.length;
    this.target = Math.min(this.target, this.full);
    const target = this.shadows.on ? this.target : this.full / 2;
    const room = this.full - this.full * 0.05 - target - 1;
    for (let waits = 0; ; waits++) {
      if (first.length === 0 || (second.length > 0 && first.length < Math.max(1, target))) {
        return second[0];
      }
      if (waits === 16 || second.length >= room) {
        return first[0];
      }
      second.unshift(first.shift()!);
    }
  }
  spare(entry: PlainEntry): void {
    drop(this.second, entry);
    this.useless = 0;
    entry.uses--;
    this.second.push(entry);
  }
  evict(entry: PlainEntry): void {
    const list = drop(this.first, entry) ? 0 : 1;
    this.useless += list;
    drop(this.second, entry);
    this.shadows.add(list, entry.key);
    this.gone[list] = Math.min(this.gone[list]! + 1, this.full);
  }
  override use(entry: PlainEntry): void {
    if (drop(this.first, entry)) {
      this.second.push(entry);
    } else {
      super.use(entry);
    }
  }
  private learn(list: number): void {
    this.row = list === this.last ? this.row + 1 : 0;
    this.last = list;
    const ratio = this.gone[1 - list]! / Math.max(1, this.gone[list]!);
    const step = Math.min(4, 1 + this.row / 8) * Math.max(1, ratio);
    this.target = list === 0 ? Math.min(this.full, this.target + step) : Math.max(0, this.target - step);
    this.gone[list] = Math.max(0, this.gone[list]! - 1);
  }
}

const PLAIN: Readonly<Record<EvictionPolicyName, new () => PlainPolicy>> = {
  'second-chance': PlainSecondChance,
  sieve: PlainSieve,
  's3-fifo': PlainS3Fifo,
  workingset: PlainWorkingset,
  lru: PlainLru,
};

export function plainPolicy(name: EvictionPolicyName): PlainPolicy {
  return new PLAIN[name]();
}
