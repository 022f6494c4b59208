import type { Buf } from '../buf.js';
import { BufError, type BufRange } from '../buf-error.js';
import type { FileState } from './file-state.js';
import { BUSY, DELWRI_Q } from './flags.js';

/** What the system takes at once: `IOV_MAX` buffers. */
const MAX_VECTOR = 1024;

/** Buffers of one file that are to be written, in the order of their blocks, and what came of it. */
export class WriteJob {
  readonly file: FileState;
  /** Those that were locked when their turn came. */
  readonly busy: Buf[] = [];
  readonly failed: BufRange[] = [];
  /** The first of the errors. */
  cause: unknown = null;
  private readonly bufs: readonly Buf[];
  private readonly maxBlocks: number;
  private at = 0;

  /** @param maxBlocks of one write */
  constructor(file: FileState, bufs: readonly Buf[], maxBlocks: number) {
    this.file = file;
    this.bufs = bufs.toSorted((a, b) => a.block - b.block);
    this.maxBlocks = Math.min(maxBlocks, MAX_VECTOR);
  }

  /**
   * The next neighbours that can be written together; none at the end. Looks at each buffer when its turn comes: it may
   * have been written, dropped or locked since the job began.
   *
   * @param shared whether buffers that are being written may be written once more
   */
  nextRun(shared: boolean): Buf[] {
    const { bufs, file } = this;
    const run: Buf[] = [];
    for (; this.at < bufs.length; this.at++) {
      const buf = bufs[this.at] as Buf;
      const last = run.at(-1);
      if (last !== undefined && (buf.block !== last.block + 1 || run.length === this.maxBlocks)) {
        break;
      }
      if (!isDue(buf, file)) {
        continue;
      }
      if (!shared && !isWritable(buf)) {
        this.busy.push(buf);
        continue;
      }
      run.push(buf);
    }
    return run;
  }

  /** This buffer could not be written. */
  fail(buf: Buf, error: unknown): void {
    this.cause ??= error;
    const { blockBytes } = this.file.store;
    const position = buf.block * blockBytes;
    const length = this.file.validBytes(buf.block);
    const last = this.failed.at(-1);
    if (last !== undefined && last.position + last.length === position) {
      this.failed[this.failed.length - 1] = { position: last.position, length: last.length + length };
    } else {
      this.failed.push({ position, length });
    }
  }
}

/** Whether the buffer is this file's, and still waits to be written. */
export function isDue(buf: Buf, file: FileState): boolean {
  return buf.file === file && (buf.flags & DELWRI_Q) !== 0;
}

/** Whether a write of it may begin. */
export function isWritable(buf: Buf): boolean {
  return (buf.flags & BUSY) === 0 && (buf.after === null || buf.after.over);
}

/** What the jobs could not write, as an error; null if there is nothing. */
export function failureOf(jobs: readonly WriteJob[]): BufError | null {
  const failed = jobs.filter((job) => job.failed.length > 0);
  const [first] = failed;
  if (first === undefined) {
    return null;
  }
  const ranges = failed.flatMap((job) => job.failed.toSorted((a, b) => a.position - b.position));
  const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
  return new BufError(
    'ERR_BUF_WRITE',
    `Cannot write ${bytes} bytes at ${ranges.map(({ position }) => position).join(', ')}: ${messageOf(first.cause)}; they are kept, and sync() writes them again`,
    { cause: first.cause, ranges },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
