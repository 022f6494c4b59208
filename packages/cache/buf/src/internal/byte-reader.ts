import type { FileOwner } from '../buf-file.js';
import type { BlockIndex } from './block-index.js';
import type { BlockStore } from './block-store.js';
import type { FileState } from './file-state.js';
import type * as flags from './flags.js';
import type { Reader } from './reader.js';

// Imported constants are read from a module cell each time; the types see to it that these agree.
const DONE: typeof flags.DONE = 1;
const STALE: typeof flags.STALE = 2;
const READ_AHEAD: typeof flags.READ_AHEAD = 8;
const LOCKED: typeof flags.LOCKED = 64;
/** Of a buffer that can be read, and asks for nothing else, only DONE is set. */
const PLAIN = DONE | STALE | READ_AHEAD | LOCKED;

/** Short copies are quicker byte by byte than through a view. */
const SHORT_COPY = 48;

/**
 * Reads of a file by bytes: copies, which show no buffer to anybody, and need no grace period.
 *
 * Ranges are those of a buffer and of a file: whoever calls has checked them.
 */
export class ByteReader {
  private readonly state: FileState;
  private readonly store: BlockStore;
  private readonly index: BlockIndex;
  private readonly reader: Reader;
  private readonly owner: FileOwner;
  private readonly blockBytes: number;

  constructor(state: FileState, store: BlockStore, reader: Reader, owner: FileOwner) {
    this.state = state;
    this.store = store;
    this.index = store.index;
    this.reader = reader;
    this.owner = owner;
    this.blockBytes = store.blockBytes;
  }

  /** @returns bytes copied: fewer than asked only where the file ends */
  read(target: Uint8Array, offset: number, length: number, position: number): number | Promise<number> {
    if (this.readBlock(target, offset, length, position)) {
      return length;
    }
    const done = this.copyCached(target, offset, length, position);
    if (done === this.lengthOf(length, position)) {
      this.owner.hits++;
      return done;
    }
    this.owner.misses++;
    return this.readRest(target, offset, length, position, done);
  }

  /** As {@link read}, at once. */
  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    if (this.readBlock(target, offset, length, position)) {
      return length;
    }
    let done = this.copyCached(target, offset, length, position);
    if (done === this.lengthOf(length, position)) {
      this.owner.hits++;
      return done;
    }
    this.owner.misses++;
    while (done < this.lengthOf(length, position)) {
      const first = Math.floor((position + done) / this.blockBytes);
      const buf = this.reader.readSync(this.state, first, this.blocksTo(position + length) - first);
      done += this.copyCached(target, offset + done, length - done, position + done);
      this.store.release(buf);
    }
    return done;
  }

  /** Bytes of the range that are in the file, as far as is known. */
  lengthOf(length: number, position: number): number {
    return Math.max(0, Math.min(length, this.state.end - position));
  }

  /** How many blocks there are up to a position. */
  blocksTo(position: number): number {
    return Math.ceil(position / this.blockBytes);
  }

  /** The whole of a block, which most programs read: all that the general way would find out is known then. */
  private readBlock(target: Uint8Array, offset: number, length: number, position: number): boolean {
    const { state, blockBytes } = this;
    const block = position / blockBytes;
    // An index needs no other test for being an integer: no buffer has any other.
    const buf = length === blockBytes && position + length <= state.end ? this.index.find(state, block) : null;
    if (buf === null || (buf.flags & PLAIN) !== DONE) {
      return false;
    }
    target.set(buf.bytes, offset);
    buf.lruRef = buf.typeRef;
    state.readahead.last = block;
    this.owner.hits++;
    return true;
  }

  private async readRest(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
    cached: number,
  ): Promise<number> {
    let done = cached;
    while (done < this.lengthOf(length, position)) {
      const first = Math.floor((position + done) / this.blockBytes);
      const buf = await this.reader.read(this.state, first, this.blocksTo(position + length) - first);
      done += this.copyCached(target, offset + done, length - done, position + done);
      this.store.release(buf);
    }
    return done;
  }

  /** Copies until a block is missing, or locked. */
  private copyCached(target: Uint8Array, offset: number, length: number, position: number): number {
    const { state, index, blockBytes } = this;
    const wanted = this.lengthOf(length, position);
    let done = 0;
    while (done < wanted) {
      const at = position + done;
      const block = Math.floor(at / blockBytes);
      const buf = index.find(state, block);
      if (buf === null || (buf.flags & (DONE | STALE | LOCKED)) !== DONE) {
        return done;
      }
      const skip = at - block * blockBytes;
      const bytes = Math.min(blockBytes - skip, wanted - done);
      copy(buf.bytes, skip, target, offset + done, bytes);
      done += bytes;
      buf.lruRef = buf.typeRef;
      state.readahead.last = block;
      if ((buf.flags & READ_AHEAD) !== 0) {
        this.reader.accessed(state, buf);
      }
    }
    return done;
  }
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, bytes: number): void {
  if (bytes === source.length) {
    target.set(source, to);
  } else if (bytes <= SHORT_COPY) {
    for (let index = 0; index < bytes; index++) {
      target[to + index] = source[from + index] as number;
    }
  } else {
    target.set(source.subarray(from, from + bytes), to);
  }
}
