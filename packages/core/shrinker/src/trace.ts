import { channel, type Channel } from 'node:diagnostics_channel';

import type { MemoryGroup } from './memory-group.js';
import type { ShrinkControl, Zone } from './spec.js';

/** Published on `reclaim:shrinker:start` when a shrinker begins a run, with what it is asked to do. */
export interface ShrinkStart {
  readonly shrinker: string;
  readonly id: number;
  readonly zone: Zone;
  /** Its path as JSON. Null for a shrinker that knows no groups. */
  readonly group: MemoryGroup | null;
  readonly priority: number;
  readonly mode: ShrinkControl['mode'];
  /** What its `count` said. */
  readonly freeableObjects: number;
  /** Objects put off by earlier passes, which this run has taken on. */
  readonly deferredScan: number;
  /** New objects that this pass asks for. */
  readonly delta: number;
  /** Objects to scan: `delta` and a part of `deferredScan`. */
  readonly totalScan: number;
}

/** Published on `reclaim:shrinker:end` when the run is over, with what came of it. One for each start. */
export interface ShrinkEnd extends ShrinkStart {
  readonly freedObjects: number;
  readonly scannedObjects: number;
  /** What was not scanned of the `totalScan` of the start; negative if more was scanned than asked for. */
  readonly totalScan: number;
  /** Objects put off now, by this run and by others that ended meanwhile. */
  readonly deferredAfter: number;
}

/** The channel of {@link ShrinkStart}. */
export const SHRINK_START_CHANNEL = 'reclaim:shrinker:start';
/** The channel of {@link ShrinkEnd}. */
export const SHRINK_END_CHANNEL = 'reclaim:shrinker:end';

/** @internal */
export const shrinkStart: Channel = channel(SHRINK_START_CHANNEL);
/** @internal */
export const shrinkEnd: Channel = channel(SHRINK_END_CHANNEL);
