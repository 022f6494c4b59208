import { assert } from '@core/base';
import type { Buf } from '../buf.js';
import type { FileState } from './file-state.js';

const CAPACITY_MIN = 64;

/**
 * Finds the buffer of a file's block: open addressing with linear probing, at most half full.
 *
 * A look-up allocates nothing and reads one array and the buffers that it meets. Deletion moves what follows back, so
 * there are no tombstones.
 */
export class BlockIndex {
  private table: (Buf | null)[] = emptyTable(CAPACITY_MIN);
  private mask: number = CAPACITY_MIN - 1;
  private size = 0;

  get count(): number {
    return this.size;
  }

  find(file: FileState, block: number): Buf | null {
    const { table, mask } = this;
    let at = hashOf(file.id, block) & mask;
    for (;;) {
      const buf = table[at] as Buf | null;
      if (buf === null || (buf.block === block && buf.file === file)) {
        return buf;
      }
      at = (at + 1) & mask;
    }
  }

  /** Its file and block must be set, and nobody else may have them. */
  insert(buf: Buf): void {
    if (2 * (this.size + 1) > this.table.length) {
      this.rehash(2 * this.table.length);
    }
    this.size++;
    this.place(buf);
  }

  /** The buffer must be in the index. */
  delete(buf: Buf): void {
    const { table, mask } = this;
    let hole = homeOf(buf) & mask;
    while (table[hole] !== buf) {
      assert(table[hole] !== null, 'Cannot take a buffer out of the index: it is not in it');
      hole = (hole + 1) & mask;
    }
    // Whoever comes after the hole, and could not be found across it, moves into it.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const next = table[at] as Buf | null;
      if (next === null) {
        break;
      }
      if (((at - homeOf(next)) & mask) >= ((at - hole) & mask)) {
        table[hole] = next;
        hole = at;
      }
    }
    table[hole] = null;
    this.size--;
  }

  checkInvariants(): void {
    let count = 0;
    for (const buf of this.table) {
      if (buf !== null) {
        count++;
        assert(buf.file !== null && this.find(buf.file, buf.block) === buf, 'A buffer is not found by its block');
      }
    }
    assert(count === this.size, () => `${count} buffers are indexed, and ${this.size} counted`);
  }

  private place(buf: Buf): void {
    const { table, mask } = this;
    let at = homeOf(buf) & mask;
    while (table[at] !== null) {
      at = (at + 1) & mask;
    }
    table[at] = buf;
  }

  private rehash(capacity: number): void {
    const old = this.table;
    this.table = emptyTable(capacity);
    this.mask = capacity - 1;
    for (const buf of old) {
      if (buf !== null) {
        this.place(buf);
      }
    }
  }
}

function homeOf(buf: Buf): number {
  return hashOf((buf.file as FileState).id, buf.block);
}

/** Scattered, or else the runs of blocks of two files that overlap in the table would have to be walked over. */
function hashOf(fileId: number, block: number): number {
  const mixed = Math.imul(block ^ Math.imul(fileId, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function emptyTable(capacity: number): (Buf | null)[] {
  return Array.from({ length: capacity }, () => null);
}
