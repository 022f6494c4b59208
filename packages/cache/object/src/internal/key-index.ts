import { assert } from '@core/base';
import { enlarged } from './enlarged.js';

// Not imported: an imported constant is read from a module cell each time.
const NO_SLOT = -1;
const GOLDEN = 0x9e3779b1;
/** Cells of the smallest table. */
const CELLS_MIN = 64;
/** Cells for each integer: as many when the table is made anew, and how many at least and at most until then. */
const CELLS = 2;
const FEW_CELLS = 1.6;
const MANY_CELLS = 16;
/** Two free cells, where nothing is found. */
const NO_CELLS: Int32Array = new Int32Array(4);
const NO_BIRTHS: Int32Array = new Int32Array(0);
/** With slots below 2^24, a birth and a slot fit into a double. */
const BIRTHS_MAX = 2 ** 29;
const SLOTS_MAX = 2 ** 24;

/**
 * The slots of keys, and the keys' order.
 *
 * Integers of 32 bits are in a table of pairs, key and slot, with linear probing: a find is one line of memory, mostly,
 * where a `Map` takes three, and half as many bytes. All other keys are in a `Map`. What is asked of a key by the `Map`
 * is what makes two keys the same; so it is here.
 *
 * A `Map` knows in which order its keys came. As soon as there are integers, births by slot say so.
 */
export class KeyIndex<K> {
  /** Keys by slot, of the owner; that of a slot without an entry is anything that has no slot, or another one. */
  private keys: readonly (K | undefined)[] = [];
  private readonly others: Map<K, number> = new Map();
  /** Pairs of a key and a slot; the slot plus one, 0 in a free cell. */
  private cells: Int32Array = NO_CELLS;
  private mask = 1;
  private shift = 31;
  private integers = 0;
  /** How many there may be before there are too few cells. */
  private integersMax = 0;
  /** By slot, from the first integer on; anything where there is no entry. */
  private births: Int32Array = NO_BIRTHS;
  private keepsBirths = false;
  private lastBirth = 0;
  private capacity = 0;

  get size(): number {
    return this.integers + this.others.size;
  }

  /** Bytes of the table and of births. */
  get bytes(): number {
    return this.cells.byteLength + this.births.byteLength;
  }

  /** Slots below `capacity` may be used, whose keys will be in `keys`. */
  grow(capacity: number, keys: readonly (K | undefined)[]): void {
    this.capacity = capacity;
    this.keys = keys;
    if (this.keepsBirths) {
      this.births = enlarged(this.births, new Int32Array(capacity));
    }
  }

  /** The slot of a key, or -1. */
  get(key: K): number {
    if (typeof key === 'number' && (key | 0) === key) {
      return this.getInteger(key);
    }
    const slot = this.others.get(key);
    return slot === undefined ? NO_SLOT : slot;
  }

  /** A key that is not in has a slot, from now on. */
  set(key: K, slot: number): void {
    if (typeof key === 'number' && (key | 0) === key) {
      this.setInteger(key, slot);
    } else {
      this.others.set(key, slot);
    }
    if (this.keepsBirths) {
      this.bear(slot);
    }
  }

  /** A key that is in leaves. */
  delete(key: K): void {
    if (typeof key === 'number' && (key | 0) === key) {
      this.deleteInteger(key);
    } else {
      this.others.delete(key);
    }
  }

  /** Slots in the order in which their keys came. Live: what is deleted before it is reached is not visited, what comes is. */
  *slots(): IterableIterator<number> {
    let born = 0;
    if (!this.keepsBirths) {
      for (const slot of this.others.values()) {
        yield slot;
        if (this.keepsBirths) {
          born = this.births[slot] as number;
          break;
        }
      }
    }
    for (let batch = this.bornAfter(born); batch.length > 0; batch = this.bornAfter(born)) {
      for (const packed of batch) {
        const slot = packed % SLOTS_MAX;
        born = Math.floor(packed / SLOTS_MAX);
        if (this.births[slot] === born && this.isUsed(slot)) {
          yield slot;
        }
      }
    }
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    const { cells, mask } = this;
    let integers = 0;
    for (let at = 0; 2 * at < cells.length; at++) {
      const slot = (cells[2 * at + 1] as number) - 1;
      if (slot !== NO_SLOT) {
        integers++;
        const key = cells[2 * at] as number;
        assert(this.get(key as K) === slot, () => `The key ${key} is in the table, and is not found there`);
        assert(this.keys[slot] === key, () => `The slot of ${key} has another key`);
      }
    }
    assert(integers === this.integers, () => `${integers} integers are in the table, and ${this.integers} are counted`);
    assert(integers <= this.integersMax && cells.length === 2 * (mask + 1), 'The table has another size');
    if (this.keepsBirths) {
      const born = new Set<number>();
      for (const slot of this.slots()) {
        const birth = this.births[slot] as number;
        assert(birth > 0 && birth <= this.lastBirth && !born.has(birth), 'A key was never born, or two at once');
        born.add(birth);
      }
      assert(born.size === this.size, () => `${born.size} keys were born, and there are ${this.size}`);
    }
  }

  private put(key: number, mark: number): void {
    const { cells, mask } = this;
    let at = homeOf(key, this.shift);
    while (cells[2 * at + 1] !== 0) {
      at = (at + 1) & mask;
    }
    cells[2 * at] = key;
    cells[2 * at + 1] = mark;
  }

  /** For so many integers. */
  private resize(integers: number): void {
    const old = this.cells;
    const bits = Math.ceil(Math.log2(Math.max(CELLS_MIN, CELLS * integers)));
    this.cells = new Int32Array(2 * 2 ** bits);
    this.mask = 2 ** bits - 1;
    this.shift = 32 - bits;
    this.integersMax = Math.floor(2 ** bits / FEW_CELLS);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) {
        this.put(old[at] as number, old[at + 1] as number);
      }
    }
    if (!this.keepsBirths) {
      this.bearAll();
    }
  }
  private getInteger(key: number): number {
    const { cells, mask } = this;
    for (let at = homeOf(key, this.shift); ; at = (at + 1) & mask) {
      const slot = cells[2 * at + 1] as number;
      if (slot === 0 || cells[2 * at] === key) {
        return slot - 1;
      }
    }
  }

  private setInteger(key: number, slot: number): void {
    if (this.integers === this.integersMax) {
      this.resize(this.integers + 1);
    }
    this.integers++;
    this.put(key, slot + 1);
  }

  private deleteInteger(key: number): void {
    const { cells, mask } = this;
    let hole = homeOf(key, this.shift);
    while (cells[2 * hole] !== key || cells[2 * hole + 1] === 0) {
      hole = (hole + 1) & mask;
    }
    // What stands behind it, and would not be found across a free cell, moves up.
    for (let at = (hole + 1) & mask; cells[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const other = cells[2 * at] as number;
      const home = homeOf(other, this.shift);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        cells[2 * hole] = other;
        cells[2 * hole + 1] = cells[2 * at + 1] as number;
        hole = at;
      }
    }
    cells[2 * hole + 1] = 0;
    this.integers--;
    if (this.integers * 2 * MANY_CELLS < cells.length && cells.length > 2 * CELLS_MIN) {
      this.resize(this.integers);
    }
  }

  private isUsed(slot: number): boolean {
    return this.get(this.keys[slot] as K) === slot;
  }

  private bear(slot: number): void {
    if (this.lastBirth === BIRTHS_MAX) {
      this.renumber();
    }
    this.births[slot] = ++this.lastBirth;
  }

  /** Those that are in, in the order of the `Map`. */
  private bearAll(): void {
    this.births = new Int32Array(this.capacity);
    this.keepsBirths = true;
    for (const slot of this.others.values()) {
      this.bear(slot);
    }
  }

  /** Births in order, from 1 on. An iteration that is under way meanwhile, for 2^29 births, goes astray. */
  private renumber(): void {
    const all = this.bornAfter(0);
    this.lastBirth = 0;
    for (const packed of all) {
      this.births[packed % SLOTS_MAX] = ++this.lastBirth;
    }
  }

  /** Births after that one, each times 2^24 plus its slot, in order. O(capacity). */
  private bornAfter(birth: number): Float64Array {
    const { births } = this;
    const found = new Float64Array(this.size);
    let count = 0;
    if (birth < this.lastBirth) {
      for (let slot = 0; slot < births.length; slot++) {
        if ((births[slot] as number) > birth && this.isUsed(slot)) {
          found[count++] = (births[slot] as number) * SLOTS_MAX + slot;
        }
      }
    }
    return found.subarray(0, count).sort();
  }
}

/** The cell where the search for a key begins: the high bits of a product, as Fibonacci hashing has it. */
function homeOf(key: number, shift: number): number {
  return Math.imul(key, GOLDEN) >>> shift;
}
