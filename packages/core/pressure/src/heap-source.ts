import v8 from 'node:v8';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { type HeapLimit, heapLimitOf } from './internal/heap-limit.js';

/** What V8 says of the old generation of this thread's heap. Bytes. */
export interface HeapSource {
  /** What the old generation may grow to, and where that was found. */
  limit(): HeapLimit;
  /** All that is on the heap, garbage included. A few microseconds. */
  usedBytes(): number;
  /**
   * What the major collections that ended since the last call left, oldest first. Also for those that ended in this
   * very turn: it is the one signal that a loop that never yields can have. Tens of microseconds.
   */
  collections(): readonly MajorCollection[];
  close(): void;
}

export interface MajorCollection {
  /** Bytes that were alive in the old generation. */
  readonly liveBytes: number;
  /**
   * Bytes of the old generation that were taken from the system just before, and that were neither used nor usable then:
   * 0 unless the heap had to grow although they were free.
   */
  readonly wastedBytes: number;
  /** Bytes of the old generation that were taken from the system just before. Absent: what is alive and wasted. */
  readonly committedBytes?: number;
}

/** The parts of `node:v8` that are read, for tests. */
export interface V8Like {
  getHeapStatistics(): { readonly heap_size_limit: number; readonly used_heap_size: number };
  /** Absent in runtimes that are no Node. */
  readonly GCProfiler?: new () => { start(): void; stop(): GCReport };
}

interface GCReport {
  readonly statistics: readonly {
    readonly gcType: string;
    readonly beforeGC: GCSnapshot;
    readonly afterGC: GCSnapshot;
  }[];
}

interface GCSnapshot {
  readonly heapSpaceStatistics: readonly {
    readonly spaceName: string;
    readonly spaceSize: number;
    readonly spaceUsedSize: number;
  }[];
}

export interface V8HeapSourceOptions {
  /** Default `node:v8`. */
  readonly v8?: V8Like;
  /** Flags of this process, by default its own and those of `NODE_OPTIONS`, the latter first. */
  readonly flags?: readonly string[];
  /** Of V8, as `process.versions.v8`. */
  readonly v8Version?: string;
  /** A worker's own limit of the old generation in MiB, if there is one. */
  readonly workerLimitMb?: number | undefined;
}

const MAJOR = 'MarkSweepCompact';
/** A fall of the heap by this share is taken for a major collection where nothing better is known. */
const FALL_SHARE = 1 / 4;

/**
 * The heap of this thread. Major collections come from `v8.GCProfiler`, whose `stop()` tells of what has ended
 * synchronously; without it, from falls of the used heap.
 */
export class V8HeapSource implements HeapSource {
  readonly #v8: V8Like;
  readonly #limit: HeapLimit;
  readonly #profiler: { start(): void; stop(): GCReport } | null;
  #lastUsed = 0;
  #lastCommitted = 0;
  #closed = false;

  constructor(options: V8HeapSourceOptions = {}) {
    this.#v8 = options.v8 ?? v8;
    this.#limit = heapLimitOf({
      heapSizeLimit: this.#v8.getHeapStatistics().heap_size_limit,
      flags: options.flags ?? [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv],
      v8Version: options.v8Version ?? process.versions.v8 ?? '',
      workerLimitMb:
        'workerLimitMb' in options
          ? options.workerLimitMb
          : isMainThread
            ? undefined
            : resourceLimits.maxOldGenerationSizeMb,
    });
    const { GCProfiler } = this.#v8;
    this.#profiler = GCProfiler === undefined ? null : new GCProfiler();
    this.#profiler?.start();
    this.#lastUsed = this.usedBytes();
  }

  limit(): HeapLimit {
    return this.#limit;
  }

  usedBytes(): number {
    return this.#v8.getHeapStatistics().used_heap_size;
  }

  collections(): readonly MajorCollection[] {
    if (this.#closed) {
      return [];
    }
    if (this.#profiler === null) {
      return this.#falls();
    }
    // Absent when the profiler was stopped by somebody else; then this window is lost, and the next one is not.
    const report: GCReport | undefined = this.#profiler.stop();
    this.#profiler.start();
    const found: MajorCollection[] = [];
    for (const { gcType, beforeGC, afterGC } of report?.statistics ?? []) {
      if (gcType === MAJOR) {
        found.push({
          liveBytes: oldOf(afterGC).used,
          wastedBytes: this.#wasted(beforeGC),
          committedBytes: oldOf(beforeGC).committed,
        });
      }
    }
    return found;
  }

  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#profiler?.stop();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #wasted(before: GCSnapshot): number {
    const { used, committed } = oldOf(before);
    const grew = committed > this.#lastCommitted;
    this.#lastCommitted = committed;
    return grew ? Math.max(0, committed - used) : 0;
  }

  #falls(): MajorCollection[] {
    const used = this.usedBytes();
    const fell = used < this.#lastUsed * (1 - FALL_SHARE);
    this.#lastUsed = fell ? used : Math.max(used, this.#lastUsed);
    return fell ? [{ liveBytes: used, wastedBytes: 0 }] : [];
  }
}

/** All spaces but the young ones, and the one that is shared by every process. */
function oldOf(snapshot: GCSnapshot): { used: number; committed: number } {
  let used = 0;
  let committed = 0;
  for (const { spaceName, spaceSize, spaceUsedSize } of snapshot.heapSpaceStatistics) {
    if (!spaceName.startsWith('new_') && spaceName !== 'read_only_space') {
      used += spaceUsedSize;
      committed += spaceSize;
    }
  }
  return { used, committed };
}
