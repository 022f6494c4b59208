import type { BigIntStats } from 'node:fs';
import type { BufCache, BufFile } from '@cache/buf';
import { type SourceFile, systemError } from '@core/fs-source';
import type { BackingReads } from './backing-reads.js';
import type { FileIdentity } from './fs-view.js';

/** Within so many milliseconds a file may change twice and have one change stamp; longer where times are seconds. */
const RACY_MS = 100;
const RACY_SECONDS_MS = 2000;
const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** A descriptor by which a file can be read. */
export interface Descriptor {
  readonly fd: number;
  /** From then on the number may be another file's. */
  readonly isClosed: boolean;
}

/** What cached blocks are made of, and told by. */
export interface SharedFilePorts {
  readonly reads: BackingReads;
  readonly cache: BufCache;
  /** For how long a look at the attributes is believed. */
  readonly ageMs: number;
  /** Called with each read of the file system below. */
  readonly onRead: () => void;
}

/**
 * What is cached of one file, by whatever descriptors it is open: its blocks, and the change stamp under which they were
 * read.
 *
 * A look that finds another stamp drops the blocks. So does one that finds the same, if the file was so young at the
 * look before that it may have changed since, within one tick of the file system's clock.
 */
export class SharedFile implements FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes of the file, as of the last look. */
  size = 0;
  /** Goes up when the blocks are dropped: what was read meanwhile may be of before and of after. */
  version = 0;
  /** Moments of the last look, and of the last change that somebody told of; see `FileBlocks`. */
  lookedAt = 0;
  doubtedAt = 0;
  validUntilMs: number = -Infinity;
  readonly descriptors: Set<Descriptor> = new Set();
  private readonly ports: SharedFilePorts;
  private readonly source: SourceFile;
  private blocks: BufFile | null = null;
  private mtimeNs = -1n;
  private ctimeNs = -1n;
  private isSettled = false;

  constructor({ dev, ino }: FileIdentity, ports: SharedFilePorts) {
    this.dev = dev;
    this.ino = ino;
    this.ports = ports;
    this.source = new DescriptorsSource(this.descriptors, ports);
  }

  /** Blocks in the cache. */
  get cached(): number {
    return this.blocks?.cached ?? 0;
  }

  is({ dev, ino }: FileIdentity): boolean {
    return this.dev === dev && this.ino === ino;
  }

  /**
   * What a look has shown.
   *
   * @param moment when it began: looks may end in another order
   * @param wallMs the same as milliseconds since the epoch, as the file's times are
   */
  seen(stats: BigIntStats, moment: number, nowMs: number, wallMs: number): void {
    if (moment < this.lookedAt) {
      return;
    }
    const { mtimeNs, ctimeNs } = stats;
    const size = Number(stats.size);
    const isSame = size === this.size && mtimeNs === this.mtimeNs && ctimeNs === this.ctimeNs;
    if (!isSame || !this.isSettled) {
      this.drop();
    }
    this.size = size;
    this.blocks?.endsAt(size);
    this.mtimeNs = mtimeNs;
    this.ctimeNs = ctimeNs;
    this.isSettled = isSettled(stats, wallMs);
    this.lookedAt = moment;
    this.validUntilMs = nowMs + this.ports.ageMs;
  }

  /** Fails as the file system below does, or since there is no room: then it is to be asked. */
  read(target: Uint8Array, offset: number, length: number, position: number): number | Promise<number> {
    try {
      return (this.blocks ?? this.open()).readInto(target, offset, length, position);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    return (this.blocks ?? this.open()).readIntoSync(target, offset, length, position);
  }

  /** Forgets the blocks. */
  drop(): void {
    this.version++;
    this.blocks?.invalidate();
  }

  /** Nobody may read it any more. */
  async close(): Promise<void> {
    this.version++;
    await this.blocks?.close({ discard: true });
  }

  private open(): BufFile {
    const blocks = this.ports.cache.open(this.source, { keepSource: true });
    blocks.endsAt(this.size);
    this.blocks = blocks;
    return blocks;
  }
}

function isSettled({ mtimeNs, ctimeNs }: BigIntStats, wallMs: number): boolean {
  const newestNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const isWhole = mtimeNs % NS_PER_SECOND === 0n && ctimeNs % NS_PER_SECOND === 0n;
  return wallMs - Number(newestNs / NS_PER_MS) > (isWhole ? RACY_SECONDS_MS : RACY_MS);
}

/**
 * Reads by any of the descriptors by which the file is open. If that one is closed meanwhile, its number may be another
 * file's by now, and what was read that file's bytes; so it is read again by another.
 */
class DescriptorsSource implements SourceFile {
  private readonly descriptors: ReadonlySet<Descriptor>;
  private readonly reads: BackingReads;
  private readonly onRead: () => void;

  constructor(descriptors: ReadonlySet<Descriptor>, { reads, onRead }: SharedFilePorts) {
    this.descriptors = descriptors;
    this.reads = reads;
    this.onRead = onRead;
  }

  get fd(): number {
    return this.any().fd;
  }

  async read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.onRead();
    for (;;) {
      const descriptor = this.any();
      try {
        const bytes = await this.reads.readv(descriptor.fd, buffers, position);
        if (!descriptor.isClosed) {
          return bytes;
        }
      } catch (error) {
        if (!descriptor.isClosed) {
          throw error;
        }
      }
    }
  }

  readSync(buffers: readonly Uint8Array[], position: number): number {
    this.onRead();
    return this.reads.readvSync(this.fd, buffers, position);
  }

  stat(): Promise<BigIntStats> {
    return this.reads.stat(this.fd);
  }

  statSync(): BigIntStats {
    return this.reads.statSync(this.fd);
  }

  write(): Promise<number> {
    return Promise.reject(readOnly('write'));
  }

  writeSync(): number {
    throw readOnly('write');
  }

  async datasync(): Promise<void> {}

  datasyncSync(): void {}

  truncate(): Promise<void> {
    return Promise.reject(readOnly('ftruncate'));
  }

  truncateSync(): void {
    throw readOnly('ftruncate');
  }

  /** The descriptors are those of the callers. */
  async close(): Promise<void> {}

  closeSync(): void {}

  private any(): Descriptor {
    for (const descriptor of this.descriptors) {
      return descriptor;
    }
    throw systemError('EBADF', 'read');
  }
}

function readOnly(syscall: string): Error {
  return systemError('EBADF', syscall);
}
