import { type Buf, isReadable } from '../buf.js';
import { BufError } from '../buf-error.js';
import { checkGate, checkOpen, type FileState } from './file-state.js';
import { BUSY, LOCKED, READING, STALE, WAITED_FOR, WRITING } from './flags.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** Blocks that one call has in hand at once, at most; and no more than one in so many of the cache. */
const MAX_CHUNK = 256;
const CHUNK_SHARE = 4;

/** A part of a write that is within one block. */
interface Piece {
  readonly block: number;
  /** Where it begins and ends in the block. */
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/**
 * Writes at any position, as changes of whole blocks: a block that is changed in part is read before.
 *
 * A block is changed under its lock, in one step. Then it waits on the file's queue; without write-back, the call waits
 * until it has left it.
 */
export class BlockWriter {
  private readonly file: FileState;
  private readonly reader: Reader;
  private readonly writer: Writer;
  private readonly blockBytes: number;
  private readonly chunkBytes: number;

  constructor(file: FileState, reader: Reader, writer: Writer) {
    const { blockBytes, maxBlocks } = file.store;
    this.file = file;
    this.reader = reader;
    this.writer = writer;
    this.blockBytes = blockBytes;
    this.chunkBytes = blockBytes * Math.max(1, Math.min(MAX_CHUNK, Math.floor(maxBlocks / CHUNK_SHARE)));
  }

  async write(position: number, data: Uint8Array): Promise<void> {
    for (const [at, bytes] of this.chunks(position, data)) {
      if (this.writer.isWriteThrough) {
        await this.writeThrough(at, bytes);
      } else {
        for (const piece of this.pieces(at, bytes)) {
          await this.change(piece, null);
        }
        await this.writer.throttle();
      }
    }
  }

  writeSync(position: number, data: Uint8Array): void {
    for (const [at, bytes] of this.chunks(position, data)) {
      if (this.writer.isWriteThrough) {
        this.writeThroughSync(at, bytes);
      } else {
        for (const piece of this.pieces(at, bytes)) {
          this.changeSync(piece, null);
        }
        this.writer.throttleSync();
      }
    }
  }

  private async writeThrough(position: number, data: Uint8Array): Promise<void> {
    const batch = new Batch();
    try {
      for (const piece of this.pieces(position, data)) {
        await this.change(piece, batch);
      }
    } finally {
      // Also what came before a piece that failed: it was changed, and nobody else would write it.
      try {
        await this.writer.write(batch.bufs, true);
        batch.checkDropped();
      } finally {
        batch.end();
      }
    }
  }

  private writeThroughSync(position: number, data: Uint8Array): void {
    const batch = new Batch();
    try {
      for (const piece of this.pieces(position, data)) {
        this.changeSync(piece, batch);
      }
    } finally {
      try {
        this.writer.writeSync(batch.bufs);
      } finally {
        batch.end();
      }
    }
  }

  /** Changes a block, and queues it. */
  private async change(piece: Piece, batch: Batch | null): Promise<void> {
    const { file, reader } = this;
    const { store } = file;
    for (;;) {
      while (file.gate !== null) {
        await file.gate;
      }
      checkOpen(file);
      const buf =
        reader.find(file, piece.block) ??
        (this.isWhole(piece) ? reader.blank(file, piece.block) : await reader.read(file, piece.block, 1));
      if (buf === null) {
        await reader.room();
        continue;
      }
      if (!buf.tryLock()) {
        await buf.lock();
      }
      if (file.gate === null && !file.closed && (buf.flags & STALE) === 0) {
        this.put(piece, buf, batch);
        buf.unlock();
        return;
      }
      buf.unlock();
      store.release(buf);
    }
  }

  private changeSync(piece: Piece, batch: Batch | null): void {
    const { file, reader } = this;
    const { store } = file;
    for (;;) {
      checkGate(file, 'write');
      let buf = reader.find(file, piece.block);
      if (buf !== null && (buf.flags & READING) !== 0) {
        store.stale(buf);
        store.release(buf);
        buf = null;
      }
      buf ??= this.isWhole(piece) ? reader.blank(file, piece.block) : reader.readSync(file, piece.block, 1);
      if (buf === null) {
        reader.roomSync();
        continue;
      }
      if ((buf.flags & LOCKED) !== 0) {
        store.release(buf);
        throw new BufError(
          'ERR_BUF_LOCKED',
          `Cannot write block ${piece.block} synchronously: somebody has locked it; use the asynchronous call`,
        );
      }
      if ((buf.flags & WRITING) !== 0) {
        this.copyAside(buf);
        continue;
      }
      if (isReadable(buf)) {
        this.put(piece, buf, batch);
        return;
      }
      store.release(buf);
    }
  }

  /**
   * The block is on its way to the file, and must not change: from now on another buffer with the same bytes is this
   * block's. It waits for the first one, so that older bytes never land on newer ones. Ends the hold.
   */
  private copyAside(buf: Buf): void {
    const { store } = this.file;
    const { flight } = buf;
    if (this.writer.isWriteThrough) {
      store.release(buf);
      throw new BufError(
        'ERR_BUF_BUSY',
        `Cannot write block ${buf.block} synchronously: it is on its way to the file; use the asynchronous call`,
      );
    }
    const fresh = store.tryTake();
    if (fresh === null) {
      store.release(buf);
      this.reader.roomSync();
      return;
    }
    if ((buf.flags & (WRITING | STALE)) === WRITING) {
      store.supersede(buf, fresh);
      fresh.after = flight;
      store.release(fresh);
    } else {
      store.giveBack(fresh);
    }
    store.release(buf);
  }

  /** Changes a buffer that is held, and nobody else's now. Ends the hold, or hands it to the batch. */
  private put({ block, from, bytes }: Piece, buf: Buf, batch: Batch | null): void {
    const { file } = this;
    buf.bytes.set(bytes, from);
    buf.lruRef = buf.typeRef;
    file.grewTo(block * this.blockBytes + from + bytes.length);
    if (batch === null) {
      file.queue.add(buf);
      file.store.release(buf);
    } else {
      if (buf.queue === null) {
        file.queue.add(buf);
        buf.flags |= WAITED_FOR;
      }
      batch.bufs.push(buf);
    }
    this.writer.changed();
  }

  /** Whether nothing of what the file has of the block is left after it. */
  private isWhole({ block, from, to }: Piece): boolean {
    const start = block * this.blockBytes;
    return start >= this.file.end || (from === 0 && (to === this.blockBytes || start + to >= this.file.end));
  }

  private *chunks(position: number, data: Uint8Array): Generator<readonly [number, Uint8Array]> {
    for (let done = 0; done < data.length;) {
      const at = position + done;
      const bytes = Math.min(data.length - done, this.chunkBytes - (at % this.blockBytes));
      yield [at, data.subarray(done, done + bytes)];
      done += bytes;
    }
  }

  private *pieces(position: number, data: Uint8Array): Generator<Piece> {
    for (let done = 0; done < data.length;) {
      const block = Math.floor((position + done) / this.blockBytes);
      const from = position + done - block * this.blockBytes;
      const to = Math.min(this.blockBytes, from + data.length - done);
      yield { block, from, to, bytes: data.subarray(done, done + to - from) };
      done += to - from;
    }
  }
}

/** The blocks that one call waits for, held. */
class Batch {
  readonly bufs: Buf[] = [];

  /** Another call may have written the same blocks together with its own, and dropped them when that failed. */
  checkDropped(): void {
    const dropped = this.bufs.filter((buf) => buf.isStale && buf.attempts > 0);
    if (dropped.length > 0) {
      throw new BufError(
        'ERR_BUF_WRITE',
        `Cannot write ${dropped.length} blocks: a write of them together with others has failed; write them again`,
        { ranges: dropped.map((buf) => ({ position: buf.block * buf.bytes.length, length: buf.bytes.length })) },
      );
    }
  }

  /** What could not be written is not kept: the caller knows, and the file is as it is. */
  end(): void {
    for (const buf of this.bufs) {
      const { store } = buf.file as FileState;
      // If somebody else is at it, it is for him to drop.
      if ((buf.flags & (WAITED_FOR | BUSY)) === WAITED_FOR && buf.attempts > 0) {
        store.stale(buf);
      }
      store.release(buf);
    }
  }
}
