import type { BigIntStats } from 'node:fs';
import { BufCache, type BufCacheStats } from '@cache/buf';
import { assert, type Clock, type Scheduler } from '@core/base';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup, ShrinkControl, Shrinker, Zone } from '@core/shrinker';
import type { Backing } from './backing.js';
import { BackingReads } from './backing-reads.js';
import type { UsedPart } from './content-budget.js';
import type { FileIdentity } from './fs-view.js';
import { OpenFile } from './open-file.js';
import { SharedFile } from './shared-file.js';

/** Files that nobody has open, of which blocks are kept. */
const IDLE_MAX = 1024;
/** A read of more than such a part of the cache would put out all else, and is no use there. */
const SHARE_OF_READ = 4;
/** As much as is side by side in memory, so that a window is one piece: a stream then waits for four chunks at once. */
const READAHEAD_BYTES = 262_144;
/** Less is not worth the trouble. */
const MIN_BYTES = 65_536;

export interface FileBlocksOptions {
  readonly backing: Backing;
  /** Bytes of blocks at most. */
  readonly maxBytes: number;
  /** For how long a look at a file is believed. */
  readonly ageMs: number;
  /** Called when blocks take more memory than they ever did before, or since it was given back. */
  readonly onGrow: () => void;
  readonly name: string;
  readonly clock: Clock;
  readonly group: MemoryGroup | null;
  readonly scheduler: Scheduler | undefined;
  readonly rcu: RcuFlavor | undefined;
  readonly onError: ((error: unknown) => void) | undefined;
}

/**
 * The blocks of files that are read by descriptor. A file is known by its device and number, so that who opens it again
 * finds what was read before, under whatever name.
 *
 * Looks and changes are put in order by moments, which are counted: a look that began before somebody told of a change
 * may have seen the file as it was.
 */
export class FileBlocks implements UsedPart {
  readonly reads: BackingReads;
  /** Bytes of all blocks, and of one read. */
  readonly maxBytes: number;
  readonly maxReadBytes: number;
  readonly clock: Clock;
  /** Since when nothing is read through the cache any more. */
  isClosed = false;
  private readonly cache: BufCache;
  private readonly ageMs: number;
  private readonly onGrow: () => void;
  private bytesBefore = 0;
  /** By device and number. */
  private readonly files = new Map<string, SharedFile>();
  /** Of these, those that nobody has open, in the order in which they were closed. */
  private readonly idle = new Set<SharedFile>();
  private moment = 0;
  /** Of the last change that may be one of any file. */
  private doubtedAt = 0;

  private constructor(options: FileBlocksOptions) {
    this.reads = new BackingReads(options.backing);
    this.maxBytes = options.maxBytes;
    this.maxReadBytes = Math.floor(options.maxBytes / SHARE_OF_READ);
    this.clock = options.clock;
    this.ageMs = options.ageMs;
    this.onGrow = options.onGrow;
    this.cache = new BufCache({
      name: options.name,
      maxBytes: options.maxBytes,
      readaheadBytes: READAHEAD_BYTES,
      group: options.group,
      ...(options.scheduler === undefined ? {} : { scheduler: options.scheduler }),
      ...(options.rcu === undefined ? {} : { rcu: options.rcu }),
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    });
  }

  /** Null where files can't be read by descriptor in all forms, or there is too little room. */
  static of(options: FileBlocksOptions): FileBlocks | null {
    return options.maxBytes >= MIN_BYTES && BackingReads.isPossible(options.backing) ? new FileBlocks(options) : null;
  }

  /** Bytes that the blocks take. */
  get bytes(): number {
    return this.cache.bytes;
  }

  /** Reads through the cache so far. */
  get uses(): number {
    const { hits, misses } = this.cache.stats();
    return hits + misses;
  }

  /** A descriptor that was just opened for reading. Nobody looks at it until it is read. */
  open(fd: number): OpenFile {
    return new OpenFile(fd, this);
  }

  /** A moment after all that has been told, for a look that begins now. */
  now(): number {
    return ++this.moment;
  }

  isFresh({ lookedAt, doubtedAt, validUntilMs }: SharedFile): boolean {
    return lookedAt > this.doubtedAt && lookedAt > doubtedAt && validUntilMs > this.clock.now() && !this.isClosed;
  }

  /** Somebody has told of a change: of this file, or of any. */
  doubt(file?: FileIdentity): void {
    if (file === undefined) {
      this.doubtedAt = this.now();
      return;
    }
    const shared = this.files.get(keyOf(file));
    if (shared !== undefined) {
      shared.doubtedAt = this.now();
    }
  }

  /** The file that a descriptor was found to be of. */
  join(descriptor: OpenFile, stats: BigIntStats): SharedFile {
    const key = keyOf(stats);
    let shared = this.files.get(key);
    if (shared === undefined) {
      const { reads, cache, ageMs } = this;
      shared = new SharedFile(stats, { reads, cache, ageMs, onRead: this.grew });
      this.files.set(key, shared);
    }
    this.idle.delete(shared);
    shared.descriptors.add(descriptor);
    return shared;
  }

  leave(descriptor: OpenFile, shared: SharedFile): void {
    shared.descriptors.delete(descriptor);
    if (shared.descriptors.size > 0 || this.isClosed) {
      return;
    }
    if (shared.cached === 0) {
      this.forget(shared);
      return;
    }
    this.idle.add(shared);
    if (this.idle.size > IDLE_MAX) {
      this.forget(this.idle.values().next().value as SharedFile);
    }
  }

  count(sc?: ShrinkControl): number {
    return this.cache.count(sc);
  }

  prune(nr: number, sc?: ShrinkControl): number {
    return this.cache.prune(nr, sc);
  }

  objectBytes(zone: Zone): number {
    return this.cache.objectBytes(zone);
  }

  retiredBytes(zone: Zone): number {
    return this.cache.retiredBytes(zone);
  }

  attach(shrinker: Shrinker): void {
    this.cache.attach(shrinker);
  }

  stats(): BufCacheStats {
    return this.cache.stats();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.files.clear();
    this.idle.clear();
    await this.cache.close({ discard: true });
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.cache.checkInvariants();
    let cached = 0;
    for (const [key, shared] of this.files) {
      const { size } = shared.descriptors;
      cached += shared.cached;
      assert(keyOf(shared) === key, () => `File ${keyOf(shared)} is kept as ${key}`);
      assert(this.idle.has(shared) === (size === 0), () => `File ${key} has ${size} descriptors, and is idle, or not`);
    }
    for (const shared of this.idle) {
      assert(this.files.get(keyOf(shared)) === shared, () => `File ${keyOf(shared)} is idle, and not kept`);
    }
    const { used } = this.cache.stats();
    assert(cached <= used, () => `Files have ${cached} blocks of ${used}`);
  }

  /** By whatever was read before: the memory of what is being read is not known yet. */
  private readonly grew = (): void => {
    const { bytes } = this;
    if (bytes > this.bytesBefore) {
      this.onGrow();
    }
    this.bytesBefore = bytes;
  };

  private forget(shared: SharedFile): void {
    this.idle.delete(shared);
    this.files.delete(keyOf(shared));
    void shared.close();
  }
}

function keyOf({ dev, ino }: FileIdentity): string {
  return `${dev}:${ino}`;
}
