import type { Buf } from '../buf.js';
import type { BlockStore } from './block-store.js';
import type { FileState } from './file-state.js';
import { LOCKED, WRITE_FAIL, WRITING } from './flags.js';
import { BlockFlight } from './flight.js';
import { RunProgress } from './run-progress.js';
import { isDue, WriteJob } from './write-job.js';

/** Writes of one file that are in flight together. */
const PARALLEL = 4;

export interface WriteRunnerOptions {
  readonly store: BlockStore;
  /** Blocks of one write at most. */
  readonly maxRunBlocks: number;
  /** Attempts after the first one. */
  readonly retries: number;
  /** Called when writes of the file have failed. */
  readonly onFailed: (file: FileState) => void;
}

/**
 * Writes the buffers of a job, run by run.
 *
 * A buffer is locked while it is written: readers go on, whoever wants to change it waits. So what is on its way is
 * never half new. What was written leaves its queue; what was not stays there.
 */
export class WriteRunner {
  /** Buffers under I/O, reads as well. */
  inFlight = 0;
  writes = 0;
  writtenBlocks = 0;
  errors = 0;
  private readonly store: BlockStore;
  private readonly maxRunBlocks: number;
  private readonly retries: number;
  private readonly onFailed: (file: FileState) => void;

  constructor(options: WriteRunnerOptions) {
    this.store = options.store;
    this.maxRunBlocks = options.maxRunBlocks;
    this.retries = options.retries;
    this.onFailed = options.onFailed;
  }

  jobOf(file: FileState, bufs: readonly Buf[]): WriteJob {
    return new WriteJob(file, bufs, this.maxRunBlocks);
  }

  /** Never rejects: what failed is in the job. */
  async run(job: WriteJob, wait: boolean): Promise<void> {
    await Promise.all(Array.from({ length: PARALLEL }, () => this.writeRuns(job)));
    if (wait) {
      // One after the other, so that nobody waits for one lock while he has another.
      for (const buf of job.busy.splice(0)) {
        await this.writeBusy(job, buf);
      }
    }
  }

  /** The same at once. */
  runSync(job: WriteJob): void {
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
      this.onFailed(job.file);
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
    if (buf.attempts > this.retries) {
      buf.flags |= WRITE_FAIL;
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
