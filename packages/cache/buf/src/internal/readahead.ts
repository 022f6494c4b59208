/** The first window of a sequential reader, in blocks. */
const FIRST_BLOCKS = 4;

/**
 * What to read before it is asked for, of one open file.
 *
 * A reader is sequential when it misses the block after the last one that it read, or begins at the file's start. The
 * window doubles each time, up to a maximum. One of its blocks is marked: when that is read, the next window is begun in
 * the background, so that a reader who keeps to his way seldom waits. It is the middle one of the first window, and the
 * first one of each later window: then half of what has been read ahead, the window before, is consumed, and the other
 * half is there or on its way. A miss anywhere else ends it.
 *
 * @see Linux mm/readahead.c, page_cache_ra_order and ondemand readahead
 */
export class Readahead {
  /** The last block that was read, or -1. */
  last = -1;
  /** The marked block of the window that was begun last, or -1. */
  mark = -1;
  private readonly maxBlocks: number;
  /** The window that was begun last: its size, 0 for none, and the block after it. */
  private blocks = 0;
  private end = 0;

  /** @param maxBlocks the largest window; 0 turns readahead off */
  constructor(maxBlocks: number) {
    this.maxBlocks = maxBlocks;
  }

  /** A read of `wanted` blocks misses this one. @returns how many blocks to read, those that are wanted among them */
  missed(block: number, wanted: number): number {
    const { maxBlocks } = this;
    if (maxBlocks === 0 || !(block === this.last + 1 || block === 0 || block === this.end)) {
      this.blocks = 0;
      this.end = -1;
      this.mark = -1;
      return wanted;
    }
    this.blocks = Math.min(maxBlocks, this.blocks === 0 ? Math.max(FIRST_BLOCKS, 2 * wanted) : 2 * this.blocks);
    this.end = block + Math.max(this.blocks, wanted);
    this.mark = this.end - Math.ceil(this.blocks / 2);
    return this.end - block;
  }

  /** The marked block is read. @returns the next window, from its first block up to, not including, its last */
  next(): { readonly first: number; readonly last: number } {
    const first = this.end;
    this.blocks = Math.min(this.maxBlocks, 2 * this.blocks);
    this.end = first + this.blocks;
    this.mark = first;
    return { first, last: this.end };
  }
}
