import { assert } from '@core/base';
import type { Bin } from './bin.js';

/** Bins that wait, linked to one another. */
export class BinList<K, V> implements Iterable<Bin<K, V>> {
  private first: Bin<K, V> | null = null;

  add(bin: Bin<K, V>): void {
    bin.next = this.first;
    if (this.first !== null) {
      this.first.prev = bin;
    }
    this.first = bin;
  }

  remove(bin: Bin<K, V>): void {
    const { next, prev } = bin;
    if (next !== null) {
      next.prev = prev;
    }
    if (prev === null) {
      assert(this.first === bin, 'Cannot remove a bin that does not wait');
      this.first = next;
    } else {
      prev.next = next;
    }
    bin.next = null;
    bin.prev = null;
  }

  *[Symbol.iterator](): IterableIterator<Bin<K, V>> {
    for (let bin = this.first; bin !== null; bin = bin.next) {
      yield bin;
    }
  }
}
