/**
 * A growable array whose first elements have their place from the start, and whose places stay when elements go: up to
 * `inline` elements nothing is allocated.
 *
 * @see fs/bcachefs/darray.h
 */
export class DArray<T> implements Iterable<T> {
  private items: (T | undefined)[];
  private count = 0;

  /**
   * @param inline places made in advance
   * @throws {TypeError} it is no number
   * @throws {RangeError} it is no integer of 0 or more
   */
  constructor(inline = 4) {
    if (typeof inline !== 'number') {
      throw new TypeError('Cannot create a DArray with options: pass the number of places to make in advance');
    }
    if (!Number.isInteger(inline) || inline < 0) {
      throw new RangeError(`Cannot make ${inline} places in advance: it must be an integer of 0 or more`);
    }
    this.items = Array.from<T | undefined>({ length: inline }).fill(undefined);
  }

  get length(): number {
    return this.count;
  }

  /** Places there are, used or not. */
  get capacity(): number {
    return this.items.length;
  }

  /** What is at `index`, or `undefined`. No negative indices. */
  at(index: number): T | undefined {
    return index < this.count ? this.items[index] : undefined;
  }

  /** O(1) amortised. @returns the new length */
  push(value: T): number {
    if (this.count === this.items.length) {
      this.items.push(value);
    } else {
      this.items[this.count] = value;
    }
    return ++this.count;
  }

  pop(): T | undefined {
    return this.count === 0 ? undefined : this.removeAt(this.count - 1);
  }

  /** Takes out one element and closes the gap, O(length - index); `undefined` when there is none at `index`. */
  removeAt(index: number): T | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      return undefined;
    }
    const { items } = this;
    const value = items[index];
    this.count--;
    for (let gap = index; gap < this.count; gap++) {
      items[gap] = items[gap + 1];
    }
    items[this.count] = undefined;
    return value;
  }

  /** Lets go of every element; the places stay. */
  clear(): void {
    this.items.fill(undefined);
    this.count = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let index = 0; index < this.count; index++) {
      yield this.items[index] as T;
    }
  }
}
