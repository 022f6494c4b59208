import type { Buf } from '../buf.js';
import { viewsOf } from './flight.js';

/** Errors of one run after which the rest is left for another time. */
const MAX_ERRORS = 4;
/** Of these no other block will fare better. */
const HOPELESS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EBADF']);

/** A buffer whose write has ended. */
interface Settled {
  readonly buf: Buf;
  /** Null: it was written. */
  readonly error: unknown;
}

/** How far the write of a run has come. */
export class RunProgress {
  errors = 0;
  /** The first buffer that is not settled, and how many bytes of it are written. */
  index = 0;
  private skip = 0;
  private readonly bufs: readonly Buf[];
  private settled: Settled[] = [];

  constructor(bufs: readonly Buf[]) {
    this.bufs = bufs;
  }

  get position(): number {
    const buf = this.bufs[this.index] as Buf;
    return buf.block * buf.bytes.length + this.skip;
  }

  /** What is left to write. */
  rest(): Uint8Array[] {
    return viewsOf(this.bufs, this.index, this.skip, this.bytesOf(this.bufs.length - 1));
  }

  /** So many bytes were written. */
  advance(bytes: number): void {
    for (let left = bytes; this.index < this.bufs.length;) {
      const missing = this.bytesOf(this.index) - this.skip;
      if (left < missing) {
        this.skip += left;
        return;
      }
      left -= missing;
      this.settle(null);
    }
  }

  /**
   * The first buffer that is left could not be written: had others been in the way, the write would have come short
   * before them. So it is passed over, unless there is no hope for the others either.
   */
  fail(error: unknown): void {
    this.errors++;
    this.settle(error);
    if (this.errors >= MAX_ERRORS || HOPELESS.has((error as { code?: unknown } | null)?.code)) {
      while (this.index < this.bufs.length) {
        this.settle(error);
      }
    }
  }

  /** What was settled since the last time. */
  take(): Settled[] {
    const { settled } = this;
    this.settled = [];
    return settled;
  }

  private settle(error: unknown): void {
    this.settled.push({ buf: this.bufs[this.index] as Buf, error });
    this.index++;
    this.skip = 0;
  }

  private bytesOf(index: number): number {
    return (this.bufs[index] as Buf).validBytes;
  }
}
