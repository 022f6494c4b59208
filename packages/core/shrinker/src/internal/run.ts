import { isThenable } from '@core/base';

import { ShrinkerError } from '../shrinker-error.js';
import type { MemoryGroup } from '../memory-group.js';
import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkControl, type Zone } from '../spec.js';
import { shrinkEnd, shrinkStart, type ShrinkStart } from '../trace.js';
import type { Entry } from './entry.js';
import type { GroupNode } from './group-node.js';
import { awaitScan } from './own-scan.js';
import type { Weights } from './weights.js';

/** No cache is scanned more than so many times what its count says. */
const WEIGHT_MAX = 1024;

/** The control of a pass: what callbacks see, and write `nrScanned` of. */
export class Control implements ShrinkControl {
  zone: Zone = 'heap';
  group: MemoryGroup | null = null;
  nrToScan = 0;
  nrScanned = 0;
  priority = 0;
  mode: ShrinkControl['mode'] = 'background';
}

/**
 * One shrinker's part in a pass: how much it is asked to scan, in batches, and what is put off to the next pass.
 *
 * Used for one shrinker after the other, and again for the next pass as long as every scan answered synchronously.
 * All arithmetic is on doubles: a shift would cut off at 2^31.
 *
 * @see Linux mm/shrinker.c, do_shrink_slab
 */
export class Run {
  readonly sc: Control = new Control();
  zoneIndex = 0;
  /** Whether objects count by their size. */
  weighs = false;
  readonly weights: Weights;
  /** The group that the pass is at. */
  group: GroupNode | null = null;
  /** The part of a cache that the priority asks for: 2 to the power of -priority, so that a product is exact. */
  part = 1;

  /** What the last run freed. */
  freed = 0;
  /** Whether the `count` of the last run answered SHRINK_EMPTY. */
  empty = false;
  #scanned = 0;
  #freeable = 0;
  #deferred = 0;
  #delta = 0;
  #total = 0;
  #traced = false;
  #startSeen = false;
  #scan: PromiseLike<number> | null = null;

  constructor(weights: Weights) {
    this.weights = weights;
  }

  /**
   * Runs the entry's shrinker, which the caller holds a reference on.
   *
   * Never throws: what callbacks throw goes to the error channel.
   *
   * @returns false when a scan answered with a promise: then {@link toEnd} or {@link settle} has to follow
   */
  start(entry: Entry): boolean {
    this.freed = 0;
    this.empty = false;
    // It would be called from inside itself: by a pass that its own callback began.
    if (entry.running) {
      return true;
    }
    this.sc.group = entry.groupAware ? this.group : null;
    const freeable = countOf(entry, this.sc);
    if (freeable <= 0) {
      this.empty = freeable === SHRINK_EMPTY;
      return true;
    }
    const deferred = entry.takeDeferredIn(this.group, this.zoneIndex);
    const { seeks } = entry;
    let delta = seeks === 0 ? Math.floor(freeable / 2) : Math.floor((Math.floor(freeable * this.part) * 4) / seeks);
    if (this.weighs && entry.spec.objectBytes !== undefined) {
      delta = this.#weighed(entry, freeable, delta);
    }
    this.#scanned = 0;
    this.#freeable = freeable;
    this.#deferred = deferred;
    this.#delta = delta;
    this.#total = Math.min(Math.floor(deferred * this.part) + delta, 2 * freeable);
    this.#traceStart(entry);
    if (!this.#scanOn(entry)) {
      return false;
    }
    this.#end(entry);
    return true;
  }

  /** Awaits the promise of a run that {@link start} left unfinished, and does the rest of it. Never rejects. */
  async toEnd(entry: Entry): Promise<void> {
    while ((await this.#answered(entry)) && !this.#scanOn(entry)) {
      // Another batch answered with a promise.
    }
    this.#end(entry);
  }

  /** As {@link toEnd}, but calls `scan` no more. */
  async settle(entry: Entry): Promise<void> {
    await this.#answered(entry);
    this.#end(entry);
  }

  /** The delta for objects of this size: of a size that counts as it is, unless the pass is desperate. */
  #weighed(entry: Entry, freeable: number, delta: number): number {
    const { zone, priority } = this.sc;
    const bytes = objectBytesOf(entry, zone);
    if (bytes === 0) {
      return delta;
    }
    const usual = this.weights.usualBytes(this.zoneIndex);
    this.weights.add(this.zoneIndex, freeable, bytes);
    // Whoever asks for everything gets it.
    return usual === 0 || priority === 0 ? delta : Math.floor(delta * Math.min(bytes / usual, WEIGHT_MAX));
  }

  /** Scans batch by batch; false when it has to wait for one. */
  #scanOn(entry: Entry): boolean {
    const { batch } = entry;
    const { sc } = this;
    const freeable = this.#freeable;
    // In locals while it lasts: the loop is most of what a pass costs beside the callbacks.
    let total = this.#total;
    let scanned = this.#scanned;
    let freed = this.freed;
    let waits = false;
    while (total >= batch || total >= freeable) {
      const nrToScan = Math.min(batch, total);
      sc.nrToScan = nrToScan;
      sc.nrScanned = nrToScan;
      const result = callScan(entry, sc);
      if (typeof result !== 'number') {
        this.#scan = result;
        entry.inFlight++;
        waits = true;
        break;
      }
      if (result === SHRINK_STOP) {
        entry.stops++;
        break;
      }
      freed += result;
      const looked = scannedOf(entry, sc);
      scanned += looked;
      total -= looked;
      // A batch that looked at nothing would come again for ever.
      if (looked === 0) {
        break;
      }
    }
    this.#total = total;
    this.#scanned = scanned;
    this.freed = freed;
    return !waits;
  }

  /** Awaits a batch; false when there must not be another. */
  async #answered(entry: Entry): Promise<boolean> {
    const scan = this.#scan as PromiseLike<number>;
    this.#scan = null;
    let result: number;
    try {
      result = checkFreed(entry, await awaitScan(entry, scan));
    } catch (error) {
      result = fail(entry, error);
    }
    entry.inFlight--;
    if (result === SHRINK_STOP) {
      entry.stops++;
      return false;
    }
    const looked = scannedOf(entry, this.sc);
    this.freed += result;
    this.#scanned += looked;
    this.#total -= looked;
    return looked !== 0;
  }

  #end(entry: Entry): void {
    const left = Math.min(Math.max(this.#deferred + this.#delta - this.#scanned, 0), 2 * this.#freeable);
    // All that is put off now is of interest to listeners only.
    const deferredAfter = left !== 0 || this.#traced ? entry.addDeferredIn(this.group, this.zoneIndex, left) : 0;
    entry.runs++;
    entry.freed += this.freed;
    entry.scanned += this.#scanned;
    // Whoever hears of an end has heard of its start: a run that nobody saw begin stays silent for a listener who
    // came to both channels meanwhile.
    if (this.#traced && (this.#startSeen || !shrinkStart.hasSubscribers)) {
      shrinkEnd.publish({
        ...this.#startPayload(entry),
        totalScan: this.#total,
        freedObjects: this.freed,
        scannedObjects: this.#scanned,
        deferredAfter,
      });
    }
  }

  #traceStart(entry: Entry): void {
    this.#startSeen = shrinkStart.hasSubscribers;
    this.#traced = this.#startSeen || shrinkEnd.hasSubscribers;
    if (this.#startSeen) {
      shrinkStart.publish(this.#startPayload(entry));
    }
  }

  #startPayload(entry: Entry): ShrinkStart {
    const { zone, group, priority, mode } = this.sc;
    return {
      shrinker: entry.name,
      id: entry.id,
      zone,
      group,
      priority,
      mode,
      freeableObjects: this.#freeable,
      deferredScan: this.#deferred,
      delta: this.#delta,
      totalScan: this.#total,
    };
  }
}

/** What is no number of bytes goes to the error channel, and counts as not known. */
function objectBytesOf(entry: Entry, zone: Zone): number {
  entry.running = true;
  try {
    const bytes = entry.spec.objectBytes?.(zone) ?? 0;
    if (bytes >= 0 && bytes < Infinity) {
      return bytes;
    }
    fail(entry, badResult(entry, 'objectBytes', bytes));
  } catch (error) {
    fail(entry, error);
  } finally {
    entry.running = false;
  }
  return 0;
}

/** Calls `count`; 0 when there is nothing to free, or it failed; SHRINK_EMPTY when it says so. */
function countOf(entry: Entry, sc: Control): number {
  let count: number;
  entry.running = true;
  try {
    count = entry.spec.count(sc);
  } catch (error) {
    entry.running = false;
    fail(entry, error);
    return 0;
  }
  entry.running = false;
  // A string would pass for a number in comparisons.
  if (typeof count === 'number' && count >= 0 && count <= Number.MAX_SAFE_INTEGER) {
    return Math.floor(count);
  }
  if (count === SHRINK_EMPTY) {
    return SHRINK_EMPTY;
  }
  fail(entry, badResult(entry, 'count', count));
  return 0;
}

function callScan(entry: Entry, sc: Control): number | PromiseLike<number> {
  let result: number | PromiseLike<number>;
  entry.running = true;
  try {
    result = entry.spec.scan(sc);
    if (typeof result !== 'number' && isThenable(result)) {
      entry.running = false;
      return result;
    }
  } catch (error) {
    entry.running = false;
    return fail(entry, error);
  }
  entry.running = false;
  return checkFreed(entry, result);
}

/** What a scan freed, {@link SHRINK_STOP} also for what is no such number. */
function checkFreed(entry: Entry, freed: number): number {
  if (isFreed(freed)) {
    return freed;
  }
  return fail(entry, badResult(entry, 'scan', freed));
}

/** Whether it is what a scan may return. */
export function isFreed(result: unknown): result is number {
  return typeof result === 'number' && ((result >= 0 && result <= Number.MAX_SAFE_INTEGER) || result === SHRINK_STOP);
}

/** What a scan looked at, 0 also for what is no such number. */
function scannedOf(entry: Entry, sc: Control): number {
  const { nrScanned } = sc;
  if (Number.isSafeInteger(nrScanned) && nrScanned >= 0) {
    return nrScanned;
  }
  fail(entry, badResult(entry, 'nrScanned', nrScanned));
  return 0;
}

function fail(entry: Entry, error: unknown): typeof SHRINK_STOP {
  entry.errors++;
  entry.host.report(error, entry);
  return SHRINK_STOP;
}

/** @internal */
export function badResult(entry: Entry, what: string, value: unknown): ShrinkerError {
  return new ShrinkerError(
    'ERR_SHRINKER_BAD_RESULT',
    `Cannot use the ${what} of shrinker ${entry.name}: it is ${typeof value === 'number' ? value : typeof value}, not a number of objects`,
  );
}
