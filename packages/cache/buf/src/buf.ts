import type { Cookie } from '@core/rcu';
import type { RcuHead } from '@core/rcu-pending';
import { BufError } from './buf-error.js';
import type { DelwriQueue } from './delwri-queue.js';
import type { Arena } from './internal/arena-pool.js';
import { checkOpen, type FileState } from './internal/file-state.js';
import type { BlockFlight } from './internal/flight.js';
import { BUSY, DELWRI_Q, DONE, LOCKED, STALE, WRITE_FAIL } from './internal/flags.js';

/**
 * One block of one file, in memory.
 *
 * What `get` and `read` give is good until the end of the turn. To keep it longer, {@link hold} it in that turn, or use
 * a guard. A buffer belongs to another block when everybody has let go of it and a grace period is over.
 *
 * Locks keep changes apart: whoever changes `bytes` across awaits locks first. They are granted in the order in which
 * they were asked for, and are nobody's: whoever holds the buffer may unlock. Do not wait for other calls of the file
 * while you have a lock: they may wait for it.
 *
 * @see Linux fs/xfs/xfs_buf.h
 */
export class Buf implements RcuHead {
  // What a hit looks at comes first, so that it is in one line of the processor's cache or two.
  /** @internal Null while it is free. */
  file: FileState | null = null;
  /** Which block of the file: `position / blockBytes`. */
  block = -1;
  /** @internal See flags.ts. */
  flags = 0;
  /** @internal Rounds on the LRU that it has left. */
  lruRef = 0;
  /** @internal What `lruRef` is after each access. */
  typeRef = 0;
  /** @internal The grace period that must be over before the bytes may be another block's; null: nobody has seen them. */
  shownIn: Cookie | null = null;
  /** The whole block. What lies behind {@link validBytes} is 0. */
  readonly bytes: Uint8Array;
  /** @internal Owners: holders, the queue that it is on, I/O in flight. */
  holds = 0;
  /** @internal Its place on lists. */
  readonly slot: number;
  /** @internal */
  readonly arena: Arena;
  /** @internal */
  rcuNext: RcuHead | null = null;
  /** @internal Writes in a row that failed. */
  attempts = 0;
  /** @internal The one queue that it is on. */
  queue: DelwriQueue | null = null;
  /** @internal The read or write that it is under. */
  flight: BlockFlight | null = null;
  /** @internal A write of older bytes of this block, from another buffer: this one must not be written before. */
  after: BlockFlight | null = null;
  /** @internal Who waits for the lock, first come first. */
  waiters: (() => void)[] | null = null;
  /** @internal Neighbours among the buffers of the file. */
  filePrev: Buf | null = null;
  /** @internal */
  fileNext: Buf | null = null;

  /** @internal */
  constructor(arena: Arena, slot: number, bytes: Uint8Array) {
    this.arena = arena;
    this.slot = slot;
    this.bytes = bytes;
  }

  /** How many bytes of the block are in the file, as far as is known: less than the whole where the file ends. */
  get validBytes(): number {
    const { file } = this;
    return file === null ? 0 : file.validBytes(this.block);
  }

  /** Whether it has left the cache. */
  get isStale(): boolean {
    return (this.flags & STALE) !== 0;
  }

  /** Whether it waits to be written. */
  get isDirty(): boolean {
    return (this.flags & DELWRI_Q) !== 0;
  }

  /** Whether it was written in vain until nobody tried any more; `sync` tries again. */
  get hasWriteFailed(): boolean {
    return (this.flags & WRITE_FAIL) !== 0;
  }

  get isLocked(): boolean {
    return (this.flags & LOCKED) !== 0;
  }

  /**
   * Keeps the bytes this block's until {@link release}; nests. In the turn in which it was found, or by a holder.
   *
   * @throws {BufError} `ERR_BUF_STALE`: it has left the cache and nobody holds it
   */
  hold(): void {
    const { file } = this;
    if (file === null || (this.holds === 0 && (this.flags & STALE) !== 0)) {
      throw staleError('hold', this);
    }
    file.store.hold(this);
  }

  /** @throws {BufError} `ERR_BUF_NOT_HELD` */
  release(): void {
    this.checkHeld('release');
    (this.file as FileState).store.release(this);
  }

  /**
   * Takes the lock unless somebody has it, or I/O is in flight.
   *
   * @throws {BufError} `ERR_BUF_NOT_HELD`
   */
  tryLock(): boolean {
    this.checkHeld('lock');
    if ((this.flags & BUSY) !== 0) {
      return false;
    }
    this.flags |= LOCKED;
    return true;
  }

  /**
   * Waits for the lock. The buffer may have gone stale meanwhile: look at {@link isStale}.
   *
   * @throws {BufError} `ERR_BUF_NOT_HELD`
   */
  lock(): Promise<void> {
    if (this.tryLock()) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.waiters ??= [];
      this.waiters.push(resolve);
    });
  }

  /** @throws {BufError} `ERR_BUF_NOT_LOCKED` */
  unlock(): void {
    this.checkLocked('unlock');
    this.flags &= ~LOCKED;
    this.passLock();
  }

  /**
   * Has the bytes, which were changed under the lock, written later: with the queue if one is given, else with the
   * file's own, which is written in the background if the cache has `writeBack`, and by `flush`, `sync` and `close`.
   *
   * Bytes behind {@link validBytes} are not written: a file grows by `writeAt`.
   *
   * @returns false where it waits on some queue already, which will do
   * @throws {BufError} `ERR_BUF_NOT_LOCKED`, `ERR_BUF_STALE`, `ERR_BUF_CLOSED`
   */
  delayWrite(queue?: DelwriQueue): boolean {
    this.checkLocked('delay the write of');
    if ((this.flags & STALE) !== 0) {
      throw staleError('delay the write of', this);
    }
    const file = this.file as FileState;
    checkOpen(file);
    const added = (queue ?? file.queue).add(this);
    file.grewTo(this.block * this.bytes.length + this.validBytes);
    file.writer.changed();
    return added;
  }

  /**
   * Puts the buffer out of the cache, and drops a delayed write of it; the block is read again when it is asked for.
   * Holders keep the bytes. It may be said again.
   *
   * @throws {BufError} `ERR_BUF_NOT_LOCKED`
   */
  stale(): void {
    this.checkLocked('make stale');
    (this.file as FileState).store.stale(this);
  }

  /** @internal Hands the lock to who has waited longest; nobody may have it now. */
  passLock(): void {
    const next = this.waiters?.shift();
    if (next !== undefined) {
      // At once, so that nobody can come in between.
      this.flags |= LOCKED;
      next();
    }
  }

  private checkHeld(action: string): void {
    if (this.holds === 0) {
      throw new BufError('ERR_BUF_NOT_HELD', `Cannot ${action} ${nameOf(this)}: nobody holds it; hold it first`);
    }
  }

  private checkLocked(action: string): void {
    if ((this.flags & LOCKED) === 0) {
      throw new BufError('ERR_BUF_NOT_LOCKED', `Cannot ${action} ${nameOf(this)}: it is not locked; lock it first`);
    }
  }
}

/** @internal Whether the bytes may be read now. */
export function isReadable(buf: Buf): boolean {
  return (buf.flags & (DONE | STALE | LOCKED)) === DONE;
}

function nameOf(buf: Buf): string {
  return buf.file === null ? 'a buffer' : `block ${buf.block}`;
}

function staleError(action: string, buf: Buf): BufError {
  return new BufError('ERR_BUF_STALE', `Cannot ${action} ${nameOf(buf)}: it has left the cache; read the block again`);
}
