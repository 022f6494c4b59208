import { type Buf, isReadable } from '../buf.js';
import { BufError } from '../buf-error.js';
import type { BlockStore } from './block-store.js';
import { checkGate, checkOpen, type FileState } from './file-state.js';
import { ASYNC, DONE, LOCKED, READ_AHEAD, READING, STALE } from './flags.js';
import { BlockFlight, viewsOf } from './flight.js';
import type { Writer } from './writer.js';

/** Blocks of one read at most: as many buffers as `preadv(2)` takes. */
const MAX_VECTOR = 1024;

/**
 * Brings blocks into the cache. What it returns is held.
 *
 * A block is read once, however many want it: it is in the index while it is read, and who finds it there waits. A read
 * of several blocks that fails, or that was begun ahead, is tried again with the one block that is asked for: nobody
 * hears of errors of blocks that he did not want.
 */
export class Reader {
  reads = 0;
  readBlocks = 0;
  readAheads = 0;
  private readonly store: BlockStore;
  private readonly writer: Writer;

  constructor(store: BlockStore, writer: Writer) {
    this.store = store;
    this.writer = writer;
  }

  /**
   * The block, held. So many blocks are wanted from there on: they are read together, and not held.
   *
   * @throws what the source throws; {@link BufError} `ERR_BUF_CLOSED`, `ERR_BUF_FULL`
   */
  async read(file: FileState, block: number, wanted: number): Promise<Buf> {
    const { store } = this;
    let alone = false;
    for (;;) {
      while (file.gate !== null) {
        await file.gate;
      }
      checkOpen(file);
      const buf = this.find(file, block) ?? this.begin(file, block, wanted, alone);
      if (buf === null) {
        await this.room();
        continue;
      }
      const { flight } = buf;
      let isReady = false;
      if ((buf.flags & READING) !== 0 && flight !== null) {
        const isAsync = (buf.flags & ASYNC) !== 0;
        await flight.ended;
        if (flight.failed) {
          if (flight.count === 1 && !isAsync) {
            store.release(buf);
            throw flight.error;
          }
          alone = true;
        }
      } else if ((buf.flags & LOCKED) !== 0) {
        await buf.lock();
        // Looked at before it is passed on: readers who hand it to one another would never see it free.
        isReady = (buf.flags & (DONE | STALE)) === DONE;
        buf.unlock();
      }
      if (isReady || isReadable(buf)) {
        this.accessed(file, buf);
        return buf;
      }
      store.release(buf);
    }
  }

  /**
   * As {@link read}, at once. A read of the block that is in flight is left to those who wait for it.
   *
   * @throws {BufError} `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` besides
   */
  readSync(file: FileState, block: number, wanted: number): Buf {
    for (;;) {
      checkOpen(file);
      let buf = this.find(file, block);
      if (buf !== null && (buf.flags & READING) !== 0) {
        this.store.stale(buf);
        this.store.release(buf);
        buf = null;
      }
      if (buf === null) {
        checkGate(file, 'read');
        buf = this.fillSync(file, block, wanted);
      }
      if (isReadable(buf)) {
        buf.lruRef = buf.typeRef;
        file.readahead.last = block;
        return buf;
      }
      this.store.release(buf);
      if ((buf.flags & LOCKED) !== 0) {
        throw new BufError(
          'ERR_BUF_LOCKED',
          `Cannot read block ${block} synchronously: somebody has locked it; use the asynchronous call`,
        );
      }
    }
  }

  /**
   * A buffer of zeros for a block that is to be overwritten as a whole, or lies behind the end; or the block, if it is
   * there by now. Held. Null: no room.
   */
  blank(file: FileState, block: number): Buf | null {
    const { store } = this;
    const buf = store.tryTake();
    if (buf === null) {
      return null;
    }
    const there = this.find(file, block);
    if (there !== null) {
      // Somebody was quicker, when memory was charged.
      store.giveBack(buf);
      return there;
    }
    buf.bytes.fill(0);
    store.insert(buf, file, block);
    buf.flags |= DONE;
    return buf;
  }

  /** What a reader does to a buffer that it has found, beside looking at it. */
  accessed(file: FileState, buf: Buf): void {
    buf.lruRef = buf.typeRef;
    file.readahead.last = buf.block;
    if ((buf.flags & READ_AHEAD) !== 0) {
      buf.flags &= ~READ_AHEAD;
      this.readAhead(file);
    }
  }

  /**
   * Waits until there may be room for a block.
   *
   * @throws {BufError} `ERR_BUF_FULL`: nothing is under way that would make any
   */
  async room(): Promise<void> {
    const { store, writer } = this;
    if (store.pending.count === 0 && !writer.isBusy()) {
      throw fullError(store);
    }
    writer.kick();
    await store.whenRoom();
  }

  /** Makes room for a block now, by writing what can be written. */
  roomSync(): void {
    if (!this.writer.writeSomeSync()) {
      throw fullError(this.store);
    }
  }

  /** The block if it is in the index, readable or not; held. */
  find(file: FileState, block: number): Buf | null {
    const buf = this.store.index.find(file, block);
    if (buf !== null) {
      this.store.hold(buf);
    }
    return buf;
  }

  /** Begins to read a block that is not there, and what should be read with it. Null: no room. */
  private begin(file: FileState, block: number, wanted: number, alone: boolean): Buf | null {
    if (!isInside(file, block)) {
      return this.blank(file, block);
    }
    const { readahead } = file;
    this.launch(file, block, alone ? 1 : readahead.missed(block, wanted), 0);
    if (!alone) {
      this.mark(file);
    }
    return this.find(file, block);
  }

  /** The marked block was read: begins the next window. Takes only what room there is. */
  private readAhead(file: FileState): void {
    if (file.gate !== null || file.closed) {
      return;
    }
    const { first, last } = file.readahead.next();
    for (let block = first; block < last && isInside(file, block);) {
      if (this.store.index.find(file, block) !== null) {
        block++;
        continue;
      }
      const flight = this.launch(file, block, last - block, ASYNC);
      if (flight === null) {
        return;
      }
      this.readAheads++;
      block += flight.count;
    }
    this.mark(file);
  }

  private mark(file: FileState): void {
    const marked = this.store.index.find(file, file.readahead.mark);
    if (marked !== null) {
      marked.flags |= READ_AHEAD;
    }
  }

  private launch(file: FileState, block: number, wanted: number, flags: number): BlockFlight | null {
    const bufs = this.gather(file, block, wanted, flags);
    if (bufs.length === 0) {
      return null;
    }
    const flight = new BlockFlight(file, bufs);
    flight.ended = this.fly(flight);
    return flight;
  }

  /** Takes buffers for the blocks from `block` on, as far as they are not there and there is room. */
  private gather(file: FileState, block: number, wanted: number, flags: number): Buf[] {
    const { store } = this;
    const most = Math.min(wanted, MAX_VECTOR);
    let missing = 0;
    while (missing < most && isInside(file, block + missing) && store.index.find(file, block + missing) === null) {
      missing++;
    }
    const bufs = store.takeUpTo(missing);
    for (let at = 0; at < bufs.length; at++) {
      const buf = bufs[at] as Buf;
      if (store.index.find(file, block + at) !== null) {
        // Somebody was quicker, when memory was charged.
        for (const spare of bufs.splice(at)) {
          store.giveBack(spare);
        }
        break;
      }
      store.insert(buf, file, block + at);
      buf.flags |= READING | flags;
    }
    this.reads += bufs.length > 0 ? 1 : 0;
    this.readBlocks += bufs.length;
    file.reading += bufs.length;
    this.writer.runner.inFlight += bufs.length;
    return bufs;
  }

  private async fly(flight: BlockFlight): Promise<void> {
    const { file, bufs } = flight;
    const { position, length } = extentOf(file, bufs);
    let got = 0;
    try {
      while (got < length && position + got < file.end) {
        const read = await file.source.read(restOf(bufs, got), position + got);
        if (!(read > 0)) {
          break;
        }
        got += read;
      }
    } catch (error) {
      flight.failed = true;
      flight.error = error;
    }
    flight.over = true;
    this.land(file, bufs, got, flight.failed);
  }

  private fillSync(file: FileState, block: number, wanted: number): Buf {
    for (let alone = false; ;) {
      const buf = isInside(file, block) ? this.fillInside(file, block, wanted, alone) : this.blank(file, block);
      if (buf === undefined) {
        alone = true;
      } else if (buf === null) {
        this.roomSync();
      } else {
        return buf;
      }
    }
  }

  /** Reads at once. Undefined: a read of several blocks has failed; null: no room. */
  private fillInside(file: FileState, block: number, wanted: number, alone: boolean): Buf | null | undefined {
    const bufs = this.gather(file, block, alone ? 1 : file.readahead.missed(block, wanted), 0);
    const [first] = bufs;
    if (first === undefined) {
      return this.find(file, block);
    }
    const { position, length } = extentOf(file, bufs);
    let got = 0;
    this.store.hold(first);
    try {
      while (got < length && position + got < file.end) {
        const read = file.source.readSync(restOf(bufs, got), position + got);
        if (!(read > 0)) {
          break;
        }
        got += read;
      }
    } catch (error) {
      this.land(file, bufs, got, true);
      this.store.release(first);
      if (bufs.length > 1) {
        return undefined;
      }
      throw error;
    }
    this.land(file, bufs, got, false);
    if ((first.flags & STALE) !== 0) {
      // It lies behind the end, as is known now.
      this.store.release(first);
      return this.blank(file, block);
    }
    return first;
  }

  /** A read has ended, after so many bytes. */
  private land(file: FileState, bufs: readonly Buf[], got: number, failed: boolean): void {
    const { store } = this;
    const { blockBytes } = store;
    const { position } = extentOf(file, bufs);
    const last = bufs[Math.floor(got / blockBytes)];
    // A read whose block was made stale meanwhile tells of the past.
    if (!failed && last !== undefined && (last.flags & STALE) === 0) {
      file.foundEnd(position + got);
    }
    for (let index = 0; index < bufs.length; index++) {
      const buf = bufs[index] as Buf;
      buf.flags &= ~(READING | ASYNC);
      buf.flight = null;
      file.reading--;
      this.writer.runner.inFlight--;
      if ((buf.flags & STALE) === 0) {
        if (failed) {
          store.stale(buf);
        } else {
          const filled = Math.min(got - index * blockBytes, file.validBytes(buf.block));
          if (filled < blockBytes) {
            // Whatever the memory held before is not the file's.
            buf.bytes.fill(0, Math.max(0, filled));
          }
          buf.flags |= DONE;
        }
      }
      buf.passLock();
      store.release(buf);
    }
    file.settle();
    store.wake();
  }
}

function fullError(store: BlockStore): BufError {
  return new BufError(
    'ERR_BUF_FULL',
    `Cannot take a block: ${store.used} of ${store.maxBlocks} are in use, and ${store.pending.count} wait for readers of this turn; release some, await a turn, or give the cache more bytes`,
  );
}

function isInside(file: FileState, block: number): boolean {
  return block * file.store.blockBytes < file.end;
}

function extentOf(file: FileState, bufs: readonly Buf[]): { readonly position: number; readonly length: number } {
  const { blockBytes } = file.store;
  return { position: (bufs[0] as Buf).block * blockBytes, length: bufs.length * blockBytes };
}

function restOf(bufs: readonly Buf[], got: number): Uint8Array[] {
  const blockBytes = (bufs[0] as Buf).bytes.length;
  return viewsOf(bufs, Math.floor(got / blockBytes), got % blockBytes, blockBytes);
}
