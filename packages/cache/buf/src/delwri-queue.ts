import type { Buf } from './buf.js';
import { BufError } from './buf-error.js';
import type { BlockStore } from './internal/block-store.js';
import type { FileState } from './internal/file-state.js';
import { DELWRI_Q, DONE, STALE, WAITED_FOR, WRITING } from './internal/flags.js';
import type { SlotLru } from '@core/list-lru';

/** @internal Who writes what a queue submits. */
export interface QueueWriter {
  write(bufs: readonly Buf[], wait: boolean): Promise<void>;
  writeSync(bufs: readonly Buf[]): void;
}

export interface SubmitOptions {
  /** Passes over buffers that are locked, instead of waiting; they stay on the queue. Default false. */
  readonly nowait?: boolean;
}

/**
 * Buffers whose write is delayed, of any files of one cache. It holds them.
 *
 * A buffer is on one queue at most: whichever it is on, it is written. It stays there until its write has succeeded.
 *
 * @see Linux fs/xfs/xfs_buf.c, xfs_buf_delwri_queue and its like
 */
export class DelwriQueue {
  private readonly store: BlockStore;
  private readonly writer: QueueWriter;
  /** Taken from the store's while there are buffers. */
  private list: SlotLru | null = null;
  private readonly onChange: (queue: DelwriQueue) => void;

  /** @internal Use `cache.delwriQueue()`. */
  constructor(store: BlockStore, writer: QueueWriter, onChange: (queue: DelwriQueue) => void) {
    this.store = store;
    this.writer = writer;
    this.onChange = onChange;
  }

  get length(): number {
    return this.list === null ? 0 : this.list.length;
  }

  /**
   * Puts a buffer that is held on this queue, unless it is on one.
   *
   * @returns whether it changed anything
   * @throws {BufError} `ERR_BUF_STALE`, `ERR_BUF_NOT_HELD`
   */
  add(buf: Buf): boolean {
    if ((buf.flags & (STALE | DONE)) !== DONE) {
      throw new BufError('ERR_BUF_STALE', `Cannot queue block ${buf.block}: it has left the cache; read it again`);
    }
    if (buf.holds === 0) {
      throw new BufError('ERR_BUF_NOT_HELD', `Cannot queue block ${buf.block}: nobody holds it; hold it first`);
    }
    if (buf.queue !== null) {
      buf.flags &= ~WAITED_FOR;
      return false;
    }
    this.link(buf);
    buf.flags |= DELWRI_Q;
    buf.holds++;
    this.store.dirty++;
    (buf.file as FileState).dirty++;
    return true;
  }

  /**
   * Writes what is on the queue now, in the order of the blocks, neighbours together.
   *
   * @returns how many were passed over, with `nowait`
   * @throws {BufError} `ERR_BUF_WRITE`: rejects with it; what was not written stays on the queue
   */
  async submit(options: SubmitOptions = {}): Promise<number> {
    const wait = options.nowait !== true;
    await this.writer.write([...this], wait);
    return wait ? 0 : this.length;
  }

  /**
   * As {@link submit}, before it returns.
   *
   * @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_LOCKED`, `ERR_BUF_BUSY`
   */
  submitSync(): void {
    this.writer.writeSync([...this]);
  }

  /**
   * Drops what was not written, for good: buffers that are not being written right now become stale.
   *
   * @returns how many were dropped
   */
  cancel(): number {
    const bufs = [...this].filter((buf) => (buf.flags & WRITING) === 0);
    for (const buf of bufs) {
      this.store.stale(buf);
    }
    return bufs.length;
  }

  /** The buffers, oldest first. */
  *[Symbol.iterator](): IterableIterator<Buf> {
    for (const slot of this.list ?? []) {
      yield this.store.pool.at(slot);
    }
  }

  /** @internal Takes a buffer off, for good; its hold is the caller's now. */
  remove(buf: Buf): void {
    this.unlink(buf);
    buf.flags &= ~(DELWRI_Q | WAITED_FOR);
    this.store.dirty--;
    (buf.file as FileState).dirty--;
  }

  /** @internal Puts another buffer of the same block in the place of this one, whose hold it takes over. */
  replace(buf: Buf, other: Buf): void {
    this.unlink(buf);
    buf.flags &= ~(DELWRI_Q | WAITED_FOR);
    this.link(other);
    other.flags |= DELWRI_Q;
    other.holds++;
    this.store.release(buf);
  }

  private link(buf: Buf): void {
    this.list ??= this.store.takeList();
    this.list.add(buf.slot);
    buf.queue = this;
    if (this.list.length === 1) {
      this.onChange(this);
    }
  }

  private unlink(buf: Buf): void {
    const list = this.list as SlotLru;
    list.del(buf.slot);
    buf.queue = null;
    if (list.length === 0) {
      this.store.giveList(list);
      this.list = null;
      this.onChange(this);
    }
  }
}
