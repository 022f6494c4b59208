import { assert, reportUncaught, systemScheduler } from '@core/base';
import type { SourceFile } from '@core/fs-source';
import type { WalkControl } from '@core/list-lru';
import { Rcu } from '@core/rcu';
import {
  DEFAULT_SEEKS,
  type MemoryGroup,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type ShrinkControl,
  type Shrinker,
  type ShrinkerSpec,
  type Zone,
} from '@core/shrinker';
import type { Buf } from './buf.js';
import { BufError } from './buf-error.js';
import { BufFile, type FileOwner } from './buf-file.js';
import { DelwriQueue } from './delwri-queue.js';
import { BlockStore } from './internal/block-store.js';
import { checkOpen, checkOptions } from './internal/check-options.js';
import { FileState } from './internal/file-state.js';
import { READING, WRITING } from './internal/flags.js';
import { Readahead } from './internal/readahead.js';
import { Reader } from './internal/reader.js';
import { Writer } from './internal/writer.js';
import {
  type BufCacheOptions,
  type BufCacheStats,
  type CloseOptions,
  LRU_REFS,
  type OpenOptions,
  type WriteBackOptions,
} from './options.js';

const ZONE = 'external';
const BLOCK_BYTES = 4096;
const MAX_BYTES = 64 * 2 ** 20;
const READAHEAD_BYTES = 128 * 1024;
const MAX_WRITE_BYTES = 2 ** 20;
const DELAY_MS = 1000;
const RETRY_MS = 100;
const RETRIES = 5;
/** Blocks of an arena: as many, or so small a part of the cache that it can give back some. */
const ARENA_BLOCKS = 64;
const ARENA_SHARE = 8;
/** Blocks to a scan in a group. */
const GROUP_BATCH = 32;
/** A window is at most such a part of the cache. */
const READAHEAD_SHARE = 4;

/** The grace periods of all caches that are given none: turns of the event loop. */
let sharedRcu: Rcu | null = null;

/**
 * A cache of fixed-size blocks of files and block devices.
 *
 * A hit is a look-up in one table, and allocates nothing. Blocks are in arenas, which are freed as a whole. Changed
 * blocks wait on queues, and are written in the order of their positions, neighbours together.
 *
 * @see Linux fs/xfs/xfs_buf.c
 */
export class BufCache implements AsyncDisposable {
  readonly name: string;
  readonly blockBytes: number;
  private readonly store: BlockStore;
  private readonly reader: Reader;
  private readonly writer: Writer;
  private readonly owner: Owner;
  private readonly files = new Map<FileState, BufFile>();
  private readonly types: ReadonlyMap<string, number>;
  private readonly group: MemoryGroup | null;
  private readonly seeks: number;
  private readonly readaheadBlocks: number;
  private readonly onError: (error: unknown) => void;
  private lastId = 0;
  private closed = false;

  /**
   * @throws {RangeError} a number is out of range
   * @throws {TypeError} an option is nothing of its kind, or has a name that is none
   */
  constructor(options: BufCacheOptions = {}) {
    checkOptions(options);
    const { blockBytes = BLOCK_BYTES, maxBytes = MAX_BYTES, readaheadBytes = READAHEAD_BYTES } = options;
    const arenaBlocks = arenaBlocksOf(Math.floor(maxBytes / blockBytes));
    const maxBlocks = Math.floor(maxBytes / blockBytes / arenaBlocks) * arenaBlocks;
    const scheduler = options.scheduler ?? systemScheduler;
    const writeBack: WriteBackOptions = typeof options.writeBack === 'object' ? options.writeBack : {};
    this.name = options.name ?? 'buf';
    this.blockBytes = blockBytes;
    this.types = new Map(Object.entries({ ...LRU_REFS, ...options.lruRefs }));
    this.group = options.group ?? null;
    this.seeks = options.seeks ?? DEFAULT_SEEKS;
    this.readaheadBlocks = Math.floor(Math.min(readaheadBytes / blockBytes, maxBlocks / READAHEAD_SHARE));
    this.onError = guarded(options.onError ?? reportUncaught);
    this.store = new BlockStore({
      blockBytes,
      maxBlocks,
      arenaBlocks,
      maxLruRef: Math.max(...this.types.values()),
      group: this.group,
      rcu: options.rcu ?? (sharedRcu ??= new Rcu()),
      scheduler,
    });
    this.writer = new Writer({
      store: this.store,
      scheduler,
      writeBack: options.writeBack !== undefined && options.writeBack !== false,
      delayMs: writeBack.delayMs ?? DELAY_MS,
      maxDirtyBlocks: Math.floor((writeBack.maxDirtyBytes ?? maxBytes / 2) / blockBytes),
      maxRunBlocks: Math.max(1, Math.floor((options.maxWriteBytes ?? MAX_WRITE_BYTES) / blockBytes)),
      retryMs: options.retryMs ?? RETRY_MS,
      retries: options.retries ?? RETRIES,
    });
    this.reader = new Reader(this.store, this.writer);
    this.owner = new Owner(this.store, this.files, this.onError);
  }

  /**
   * Makes a file's blocks cacheable. The cache takes the source over: `close` of the file closes it. Two files over one
   * source, or over two sources of the same path, do not know of each other.
   *
   * @throws {TypeError | RangeError} the source is none, or an option is none
   * @throws {BufError} `ERR_BUF_CLOSED`
   */
  open(source: SourceFile, options: OpenOptions = {}): BufFile {
    checkOpen(source, options, this.types);
    if (this.closed) {
      throw new BufError('ERR_BUF_CLOSED', `Cannot open a file: "${this.name}" is closed; create a new cache`);
    }
    const { store, writer, reader, owner } = this;
    const { onWriteError } = options;
    const state: FileState = new FileState({
      id: ++this.lastId,
      source,
      store,
      writer,
      readahead: new Readahead(this.readaheadBlocks),
      queue: new DelwriQueue(store, writer, () => writer.onOwn(state)),
      lruRef: this.types.get(options.type ?? 'data') as number,
      onWriteError:
        onWriteError === undefined ? this.onError : guarded((error) => onWriteError(error as BufError, source)),
    });
    const file = new BufFile({ state, store, reader, writer, owner, keepSource: options.keepSource === true });
    this.files.set(state, file);
    return file;
  }

  /** A queue of the caller's own, for writes that have to wait for something. `sync` does not wait for it, and writes. */
  delwriQueue(): DelwriQueue {
    return new DelwriQueue(this.store, this.writer, this.writer.onLocal);
  }

  /** Syncs every file. @throws as `file.sync`; several at once as `AggregateError` */
  async sync(): Promise<void> {
    await settleAll(
      Array.from(this.files.values(), (file) => file.sync()),
      'sync',
    );
  }

  /** What to register with a `ShrinkerRegistry`, so that idle blocks go under pressure. In a group, {@link attach} it. */
  asShrinker(): ShrinkerSpec {
    return {
      name: this.name,
      seeks: this.seeks,
      // A charge for one arena should not cost the whole cache.
      ...(this.group === null ? {} : { batch: GROUP_BATCH }),
      zoneAware: true,
      groupAware: this.group !== null,
      // Never in another zone, so that it need not be asked again.
      count: (sc) => (sc.zone === ZONE ? this.count(sc) : SHRINK_EMPTY),
      scan: (sc) => (this.isAskedBy(sc) && !this.store.isServed ? this.scan(sc) : SHRINK_STOP),
      retiredBytes: (zone) => this.retiredBytes(zone),
      objectBytes: (zone) => this.objectBytes(zone),
      skipped: () => ({ held: this.owner.held, dirty: this.store.dirty }),
    };
  }

  /**
   * Has passes over the cache's group, and those that its limits begin, reach the cache. Once, after the shrinker that
   * {@link asShrinker} describes was registered; a plugin has done it. Without a group nothing is to do.
   *
   * @returns the shrinker
   * @throws {TypeError} it is no shrinker
   * @throws {ShrinkerError} `ERR_SHRINKER_FOREIGN` it belongs to another registry than the group
   */
  attach(shrinker: Shrinker): Shrinker {
    this.group?.setShrinkerBit(shrinker, ZONE);
    return shrinker;
  }

  /**
   * Blocks that may be reclaimed: of the control's zone and group; without one, all. With {@link prune} and what follows
   * it can be a part of a shrinker that several caches have in common, such as a `SuperBlock`.
   */
  count(sc?: ShrinkControl): number {
    return sc === undefined || this.isAskedBy(sc) ? this.store.lru.length : 0;
  }

  /** Looks at up to `nr` of these, oldest first. @returns how many it has let go */
  prune(nr: number, sc?: ShrinkControl): number {
    const mayScan = sc === undefined || this.isAskedBy(sc);
    return mayScan && !this.store.isServed ? this.scan({ nrToScan: nr, nrScanned: 0 }) : 0;
  }

  /** Bytes of a block, in the zone in which blocks are. */
  objectBytes(zone: Zone): number {
    return zone === ZONE ? this.blockBytes : 0;
  }

  /** Bytes of blocks that have left, and wait for those who may look at them. */
  retiredBytes(zone: Zone): number {
    return zone === ZONE ? this.store.pending.bytes : 0;
  }

  /** Bytes of all arenas, free blocks included. */
  get bytes(): number {
    return this.store.pool.bytes;
  }

  stats(): BufCacheStats {
    const { store, reader, writer, owner } = this;
    return {
      name: this.name,
      files: this.files.size,
      hits: owner.hits,
      misses: owner.misses,
      reads: reader.reads,
      readBlocks: reader.readBlocks,
      readAheads: reader.readAheads,
      writes: writer.runner.writes,
      writtenBlocks: writer.runner.writtenBlocks,
      writeErrors: writer.runner.errors,
      evictions: store.evictions,
      used: store.used,
      idle: store.lru.length,
      dirty: store.dirty,
      inFlight: writer.runner.inFlight,
      pending: store.pending.count,
      held: owner.held,
      leaks: owner.leaks,
      arenas: store.pool.arenaCount,
      arenaBytes: store.pool.bytes,
    };
  }

  /**
   * Closes every file, and gives back all memory that nobody holds. If a file cannot be closed since its writes fail, it
   * stays open, and so does the cache, unless `discard` is set. Idempotent.
   *
   * @throws as `file.close`; several at once as `AggregateError`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.closed = true;
    try {
      await settleAll(
        Array.from(this.files.values(), (file) => file.close(options)),
        'close',
      );
    } finally {
      if (this.files.size > 0) {
        this.closed = false;
      } else {
        this.writer.close();
        await this.store.close();
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For tests: throws when the books do not balance. O(blocks). */
  checkInvariants(): void {
    const { store, writer } = this;
    store.checkInvariants();
    let inFlight = 0;
    let dirty = 0;
    let cached = 0;
    for (const [state] of this.files) {
      const bufs = state.buffers(0, Infinity);
      cached += bufs.length;
      dirty += state.dirty;
      inFlight += state.reading + state.writing;
      assert(bufs.length === state.cached, () => `File ${state.id} has ${bufs.length} buffers of ${state.cached}`);
      assert(
        writer.dirtyOf(state).length === state.dirty,
        () => `File ${state.id} counts ${state.dirty} dirty buffers`,
      );
    }
    assert(cached === store.index.count, () => `Files have ${cached} buffers, the index has ${store.index.count}`);
    assert(dirty === store.dirty, () => `Files count ${dirty} dirty buffers, the store ${store.dirty}`);
    assert(
      inFlight === writer.runner.inFlight,
      () => `Files count ${inFlight} buffers under I/O, not ${writer.runner.inFlight}`,
    );
    let busy = 0;
    for (const buf of store.pool) {
      busy += (buf.flags & (READING | WRITING)) === 0 ? 0 : 1;
    }
    assert(busy === inFlight, () => `${busy} buffers are under I/O, and ${inFlight} counted`);
  }

  private scan(control: WalkControl): number {
    const evicted = this.store.scan(control);
    // What waits to be written can't go now, but later.
    this.writer.kick();
    return evicted;
  }

  private isAskedBy(sc: ShrinkControl): boolean {
    return sc.zone === ZONE && (this.group === null || sc.group === null || sc.group === this.group.heir);
  }
}

/** What files tell their cache. */
class Owner implements FileOwner {
  hits = 0;
  misses = 0;
  held = 0;
  leaks = 0;
  private readonly store: BlockStore;
  private readonly files: Map<FileState, BufFile>;
  private readonly onError: (error: unknown) => void;

  constructor(store: BlockStore, files: Map<FileState, BufFile>, onError: (error: unknown) => void) {
    this.store = store;
    this.files = files;
    this.onError = onError;
  }

  guardOpened(): void {
    this.held++;
  }

  guardEnded(buf: Buf, leaked: boolean): void {
    this.held--;
    const { block } = buf;
    this.store.release(buf);
    if (leaked) {
      this.leaks++;
      this.onError(
        new BufError(
          'ERR_BUF_LEAK',
          `Cannot go on holding block ${block}: its guard was garbage-collected; release every guard`,
        ),
      );
    }
  }

  fileClosed(state: FileState): void {
    this.files.delete(state);
  }
}

function arenaBlocksOf(maxBlocks: number): number {
  const share = Math.max(1, maxBlocks / ARENA_SHARE);
  return Math.min(ARENA_BLOCKS, 2 ** Math.floor(Math.log2(share)));
}

/** Waits for all, then throws what went wrong. */
async function settleAll(promises: readonly Promise<void>[], action: string): Promise<void> {
  const results = await Promise.allSettled(promises);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length === 1) {
    throw errors[0];
  }
  if (errors.length > 1) {
    throw new AggregateError(errors, `Cannot ${action} ${errors.length} files`);
  }
}

/** An error channel that cannot fail: an error of the channel itself is reported as well. */
function guarded(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch (second) {
      reportUncaught(second);
    }
  };
}
