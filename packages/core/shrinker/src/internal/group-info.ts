/** Shrinkers in a unit: as many as a number has bits for the bit operators. */
export const UNIT_BITS = 32;

/**
 * The bits and deferred counts of 32 shrinkers, in one group and zone.
 *
 * Made by the first bit, or the first count, and kept until its group ends, so that it may be held while a walk sleeps.
 * An absent unit reads as zero.
 */
export class Unit {
  map = 0;
  deferred: number[] | null = null;
}

/** Makes units. Put in between for tests, which have it fail. */
export interface UnitSource {
  unit(): Unit;
}

/**
 * Which shrinkers have something in one group and zone, and what each of them has put off there.
 *
 * The units are reached through a secondary array that is replaced when it grows; units are never copied. So nobody
 * may keep the array across a callback or an await: every method fetches it anew. `summary` has a bit for each unit
 * that has one, so that a walk costs what is set.
 */
export class GroupInfo {
  units: (Unit | null)[] = [];
  summary: number[] = [];
  /** Units that have a bit. */
  live = 0;

  has(id: number): boolean {
    const at = id >>> 5;
    // An array read beyond its end is a slow property look-up.
    return at < this.units.length && ((this.units[at]?.map ?? 0) & (1 << (id & 31))) !== 0;
  }

  /** Sets the bit. */
  set(id: number, source: UnitSource): void {
    const at = id >>> 5;
    const unit = this.unitAt(at, source);
    if (unit.map === 0) {
      this.summary[at >>> 5] = (this.summary[at >>> 5] as number) | (1 << (at & 31));
      this.live++;
    }
    unit.map |= 1 << (id & 31);
  }

  clear(id: number): void {
    const at = id >>> 5;
    const unit = at < this.units.length ? this.units[at] : null;
    if (unit === null || unit === undefined || unit.map === 0) {
      return;
    }
    unit.map &= ~(1 << (id & 31));
    if (unit.map === 0) {
      this.summary[at >>> 5] = (this.summary[at >>> 5] as number) & ~(1 << (at & 31));
      this.live--;
    }
  }

  /** The first id from `from` on whose bit is set, or -1. O(1) for each 1,024 ids without a bit. */
  next(from: number): number {
    const { units, summary } = this;
    const first = from >>> 5;
    let word = first >>> 5;
    if (word >= summary.length) {
      return -1;
    }
    // By the summary, so that only units with a bit are looked at: each is a line of memory away.
    let left = (summary[word] as number) & (-1 << (first & 31));
    for (;;) {
      while (left !== 0) {
        const at = word * UNIT_BITS + lowestBit(left);
        const { map } = units[at] as Unit;
        const rest = at === first ? map & (-1 << (from & 31)) : map;
        if (rest !== 0) {
          return at * UNIT_BITS + lowestBit(rest);
        }
        left &= left - 1;
      }
      word++;
      if (word >= summary.length) {
        return -1;
      }
      left = summary[word] as number;
    }
  }

  deferredAt(id: number): number {
    const at = id >>> 5;
    return at < this.units.length ? (this.units[at]?.deferred?.[id & 31] ?? 0) : 0;
  }

  /** Takes on what was put off: whoever else begins a run before this one ends finds none. */
  takeDeferred(id: number): number {
    const count = this.deferredAt(id);
    if (count !== 0) {
      ((this.units[id >>> 5] as Unit).deferred as number[])[id & 31] = 0;
    }
    return count;
  }

  /** Returns all that is put off now. */
  addDeferred(id: number, count: number, source: UnitSource): number {
    if (count === 0) {
      return this.deferredAt(id);
    }
    const unit = this.unitAt(id >>> 5, source);
    const deferred = (unit.deferred ??= noneDeferred());
    const sum = (deferred[id & 31] as number) + count;
    deferred[id & 31] = sum;
    return sum;
  }

  /** Forgets all about a shrinker. */
  purge(id: number): void {
    this.clear(id);
    this.takeDeferred(id);
  }

  /** Calls back for each shrinker that has put anything off. O(units). */
  eachDeferred(callback: (id: number, count: number) => void): void {
    for (let at = 0; at < this.units.length; at++) {
      for (const [bit, count] of this.units[at]?.deferred?.entries() ?? []) {
        if (count !== 0) {
          callback(at * UNIT_BITS + bit, count);
        }
      }
    }
  }

  private unitAt(at: number, source: UnitSource): Unit {
    if (at >= this.units.length) {
      this.grow(at + 1);
    }
    let unit = this.units[at];
    if (unit === null || unit === undefined) {
      // Made first, and only then put where others look: when that fails nothing has changed.
      unit = source.unit();
      this.units[at] = unit;
    }
    return unit;
  }

  /** Replaces the arrays by larger ones. The units stay who they are, with their bits and counts. */
  private grow(length: number): void {
    const units = this.units.slice();
    while (units.length < length) {
      units.push(null);
    }
    const summary = this.summary.slice();
    while (summary.length * UNIT_BITS < length) {
      summary.push(0);
    }
    this.units = units;
    this.summary = summary;
  }
}

function noneDeferred(): number[] {
  const none: number[] = [];
  for (let bit = 0; bit < UNIT_BITS; bit++) {
    none.push(0);
  }
  return none;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
