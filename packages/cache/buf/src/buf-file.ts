import type { SourceFile } from '@core/fs-source';
import type { RcuFlavor } from '@core/rcu';
import { type Buf, isReadable } from './buf.js';
import { BufError } from './buf-error.js';
import { BufGuard, type GuardOwner } from './buf-guard.js';
import type { BlockIndex } from './internal/block-index.js';
import type { BlockStore } from './internal/block-store.js';
import { checkOpen, type FileState } from './internal/file-state.js';
import type * as flags from './internal/flags.js';
import { BlockWriter } from './internal/block-writer.js';
import { ByteReader } from './internal/byte-reader.js';
import type { Reader } from './internal/reader.js';
import type { Writer } from './internal/writer.js';
import { checkBlock, checkPosition, checkTarget } from './internal/check-range.js';
import type { CloseOptions, InvalidateOptions } from './options.js';

// Imported constants are read from a module cell each time; the types see to it that these agree.
const DONE: typeof flags.DONE = 1;
const STALE: typeof flags.STALE = 2;
const READ_AHEAD: typeof flags.READ_AHEAD = 8;
const LOCKED: typeof flags.LOCKED = 64;
const WRITING: typeof flags.WRITING = 256;
/** Of a buffer that can be read, and asks for nothing else, only DONE is set. */
const PLAIN = DONE | STALE | READ_AHEAD | LOCKED;

/** @internal What a file needs of its cache. */
export interface FileOwner extends GuardOwner {
  hits: number;
  misses: number;
  guardOpened(): void;
  fileClosed(state: FileState): void;
}

/** @internal */
export interface BufFileParts {
  readonly state: FileState;
  readonly store: BlockStore;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly owner: FileOwner;
  readonly keepSource: boolean;
}

/**
 * A file through a {@link BufCache}: its blocks, and reads and writes at any position.
 *
 * What answers at once when the cache has it, and with a promise when not, says so in its type; what ends in `Sync`
 * never waits, and fails where it would have to. Errors of the source reach the caller as they are.
 *
 * Concurrent calls: a block is changed as a whole, so nobody sees half of a write within one. Writes that span several
 * blocks are not one step, and their order among each other is that of the locks of each block.
 */
export class BufFile {
  private readonly state: FileState;
  private readonly store: BlockStore;
  private readonly index: BlockIndex;
  private readonly rcu: RcuFlavor;
  private readonly reader: Reader;
  private readonly writer: Writer;
  private readonly bytes: ByteReader;
  private readonly blocks: BlockWriter;
  private readonly owner: FileOwner;
  private readonly keepSource: boolean;
  private readonly blockBytes: number;
  private closing: Promise<void> | null = null;

  /** @internal Use `cache.open(source)`. */
  constructor(parts: BufFileParts) {
    this.state = parts.state;
    this.store = parts.store;
    this.index = parts.store.index;
    this.rcu = parts.store.rcu;
    this.reader = parts.reader;
    this.writer = parts.writer;
    this.owner = parts.owner;
    this.keepSource = parts.keepSource;
    this.blockBytes = parts.store.blockBytes;
    this.bytes = new ByteReader(parts.state, parts.store, parts.reader, parts.owner);
    this.blocks = new BlockWriter(parts.state, parts.reader, parts.writer);
  }

  get source(): SourceFile {
    return this.state.source;
  }

  /** Bytes of the file as far as the cache knows: Infinity until a read has come to the end. */
  get knownBytes(): number {
    return this.state.end;
  }

  /** Blocks that wait to be written. */
  get dirty(): number {
    return this.state.dirty;
  }

  /** Blocks in the cache. */
  get cached(): number {
    return this.state.cached;
  }

  get closed(): boolean {
    return this.state.closed;
  }

  /**
   * The block if the cache has it, for use in this turn; or null, also where it is locked. No allocation; O(1). The
   * hit path of everything else.
   */
  get(block: number): Buf | null {
    const buf = this.index.find(this.state, block);
    if (buf === null || (buf.flags & PLAIN) !== DONE) {
      return buf === null || !isReadable(buf) ? null : this.show(buf);
    }
    this.owner.hits++;
    buf.shownIn = this.rcu.startPoll();
    buf.lruRef = buf.typeRef;
    this.state.readahead.last = block;
    return buf;
  }

  /**
   * The block, read if the cache does not have it; good for the rest of the turn in which it comes. Behind the file's
   * end it is all zeros, and its `validBytes` 0.
   *
   * @throws {RangeError} the block is no integer from 0, or its end is above 2^53
   * @throws what the source throws; {@link BufError} `ERR_BUF_CLOSED`, `ERR_BUF_FULL`
   */
  read(block: number): Buf | Promise<Buf> {
    return this.get(block) ?? this.readMissing(block);
  }

  /**
   * As {@link read}, at once.
   *
   * @throws {BufError} `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` besides
   */
  readSync(block: number): Buf {
    return this.get(block) ?? this.shown(this.loadSync(block));
  }

  /** As {@link read}, with a guard: the bytes stay this block's until it is released, across awaits. */
  hold(block: number): BufGuard | Promise<BufGuard> {
    const buf = this.get(block);
    if (buf === null) {
      return this.holdMissing(block);
    }
    this.store.hold(buf);
    return this.guard(buf);
  }

  /** As {@link readSync}, with a guard. */
  holdSync(block: number): BufGuard {
    const buf = this.get(block);
    if (buf === null) {
      return this.guard(this.loadSync(block));
    }
    this.store.hold(buf);
    return this.guard(buf);
  }

  /**
   * Copies bytes of the file, at once if the cache has all of them.
   *
   * @param position in bytes
   * @returns bytes copied: fewer than asked only where the file ends
   * @throws {RangeError} the range is none of the buffer, or the position none of a file; otherwise as {@link read}
   */
  readInto(target: Uint8Array, offset: number, length: number, position: number): number | Promise<number> {
    checkTarget(target, offset, length, position);
    return this.bytes.read(target, offset, length, position);
  }

  /** As {@link readInto}, at once. */
  readIntoSync(target: Uint8Array, offset: number, length: number, position: number): number {
    checkTarget(target, offset, length, position);
    return this.bytes.readSync(target, offset, length, position);
  }

  /** As {@link readInto}, into a new array. */
  readAt(position: number, length: number): Uint8Array | Promise<Uint8Array> {
    const target = this.allocate(position, length);
    const read = this.readInto(target, 0, target.length, position);
    return typeof read === 'number' ? target.subarray(0, read) : read.then((bytes) => target.subarray(0, bytes));
  }

  /** As {@link readIntoSync}, into a new array. */
  readAtSync(position: number, length: number): Uint8Array {
    const target = this.allocate(position, length);
    return target.subarray(0, this.readIntoSync(target, 0, target.length, position));
  }

  /**
   * Writes all of `data`, which must not change until it is done. The file grows where it must, with zeros in between.
   *
   * With the cache's `writeBack`, it resolves when the cache has it; what is wrong with the write is heard later, by
   * `onWriteError`, `sync` and `close`. Without, it resolves when the file has it, and if it fails, what the cache has
   * of it is dropped.
   *
   * @throws {RangeError} the position is none of a file
   * @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_CLOSED`, `ERR_BUF_FULL`; and what the source throws when a block that
   *   is written in part has to be read
   */
  async writeAt(position: number, data: Uint8Array): Promise<void> {
    checkTarget(data, 0, data?.length, position);
    checkOpen(this.state);
    await this.blocks.write(position, data);
  }

  /**
   * As {@link writeAt}, at once.
   *
   * @throws {BufError} `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` besides
   */
  writeAtSync(position: number, data: Uint8Array): void {
    checkTarget(data, 0, data?.length, position);
    checkOpen(this.state);
    this.blocks.writeSync(position, data);
  }

  /**
   * Sets the length of the file. What waited to be written behind it is dropped. Waits for I/O of the file in flight;
   * whatever begins meanwhile waits for it.
   *
   * @throws {RangeError} the length is none of a file
   * @throws what the source throws: nothing has changed then; {@link BufError} `ERR_BUF_CLOSED`
   */
  async truncate(bytes: number): Promise<void> {
    checkPosition(bytes);
    const { state } = this;
    while (state.gate !== null) {
      await state.gate;
    }
    checkOpen(state);
    let open!: () => void;
    state.gate = new Promise((resolve) => {
      open = resolve;
    });
    let boundary: Buf | null = null;
    try {
      await state.quiet();
      boundary = this.reader.find(state, Math.floor(bytes / this.blockBytes));
      // What is behind the end in this block is zeroed: a change like any other.
      await boundary?.lock();
      await state.source.truncate(bytes);
      state.cutAt(bytes);
    } finally {
      if (boundary !== null) {
        boundary.unlock();
        this.store.release(boundary);
      }
      state.gate = null;
      open();
    }
  }

  /**
   * As {@link truncate}, at once.
   *
   * @throws {BufError} `ERR_BUF_BUSY`, `ERR_BUF_LOCKED` besides
   */
  truncateSync(bytes: number): void {
    checkPosition(bytes);
    const { state } = this;
    checkOpen(state);
    if (state.gate !== null || state.writing > 0) {
      throw new BufError(
        'ERR_BUF_BUSY',
        'Cannot truncate synchronously: writes are on their way, or the length is being changed; use the asynchronous call',
      );
    }
    const boundary = this.index.find(state, Math.floor(bytes / this.blockBytes));
    if (boundary !== null && (boundary.flags & LOCKED) !== 0) {
      throw new BufError(
        'ERR_BUF_LOCKED',
        `Cannot truncate synchronously: block ${boundary.block} is locked; use the asynchronous call`,
      );
    }
    state.source.truncateSync(bytes);
    this.dropReads();
    state.cutAt(bytes);
  }

  /**
   * Tells where the file ends, for who has looked: nothing behind is read, and what is cached there is forgotten. A file
   * that has grown since then is {@link invalidate}d first.
   *
   * @throws {RangeError} the position is none of a file
   * @throws {BufError} `ERR_BUF_CLOSED`
   */
  endsAt(position: number): void {
    checkPosition(position);
    checkOpen(this.state);
    this.state.foundEnd(position);
  }

  /**
   * Forgets what the cache has of the file, for when somebody else has changed it. Blocks that wait to be written stay,
   * unless `discard` is set: write them first. Holders keep their bytes.
   *
   * @returns how many blocks were forgotten
   * @throws {RangeError} the range is none of a file
   * @throws {BufError} `ERR_BUF_CLOSED`
   */
  invalidate(options: InvalidateOptions = {}): number {
    const { position = 0, length = Infinity, discard = false } = options;
    checkPosition(position);
    if (!(length >= 0)) {
      throw new RangeError(`Cannot invalidate ${String(length)} bytes: it must be a number of 0 or more`);
    }
    const { state, store } = this;
    checkOpen(state);
    let count = 0;
    for (const buf of state.buffers(Math.floor(position / this.blockBytes), this.bytes.blocksTo(position + length))) {
      if (buf.queue === null || (discard && (buf.flags & (LOCKED | WRITING)) === 0)) {
        store.stale(buf);
        count++;
      }
    }
    if (state.dirty === 0 && state.writing === 0 && position + length >= state.end) {
      count += this.forgetEnd();
    }
    return count;
  }

  /**
   * Hands to the file everything that waits to be written, without making it durable.
   *
   * @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_CLOSED`
   */
  async flush(): Promise<void> {
    checkOpen(this.state);
    await this.writer.flush(this.state);
  }

  /** As {@link flush}, at once. @throws {BufError} `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` besides */
  flushSync(): void {
    checkOpen(this.state);
    this.writer.flushSync(this.state);
  }

  /**
   * Makes everything durable that was written before: when it resolves, the disk has it. Writes again what has failed
   * before; if that fails again, rejects with what it is. It stays in the cache, and is tried again.
   *
   * After `ERR_BUF_SYNC` nobody knows what of the writes since the last sync the disk has, as after a failed
   * `fdatasync(2)`: write it again.
   *
   * @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_SYNC`, `ERR_BUF_CLOSED`
   */
  async sync(): Promise<void> {
    await this.flush();
    try {
      await this.state.source.datasync();
    } catch (error) {
      throw syncError(error);
    }
  }

  /** As {@link sync}, at once. @throws {BufError} `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` besides */
  syncSync(): void {
    this.flushSync();
    try {
      this.state.source.datasyncSync();
    } catch (error) {
      throw syncError(error);
    }
  }

  /**
   * Writes what waits, waits for I/O, forgets all blocks, and closes the source. Whoever holds a buffer keeps its bytes.
   * If something cannot be written it rejects, and the file stays open, unless `discard` is set. Idempotent.
   *
   * @throws {BufError} `ERR_BUF_WRITE`
   * @throws what the source throws when it is closed: the file is closed nonetheless
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.closing ??= this.drain(options.discard === true);
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async drain(discard: boolean): Promise<void> {
    const { state, store, writer } = this;
    state.closed = true;
    while (state.gate !== null) {
      await state.gate;
    }
    try {
      while (state.dirty > 0) {
        await writer.flush(state);
      }
    } catch (error) {
      if (!discard) {
        state.closed = false;
        this.closing = null;
        throw error;
      }
    }
    // Reads ahead, and writes of what was dropped since.
    await state.quiet();
    for (const buf of state.buffers(0, Infinity)) {
      store.stale(buf);
    }
    state.forgetEnd();
    writer.forget(state);
    this.owner.fileClosed(state);
    if (!this.keepSource) {
      await state.source.close();
    }
  }

  private async readMissing(block: number): Promise<Buf> {
    return this.shown(await this.load(block));
  }

  private async holdMissing(block: number): Promise<BufGuard> {
    return this.guard(await this.load(block));
  }

  /** The block, held. */
  private async load(block: number): Promise<Buf> {
    checkBlock(block, this.blockBytes);
    this.owner.misses++;
    return this.reader.read(this.state, block, 1);
  }

  private loadSync(block: number): Buf {
    checkBlock(block, this.blockBytes);
    this.owner.misses++;
    return this.reader.readSync(this.state, block, 1);
  }

  /** Gives out a buffer that is readable and not plain. */
  private show(buf: Buf): Buf {
    this.owner.hits++;
    // Its readahead must not evict it.
    this.store.hold(buf);
    this.reader.accessed(this.state, buf);
    return this.shown(buf);
  }

  /** Gives out a buffer that is held, and ends the hold: from now on it is the turn that protects it. */
  private shown(buf: Buf): Buf {
    buf.shownIn = this.rcu.startPoll();
    this.store.release(buf);
    return buf;
  }

  /** Takes over a hold. */
  private guard(buf: Buf): BufGuard {
    buf.shownIn = this.rcu.startPoll();
    this.owner.guardOpened();
    return new BufGuard(this.owner, buf);
  }

  /** Where the file ends is not known any more, so what ends there, and behind it, has to go. */
  private forgetEnd(): number {
    const { state } = this;
    const bufs = state.buffers(Math.floor(state.end / this.blockBytes), Infinity);
    for (const buf of bufs) {
      this.store.stale(buf);
    }
    state.forgetEnd();
    return bufs.length;
  }

  /** Reads in flight tell of the file as it was; who waits for them reads again. */
  private dropReads(): void {
    for (const buf of this.state.buffers(0, Infinity)) {
      if ((buf.flags & DONE) === 0) {
        this.store.stale(buf);
      }
    }
  }

  private allocate(position: number, length: number): Uint8Array {
    checkPosition(position);
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot read ${String(length)} bytes: it must be an integer from 0`);
    }
    return new Uint8Array(this.bytes.lengthOf(length, position));
  }
}

function syncError(cause: unknown): BufError {
  return new BufError(
    'ERR_BUF_SYNC',
    'Cannot make a file durable: its source failed; what was written since the last sync may be lost, write it again',
    { cause },
  );
}
