import type { BigIntStats } from 'node:fs';
import { systemError } from '@core/fs-source';
import type { FileBlocks } from './file-blocks.js';
import type { Descriptor, SharedFile } from './shared-file.js';

/** In the place of a position: that of the descriptor, which each read moves. */
export const OWN_POSITION = -1;
/** In the place of a number of bytes: the descriptor is none for the cache. Read by it as if there were none. */
export const UNCACHED = -1;

/** As of the kind of file in `st_mode`. */
const S_IFMT = 0o170000n;
const S_IFREG = 0o100000n;
/** So often a file is looked at again that changes all the time, before it is read as it is. */
const LOOKS_MAX = 3;
/** More at once is for node to refuse. */
const CONTENT_MAX = 0x7fff_ffff;
/** Read at once, where the descriptor's own position is moved by reading. */
const MOVE_BYTES = 65_536;

/**
 * A descriptor for reading.
 *
 * It has a position of its own, since reads that are answered from the cache do not move that of the system. The first
 * read finds out which file it is. When the cache cannot answer, or what it has may be wrong, or the file ends, the
 * system is asked: its results and errors are those that callers see.
 */
export class OpenFile implements Descriptor {
  readonly fd: number;
  /** Where the next read at {@link OWN_POSITION} begins, in bytes. */
  position = 0;
  isClosed = false;
  /** Once it is known to be none for the cache, as pipes are. */
  isUncached = false;
  private readonly blocks: FileBlocks;
  private shared: SharedFile | null = null;
  private looking: Promise<boolean> | null = null;
  /** Reads that have not ended, and who waits for that. */
  private reading = 0;
  private waiters: (() => void)[] = [];

  constructor(fd: number, blocks: FileBlocks) {
    this.fd = fd;
    this.blocks = blocks;
  }

  /**
   * Reads as `fs.readSync` does. The arguments must be good: a range of the buffer that is not empty, and a position
   * from 0, or {@link OWN_POSITION}.
   *
   * @returns bytes read, or {@link UNCACHED}
   */
  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    const at = position === OWN_POSITION ? this.position : position;
    const got = this.readAtSync(target, offset, length, at);
    if (position === OWN_POSITION && got > 0) {
      this.position = at + got;
    }
    return got;
  }

  /** As {@link readSync}, at once where the cache has it all. Reads at the own position follow one another. */
  read(target: Uint8Array, offset: number, length: number, position: number): number | Promise<number> {
    const got = this.readKnown(target, offset, length, position, false);
    return typeof got === 'number' ? got : this.counted(got ?? this.readSeen(target, offset, length, position));
  }

  /** As {@link readSync}, into buffers that are not empty, one after the other. */
  readvSync(targets: readonly Uint8Array[], position: number): number {
    const at = position === OWN_POSITION ? this.position : position;
    let done = 0;
    for (const target of targets) {
      const got = this.readAtSync(target, 0, target.length, at + done);
      if (got === UNCACHED && done === 0) {
        return UNCACHED;
      }
      done += Math.max(0, got);
      if (got < target.length) {
        break;
      }
    }
    if (position === OWN_POSITION) {
      this.position = at + done;
    }
    return done;
  }

  /** As {@link readvSync}. */
  readv(targets: readonly Uint8Array[], position: number): Promise<number> {
    return this.counted(this.readEach(targets, position));
  }

  /**
   * What is left from the own position to the end, which is the position then.
   *
   * @returns undefined where it cannot be read from the cache: {@link handOver}
   */
  readRestSync(): Buffer | undefined {
    const content = this.lookSync() ? this.roomForRest() : undefined;
    if (content === undefined) {
      return undefined;
    }
    const piece = this.pieceOf(content.length);
    let done = 0;
    while (done < content.length) {
      const got = this.readSync(content, done, Math.min(piece, content.length - done), OWN_POSITION);
      if (got <= 0) {
        return content.subarray(0, done);
      }
      done += got;
    }
    return content;
  }

  /** As {@link readRestSync}. */
  readRest(): Promise<Buffer | undefined> {
    return this.counted(this.readToEnd());
  }

  get isReading(): boolean {
    return this.reading > 0;
  }

  /** Resolves when no read is under way. */
  async idle(): Promise<void> {
    while (this.reading > 0) {
      await new Promise<void>((resolve) => {
        this.waiters.push(resolve);
      });
    }
  }

  /** To be called before it is closed: its number may be another file's then. */
  close(): void {
    this.isClosed = true;
    this.part();
  }

  /** Moves the position of the system to the own one: for what reads by the number itself. */
  handOver(): void {
    const { reads } = this.blocks;
    const nowhere = new Uint8Array(Math.min(this.position, MOVE_BYTES));
    for (let left = this.position; left > 0;) {
      const got = reads.readSync(this.fd, nowhere, 0, Math.min(left, MOVE_BYTES), null);
      left = got === 0 ? 0 : left - got;
    }
  }

  private readAtSync(target: Uint8Array, offset: number, length: number, at: number): number {
    const { blocks } = this;
    let { shared } = this;
    if (shared === null || at >= shared.size || !blocks.isFresh(shared)) {
      if (!this.lookSync()) {
        return UNCACHED;
      }
      shared = this.shared as SharedFile;
      if (!blocks.isFresh(shared)) {
        return blocks.reads.readSync(this.fd, target, offset, length, at);
      }
    }
    const wanted = Math.min(length, shared.size - at);
    if (wanted <= 0) {
      return 0;
    }
    if (wanted <= blocks.maxReadBytes) {
      try {
        if (shared.readSync(target, offset, wanted, at) === wanted) {
          return wanted;
        }
        // It is shorter than it was.
        blocks.doubt(shared);
      } catch {
        // The system says what is wrong.
      }
    }
    return blocks.reads.readSync(this.fd, target, offset, length, at);
  }

  /**
   * Reads as far as what is known is believed.
   *
   * @param isSeen whether it was looked at just now, so that its end is known, too
   * @returns undefined when it has to be looked at first
   */
  private readKnown(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
    isSeen: boolean,
  ): number | Promise<number> | undefined {
    const { blocks, shared } = this;
    if (shared === null || !blocks.isFresh(shared)) {
      return undefined;
    }
    const isOwn = position === OWN_POSITION;
    const at = isOwn ? this.position : position;
    const wanted = Math.min(length, shared.size - at);
    if (wanted <= 0) {
      return isSeen ? 0 : undefined;
    }
    const { version } = shared;
    const got =
      wanted > blocks.maxReadBytes
        ? this.readAsIs(target, offset, wanted, at)
        : shared.read(target, offset, wanted, at);
    if (isOwn) {
      // Whoever reads next at the own position reads what follows, as if this one had ended.
      this.position = at + wanted;
    }
    return got === wanted ? got : this.settle(got, shared, { target, offset, length, at, wanted, isOwn, version });
  }

  private async settle(reading: number | Promise<number>, shared: SharedFile, read: PendingRead): Promise<number> {
    const { blocks } = this;
    const { at, wanted } = read;
    let got = 0;
    try {
      got = await reading;
      if (got < wanted) {
        blocks.doubt(shared);
      }
    } catch {
      // The system says what is wrong.
    }
    try {
      if (got !== wanted || read.version !== shared.version) {
        got = 0;
        got = await this.readAsIs(read.target, read.offset, read.length, at);
      }
      return got;
    } finally {
      if (read.isOwn && this.position === at + wanted) {
        this.position = at + got;
      }
    }
  }

  private async readSeen(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      if (!(await this.look())) {
        return UNCACHED;
      }
      const got = this.readKnown(target, offset, length, position, true);
      if (got !== undefined) {
        return got;
      }
    }
    const at = position === OWN_POSITION ? this.position : position;
    const got = await this.readAsIs(target, offset, length, at);
    if (position === OWN_POSITION && this.position === at) {
      this.position = at + got;
    }
    return got;
  }

  private async readEach(targets: readonly Uint8Array[], position: number): Promise<number> {
    const at = position === OWN_POSITION ? this.position : position;
    let done = 0;
    for (const target of targets) {
      const got = await this.read(target, 0, target.length, at + done);
      if (got === UNCACHED && done === 0) {
        return UNCACHED;
      }
      done += Math.max(0, got);
      if (got < target.length) {
        break;
      }
    }
    if (position === OWN_POSITION && this.position === at) {
      this.position = at + done;
    }
    return done;
  }

  private async readToEnd(): Promise<Buffer | undefined> {
    const content = (await this.look()) ? this.roomForRest() : undefined;
    if (content === undefined) {
      return undefined;
    }
    const piece = this.pieceOf(content.length);
    let done = 0;
    while (done < content.length) {
      const got = await this.read(content, done, Math.min(piece, content.length - done), OWN_POSITION);
      if (got <= 0) {
        return content.subarray(0, done);
      }
      done += got;
    }
    return content;
  }

  /** With memory of its own, as node's. */
  private roomForRest(): Buffer | undefined {
    const left = Math.max(0, (this.shared?.size ?? 0) - this.position);
    return left > CONTENT_MAX ? undefined : Buffer.allocUnsafeSlow(left);
  }

  /** What does not fit into the cache is read at once, and not kept. */
  private pieceOf(bytes: number): number {
    const { maxBytes, maxReadBytes } = this.blocks;
    return bytes <= maxBytes ? maxReadBytes : bytes;
  }

  private readAsIs(target: Uint8Array, offset: number, length: number, at: number): Promise<number> {
    // Its number may be another file's by now.
    return this.isClosed
      ? Promise.reject(systemError('EBADF', 'read'))
      : this.blocks.reads.read(this.fd, target, offset, length, at);
  }

  private async counted<T>(reading: Promise<T>): Promise<T> {
    this.reading++;
    try {
      return await reading;
    } finally {
      this.reading--;
      if (this.reading === 0) {
        for (const resolve of this.waiters.splice(0)) {
          resolve();
        }
      }
    }
  }

  /** @returns false when it is none for the cache; when it cannot be told, what is known is not believed */
  private lookSync(): boolean {
    const { blocks } = this;
    if (blocks.isClosed) {
      return this.unseen();
    }
    const [moment, nowMs, wallMs] = [blocks.now(), blocks.clock.now(), Date.now()];
    let stats: BigIntStats;
    try {
      stats = blocks.reads.statSync(this.fd);
    } catch {
      return this.unseen();
    }
    return this.seen(stats, moment, nowMs, wallMs);
  }

  private look(): Promise<boolean> {
    if (this.blocks.isClosed) {
      return Promise.resolve(this.unseen());
    }
    this.looking ??= this.lookOnce();
    return this.looking;
  }

  private async lookOnce(): Promise<boolean> {
    const { blocks } = this;
    const [moment, nowMs, wallMs] = [blocks.now(), blocks.clock.now(), Date.now()];
    try {
      const stats = await blocks.reads.stat(this.fd);
      return this.seen(stats, moment, nowMs, wallMs);
    } catch {
      return this.unseen();
    } finally {
      this.looking = null;
    }
  }

  private seen(stats: BigIntStats, moment: number, nowMs: number, wallMs: number): boolean {
    const { blocks } = this;
    if (this.shared !== null && !this.shared.is(stats)) {
      // It was closed behind the façade's back.
      this.part();
      return this.unseen();
    }
    if (this.shared === null) {
      if (this.isClosed || blocks.isClosed || !isCacheable(stats)) {
        return this.unseen();
      }
      this.shared = blocks.join(this, stats);
    }
    this.shared.seen(stats, moment, nowMs, wallMs);
    return true;
  }

  /** It cannot be told which file it is; if it was known before, it is read as it is. */
  private unseen(): boolean {
    this.isUncached = this.shared === null;
    return !this.isUncached;
  }

  private part(): void {
    if (this.shared !== null) {
      this.blocks.leave(this, this.shared);
      this.shared = null;
    }
  }
}

/** What files say that are empty, some of them have content nevertheless, such as those of /proc. */
function isCacheable({ mode, size, ino, mtimeNs, ctimeNs }: BigIntStats): boolean {
  return (
    typeof ino === 'bigint' &&
    typeof mtimeNs === 'bigint' &&
    typeof ctimeNs === 'bigint' &&
    (mode & S_IFMT) === S_IFREG &&
    size > 0n
  );
}

interface PendingRead {
  readonly target: Uint8Array;
  readonly offset: number;
  /** Bytes that the caller asked for, and those of these that the file has. */
  readonly length: number;
  readonly wanted: number;
  readonly at: number;
  readonly isOwn: boolean;
  readonly version: number;
}
