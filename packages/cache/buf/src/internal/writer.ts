import type { Scheduled, Scheduler } from '@core/base';
import type { Buf } from '../buf.js';
import { BufError } from '../buf-error.js';
import type { DelwriQueue, QueueWriter } from '../delwri-queue.js';
import type { BlockStore } from './block-store.js';
import type { FileState } from './file-state.js';
import { LOCKED, WRITE_FAIL } from './flags.js';
import { failureOf, isWritable, type WriteJob } from './write-job.js';
import { WriteRunner } from './write-runner.js';

/** Milliseconds between two attempts at most. */
const MAX_BACKOFF_MS = 30_000;
/** Blocks that are written at once to make room for a synchronous caller. */
const ROOM_BLOCKS = 64;

export interface WriterOptions {
  readonly store: BlockStore;
  readonly scheduler: Scheduler;
  /** Whether what waits is written in the background, when it is so old, in milliseconds. */
  readonly writeBack: boolean;
  readonly delayMs: number;
  readonly maxDirtyBlocks: number;
  /** Blocks of one write at most. */
  readonly maxRunBlocks: number;
  /** The first pause after a failed write, in milliseconds; each one is twice as long. */
  readonly retryMs: number;
  /** Attempts after the first one. */
  readonly retries: number;
}

/**
 * Sees to it that buffers that wait on queues are written: when somebody asks for it, and in the background, when they
 * are old enough, or too many.
 *
 * What could not be written is tried again after a while, each time after twice as long, until it is marked WRITE_FAIL:
 * then only `sync` tries, and reports.
 */
export class Writer implements QueueWriter {
  readonly runner: WriteRunner;
  private readonly options: WriterOptions;
  private readonly store: BlockStore;
  /** Files whose own queue has buffers. */
  private readonly dirtyFiles = new Set<FileState>();
  /** Queues of callers that have buffers. */
  private readonly local = new Set<DelwriQueue>();
  private readonly retryTimers = new Map<FileState, Scheduled>();
  private timer: Scheduled | null = null;
  private flushing = false;
  private closed = false;

  constructor(options: WriterOptions) {
    this.options = options;
    this.store = options.store;
    const { store, maxRunBlocks, retries } = options;
    this.runner = new WriteRunner({ store, maxRunBlocks, retries, onFailed: (file) => this.retryLater(file) });
  }

  /** Whether the bytes have to be on their way before a write is acknowledged. */
  get isWriteThrough(): boolean {
    return !this.options.writeBack;
  }

  /** A queue of a caller has got its first buffer, or lost its last one. */
  readonly onLocal = (queue: DelwriQueue): void => {
    if (queue.length > 0) {
      this.local.add(queue);
    } else {
      this.local.delete(queue);
    }
  };

  /** The same of a file's own. */
  onOwn(file: FileState): void {
    if (file.queue.length > 0) {
      this.dirtyFiles.add(file);
    } else {
      this.dirtyFiles.delete(file);
    }
  }

  /** All buffers of the file that wait, on whichever queue. */
  dirtyOf(file: FileState): Buf[] {
    const bufs = [...file.queue];
    if (bufs.length < file.dirty) {
      for (const queue of this.local) {
        bufs.push(...[...queue].filter((buf) => buf.file === file));
      }
    }
    return bufs;
  }

  /** Whether something is under way after which there may be room. */
  isBusy(): boolean {
    return this.runner.inFlight > 0 || this.retryTimers.size > 0 || this.hasFlushable();
  }

  /** A buffer of the file has begun to wait. */
  changed(): void {
    const { writeBack, delayMs, maxDirtyBlocks, scheduler } = this.options;
    if (!writeBack || this.closed) {
      return;
    }
    if (2 * this.store.dirty > maxDirtyBlocks) {
      this.kick();
    } else {
      this.timer ??= scheduler.after(delayMs, this.onTimer);
    }
  }

  /** Writes in the background what waits on the files' own queues, unless that is being done. */
  kick(): void {
    if (!this.flushing && !this.closed && this.hasFlushable()) {
      this.flushing = true;
      // Not at once: whoever is writing goes on, and has neighbours.
      this.options.scheduler.nextTurn(this.onKick, true);
    }
  }

  /** Waits while too much waits to be written. */
  async throttle(): Promise<void> {
    while (this.store.dirty > this.options.maxDirtyBlocks && this.isBusy()) {
      this.kick();
      await this.store.whenRoom();
    }
  }

  /** The same at once, as far as it goes. */
  throttleSync(): void {
    while (this.store.dirty > this.options.maxDirtyBlocks && this.writeSomeSync()) {
      // Until there is little enough, or nothing can be written.
    }
  }

  async write(bufs: readonly Buf[], wait: boolean): Promise<void> {
    const jobs = [...byFile(bufs)].map(([file, own]) => this.runner.jobOf(file, own));
    await Promise.all(jobs.map((job) => this.runner.run(job, wait)));
    const failure = failureOf(jobs);
    if (failure !== null) {
      throw failure;
    }
  }

  /**
   * Writes all that waits of a file, waiting for locks and for what is on its way.
   *
   * @throws {BufError} `ERR_BUF_WRITE`
   */
  async flush(file: FileState): Promise<void> {
    for (let bufs = this.dirtyOf(file); bufs.length > 0; bufs = this.dirtyOf(file).filter(isOwed)) {
      const job = this.runner.jobOf(file, bufs);
      await this.runner.run(job, true);
      this.reported(file, job);
    }
  }

  /** @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` */
  flushSync(file: FileState): void {
    const bufs = this.dirtyOf(file);
    checkWritable(file, bufs);
    const job = this.runner.jobOf(file, bufs);
    this.runner.runSync(job);
    this.reported(file, job);
  }

  writeSync(bufs: readonly Buf[]): void {
    const jobs = [...byFile(bufs)].map(([file, own]) => {
      checkWritable(file, own);
      return this.runner.jobOf(file, own);
    });
    for (const job of jobs) {
      this.runner.runSync(job);
    }
    const failure = failureOf(jobs);
    if (failure !== null) {
      throw failure;
    }
  }

  /** Writes some of what waits, at once. @returns whether it wrote any */
  writeSomeSync(): boolean {
    for (const file of this.dirtyFiles) {
      const bufs = flushableOf(file).slice(0, ROOM_BLOCKS);
      if (bufs.length > 0 && file.gate === null) {
        const before = this.runner.writtenBlocks;
        const job = this.runner.jobOf(file, bufs);
        this.runner.runSync(job);
        this.tell(job);
        if (this.runner.writtenBlocks > before) {
          return true;
        }
      }
    }
    return false;
  }

  /** Nothing is written in the background any more. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
    for (const file of this.retryTimers.keys()) {
      this.forget(file);
    }
  }

  /** The file is closed. */
  forget(file: FileState): void {
    this.retryTimers.get(file)?.cancel();
    this.retryTimers.delete(file);
  }

  private readonly onTimer = (): void => {
    this.timer = null;
    this.kick();
  };

  private readonly onKick = (): void => {
    void this.flushAll();
  };

  private async flushAll(): Promise<void> {
    try {
      await Promise.all(
        Array.from(this.dirtyFiles, async (file) => {
          const job = this.runner.jobOf(file, flushableOf(file));
          await this.runner.run(job, false);
          this.tell(job);
        }),
      );
    } finally {
      this.flushing = false;
      if (this.options.writeBack && !this.closed && this.dirtyFiles.size > 0) {
        this.timer ??= this.options.scheduler.after(this.options.delayMs, this.onTimer);
      }
      this.store.wake();
    }
  }

  private hasFlushable(): boolean {
    for (const file of this.dirtyFiles) {
      for (const buf of file.queue) {
        if (isFlushable(buf)) {
          return true;
        }
      }
    }
    return false;
  }

  private retryLater(file: FileState): void {
    const waiting = this.retryable(file);
    if (waiting.length === 0 || this.closed || this.retryTimers.has(file)) {
      return;
    }
    const attempts = Math.min(...waiting.map((buf) => buf.attempts));
    const delayMs = Math.min(MAX_BACKOFF_MS, this.options.retryMs * 2 ** (attempts - 1));
    this.retryTimers.set(
      file,
      this.options.scheduler.after(delayMs, () => {
        this.retryTimers.delete(file);
        void this.retry(file);
      }),
    );
  }

  private async retry(file: FileState): Promise<void> {
    const job = this.runner.jobOf(file, this.retryable(file));
    await this.runner.run(job, false);
    this.tell(job);
    // Those that were locked, and those that failed again.
    this.retryLater(file);
    this.store.wake();
  }

  private retryable(file: FileState): Buf[] {
    return this.dirtyOf(file).filter((buf) => buf.attempts > 0 && (buf.flags & WRITE_FAIL) === 0);
  }

  /** Nobody waits for the job: its errors go to the file's channel. */
  private tell(job: WriteJob): void {
    const failure = failureOf([job]);
    if (failure !== null) {
      job.file.onWriteError(failure);
    }
  }

  /** The caller hears of everything that waits in vain: from here on it is tried again in the background. */
  private reported(file: FileState, job: WriteJob): void {
    const failure = failureOf([job]);
    if (failure === null) {
      return;
    }
    for (const buf of this.dirtyOf(file)) {
      if ((buf.flags & WRITE_FAIL) !== 0) {
        buf.flags &= ~WRITE_FAIL;
        buf.attempts = 1;
      }
    }
    this.retryLater(file);
    throw failure;
  }
}

/**
 * Whether it has taken the place of a buffer whose write is not over, or has failed: then what a flush was to write may
 * be nowhere but in it.
 */
function isOwed({ after }: Buf): boolean {
  return after !== null && (!after.over || after.failed);
}

/** Whether the background may write it now. What has failed has a timer of its own. */
function isFlushable(buf: Buf): boolean {
  return buf.attempts === 0 && isWritable(buf);
}

function flushableOf(file: FileState): Buf[] {
  return [...file.queue].filter(isFlushable);
}

function byFile(bufs: readonly Buf[]): Map<FileState, Buf[]> {
  const files = new Map<FileState, Buf[]>();
  for (const buf of bufs) {
    const file = buf.file as FileState;
    const own = files.get(file);
    if (own === undefined) {
      files.set(file, [buf]);
    } else {
      own.push(buf);
    }
  }
  return files;
}

/** @throws {BufError} a synchronous write would have to wait for something */
function checkWritable(file: FileState, bufs: readonly Buf[]): void {
  for (const buf of bufs) {
    if ((buf.flags & LOCKED) !== 0) {
      throw new BufError(
        'ERR_BUF_LOCKED',
        `Cannot write block ${buf.block} synchronously: somebody has locked it; use the asynchronous call`,
      );
    }
    if (file.gate !== null || (buf.after !== null && !buf.after.over)) {
      throw new BufError(
        'ERR_BUF_BUSY',
        `Cannot write block ${buf.block} synchronously: older bytes of it are on their way, or the length of the file is being changed; use the asynchronous call`,
      );
    }
  }
}
