import type { SourceFile } from '@core/fs-source';
import type { Buf } from '../buf.js';
import { BufError } from '../buf-error.js';
import type { DelwriQueue } from '../delwri-queue.js';
import type { BlockStore } from './block-store.js';
import type { Readahead } from './readahead.js';
import type { Writer } from './writer.js';

export interface FileStateOptions {
  readonly id: number;
  readonly source: SourceFile;
  readonly store: BlockStore;
  readonly writer: Writer;
  readonly readahead: Readahead;
  readonly queue: DelwriQueue;
  readonly lruRef: number;
  readonly onWriteError: (error: unknown) => void;
}

/**
 * What the cache knows of an open file.
 *
 * Where it ends is known once, for all of its blocks: `end`. It is found out by the first read that comes back short,
 * and raised by writes. So a write far behind the end makes zeros of all between, also in blocks that are cached.
 */
export class FileState {
  readonly id: number;
  readonly source: SourceFile;
  readonly store: BlockStore;
  readonly writer: Writer;
  readonly readahead: Readahead;
  readonly queue: DelwriQueue;
  /** Rounds on the LRU that an access gives. */
  readonly lruRef: number;
  readonly onWriteError: (error: unknown) => void;
  /** Bytes of the file; Infinity while nobody knows. */
  end: number = Infinity;
  /**
   * Where the last write ends of those that the file may not have yet. A read that comes back short before that has met
   * a hole, and not the end.
   */
  writtenEnd = 0;
  /** Where the file was found to end, or was cut: as long as it is if nothing that waits is ever written. */
  private diskEnd: number = Infinity;
  /** As `writtenEnd`, of the writes among these that the file has by now. A read that began before may not know. */
  private landedEnd = 0;
  /** The buffers of the file that are in the cache. */
  first: Buf | null = null;
  cached = 0;
  /** Of these, on delayed-write queues. */
  dirty = 0;
  /** Buffers under I/O; those that have gone stale meanwhile as well. */
  reading = 0;
  writing = 0;
  /** Whoever changes the length is alone: I/O begins when this has resolved. */
  gate: Promise<void> | null = null;
  closed = false;
  private readonly blockBytes: number;
  private quietWaiters: (() => void)[] = [];

  constructor(options: FileStateOptions) {
    this.id = options.id;
    this.source = options.source;
    this.store = options.store;
    this.writer = options.writer;
    this.readahead = options.readahead;
    this.queue = options.queue;
    this.lruRef = options.lruRef;
    this.onWriteError = options.onWriteError;
    this.blockBytes = options.store.blockBytes;
  }

  /** Bytes of a block that are in the file. */
  validBytes(block: number): number {
    return Math.max(0, Math.min(this.blockBytes, this.end - block * this.blockBytes));
  }

  /** Bytes up to `end` are in the file, or will be. */
  grewTo(end: number): void {
    this.writtenEnd = Math.max(this.writtenEnd, end);
    if (end > this.end) {
      this.end = end;
    }
  }

  /** A read came to the file's end at `position`, or to a hole that nobody has written yet. */
  foundEnd(position: number): void {
    const end = Math.max(position, this.writtenEnd);
    this.diskEnd = Math.max(position, this.landedEnd);
    if (end < this.end) {
      this.forgetFrom(end);
    }
  }

  /** The file was made to end here. */
  cutAt(end: number): void {
    this.diskEnd = end;
    this.landedEnd = Math.min(this.landedEnd, end);
    this.forgetFrom(end);
  }

  /** Somebody else may have changed the file: where it ends is not known. Nothing waits, and nothing is cached there. */
  forgetEnd(): void {
    this.end = Infinity;
    this.diskEnd = Infinity;
  }

  /** The file has this buffer's bytes, as far as they are in it. */
  landed(buf: Buf): void {
    this.landedEnd = Math.max(this.landedEnd, buf.block * this.blockBytes + this.validBytes(buf.block));
    this.diskEnd = Math.max(this.diskEnd, this.landedEnd);
  }

  /** A buffer that waited to be written was dropped. If it made the file longer, the file is as long as without it. */
  dropped(buf: Buf): void {
    const { blockBytes } = this;
    if (this.end <= this.diskEnd || (buf.block + 1) * blockBytes < this.end) {
      return;
    }
    let end = this.diskEnd;
    for (const other of this.writer.dirtyOf(this)) {
      end = Math.max(end, (other.block + 1) * blockBytes);
    }
    if (end < this.end) {
      this.forgetFrom(end);
    }
  }

  /** Forgets what is cached from here on: zeros, if the file grows again. */
  private forgetFrom(end: number): void {
    const { blockBytes, store } = this;
    const boundary = Math.floor(end / blockBytes);
    this.end = end;
    this.writtenEnd = Math.min(this.writtenEnd, end);
    for (const buf of this.buffers(Math.ceil(end / blockBytes), Infinity)) {
      store.stale(buf);
    }
    store.index.find(this, boundary)?.bytes.fill(0, end - boundary * blockBytes);
  }

  /** The cached buffers of the blocks from `first` up to, not including, `last`. They may be made stale meanwhile. */
  buffers(first: number, last: number): Buf[] {
    const found: Buf[] = [];
    if (last - first < this.cached) {
      for (let block = first; block < last; block++) {
        const buf = this.store.index.find(this, block);
        if (buf !== null) {
          found.push(buf);
        }
      }
      return found;
    }
    for (let buf = this.first; buf !== null; buf = buf.fileNext) {
      if (buf.block >= first && buf.block < last) {
        found.push(buf);
      }
    }
    return found;
  }

  /** To be called when I/O of the file has ended, or a write was dropped. */
  settle(): void {
    if (this.reading > 0 || this.writing > 0) {
      return;
    }
    if (this.dirty === 0) {
      // The file has all, and no read is under way that may have begun before it had.
      this.writtenEnd = 0;
      this.landedEnd = 0;
    }
    if (this.quietWaiters.length > 0) {
      const waiters = this.quietWaiters;
      this.quietWaiters = [];
      for (const resolve of waiters) {
        resolve();
      }
    }
  }

  /** Resolves when no I/O is in flight. */
  async quiet(): Promise<void> {
    while (this.reading > 0 || this.writing > 0) {
      await new Promise<void>((resolve) => {
        this.quietWaiters.push(resolve);
      });
    }
  }
}

/** @throws {BufError} `ERR_BUF_CLOSED` */
export function checkOpen(file: FileState): void {
  if (file.closed) {
    throw new BufError('ERR_BUF_CLOSED', 'Cannot use a file: it is closed; open it again');
  }
}

/** @throws {BufError} `ERR_BUF_BUSY` */
export function checkGate(file: FileState, action: string): void {
  if (file.gate !== null) {
    throw new BufError(
      'ERR_BUF_BUSY',
      `Cannot ${action} synchronously: the length of the file is being changed; use the asynchronous call`,
    );
  }
}
