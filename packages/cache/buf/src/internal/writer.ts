import type { Scheduled, Scheduler } from '@core/base';
import type { Buf } from '../buf.js';
import { BufError } from '../buf-error.js';
import type { DelwriQueue, QueueWriter } from '../delwri-queue.js';
import type { BlockStore } from './block-store.js';
import type { FileState } from './file-state.js';
import { LOCKED, WRITE_FAIL, WRITING } from './flags.js';
import { BlockFlight } from './flight.js';
import { RunProgress } from './run-progress.js';
import { failureOf, isDue, isWritable, WriteJob } from './write-job.js';

/** Writes of one file that are in flight together. */
const PARALLEL = 4;
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
 * Writes buffers that wait on queues.
 *
 * A buffer is locked while it is written: readers go on, whoever wants to change it waits. So what is on its way is
 * never half new. What was written leaves its queue; what was not stays there, and is tried again after a while, each
 * time after twice as long, until it is marked WRITE_FAIL: then only `sync` tries, and reports.
 */
export class Writer implements QueueWriter {
  /** Buffers under I/O, reads as well. */
  inFlight = 0;
  writes = 0;
  writtenBlocks = 0;
  errors = 0;
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
    return this.inFlight > 0 || this.retryTimers.size > 0 || this.hasFlushable();
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
    const jobs = [...byFile(bufs)].map(([file, own]) => this.jobOf(file, own));
    await Promise.all(jobs.map((job) => this.work(job, wait)));
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
      const job = this.jobOf(file, bufs);
      await this.work(job, true);
      this.reported(file, job);
    }
  }

  /** @throws {BufError} `ERR_BUF_WRITE`, `ERR_BUF_LOCKED`, `ERR_BUF_BUSY` */
  flushSync(file: FileState): void {
    const bufs = this.dirtyOf(file);
    checkWritable(file, bufs);
    const job = this.jobOf(file, bufs);
    this.workSync(job);
    this.reported(file, job);
  }

  writeSync(bufs: readonly Buf[]): void {
    const jobs = [...byFile(bufs)].map(([file, own]) => {
      checkWritable(file, own);
      return this.jobOf(file, own);
    });
    for (const job of jobs) {
      this.workSync(job);
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
        const before = this.writtenBlocks;
        const job = this.jobOf(file, bufs);
        this.workSync(job);
        this.tell(job);
        if (this.writtenBlocks > before) {
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
          const job = this.jobOf(file, flushableOf(file));
          await this.work(job, false);
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

  private jobOf(file: FileState, bufs: readonly Buf[]): WriteJob {
    return new WriteJob(file, bufs, this.options.maxRunBlocks);
  }

  /** Never rejects: what failed is in the job. */
  private async work(job: WriteJob, wait: boolean): Promise<void> {
    await Promise.all(Array.from({ length: PARALLEL }, () => this.writeRuns(job)));
    if (wait) {
      // One after the other, so that nobody waits for one lock while he has another.
      for (const buf of job.busy.splice(0)) {
        await this.writeBusy(job, buf);
      }
    }
  }

  private async writeRuns(job: WriteJob): Promise<void> {
    for (;;) {
      while (job.file.gate !== null) {
        await job.file.gate;
      }
      const run = job.nextRun(false);
      if (run.length === 0) {
        return;
      }
      await this.launch(job, run);
    }
  }

  /** Waits until nobody else has the buffer, and writes it if it still waits. */
  private async writeBusy(job: WriteJob, buf: Buf): Promise<void> {
    const { file } = job;
    if (!isDue(buf, file)) {
      return;
    }
    this.store.hold(buf);
    try {
      for (;;) {
        await buf.lock();
        const { after } = buf;
        if (isDue(buf, file) && (file.gate !== null || (after !== null && !after.over))) {
          buf.unlock();
          await (file.gate ?? after?.ended);
          continue;
        }
        break;
      }
      if (isDue(buf, file)) {
        buf.flags &= ~LOCKED;
        await this.launch(job, [buf]);
      } else {
        buf.unlock();
      }
    } finally {
      this.store.release(buf);
    }
  }

  private launch(job: WriteJob, bufs: readonly Buf[]): Promise<void> {
    const { file } = job;
    for (const buf of bufs) {
      this.store.hold(buf);
      buf.flags |= WRITING;
      buf.after = null;
    }
    file.writing += bufs.length;
    this.inFlight += bufs.length;
    const flight = new BlockFlight(file, bufs);
    flight.ended = this.fly(job, flight);
    return flight.ended;
  }

  private async fly(job: WriteJob, flight: BlockFlight): Promise<void> {
    const run = new RunProgress(flight.bufs);
    while (run.index < flight.count) {
      try {
        run.advance(checkWritten(await job.file.source.write(run.rest(), run.position)));
        this.writes++;
      } catch (error) {
        run.fail(error);
        flight.failed = true;
      }
      this.landAll(job, run);
    }
    flight.over = true;
    this.ended(job, run);
  }

  private workSync(job: WriteJob): void {
    for (let bufs = job.nextRun(true); bufs.length > 0; bufs = job.nextRun(true)) {
      const run = new RunProgress(bufs);
      while (run.index < bufs.length) {
        try {
          run.advance(checkWritten(job.file.source.writeSync(run.rest(), run.position)));
          this.writes++;
        } catch (error) {
          run.fail(error);
        }
        for (const { buf, error } of run.take()) {
          // One that is on its way is left to its flight: the same bytes will be written once more.
          if (error !== null) {
            this.failed(job, buf, error);
          } else if ((buf.flags & WRITING) === 0) {
            this.written(buf);
          }
        }
      }
      this.ended(job, run);
    }
  }

  /** What a write has settled is unlocked at once, and not with the last of its run. */
  private landAll(job: WriteJob, run: RunProgress): void {
    const { file } = job;
    for (const { buf, error } of run.take()) {
      buf.flags &= ~WRITING;
      buf.flight = null;
      file.writing--;
      this.inFlight--;
      if (error === null) {
        this.written(buf);
      } else {
        this.failed(job, buf, error);
      }
      buf.passLock();
      this.store.release(buf);
    }
  }

  private ended(job: WriteJob, run: RunProgress): void {
    job.file.settle();
    if (run.errors > 0) {
      this.errors += run.errors;
      this.retryLater(job.file);
    }
    this.store.wake();
  }

  private written(buf: Buf): void {
    buf.flags &= ~WRITE_FAIL;
    buf.attempts = 0;
    this.writtenBlocks++;
    if (buf.queue !== null) {
      (buf.file as FileState).landed(buf);
      buf.queue.remove(buf);
      this.store.release(buf);
    }
  }

  private failed(job: WriteJob, buf: Buf, error: unknown): void {
    if (!isDue(buf, job.file)) {
      return;
    }
    job.fail(buf, error);
    buf.attempts++;
    if (buf.attempts > this.options.retries) {
      buf.flags |= WRITE_FAIL;
    }
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
    const job = this.jobOf(file, this.retryable(file));
    await this.work(job, false);
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

/** A source that writes nothing, and does not say why, would be asked for ever. */
function checkWritten(bytes: number): number {
  if (!(bytes > 0)) {
    throw new Error(`The file took ${bytes} bytes of a write`);
  }
  return bytes;
}
