import type { Zone } from '@core/shrinker';
import type { HeapLimit } from './internal/heap-limit.js';
import {
  EXACT_WATERMARKS,
  HEAP_WATERMARKS,
  type Watermarks,
  type WatermarkShares,
  watermarksOf,
} from './watermarks.js';

/** `heap`: the old generation. `external`: what is not on the heap. `total`: what the caches may take together. */
export type BudgetName = 'heap' | 'external' | 'total';

/** So much memory there is for some zones, and so much of it must be free. */
export interface MemoryBudget {
  readonly name: BudgetName;
  readonly zones: readonly Zone[];
  /** Bytes; Infinity when nothing limits it. */
  readonly limitBytes: number;
  /** How the limit was come by, for people. */
  readonly from: string;
  readonly watermarks: Watermarks;
}

/** What is taken instead of what was found. Bytes. */
export interface MemoryLimits {
  /** Of the old generation. Default: V8's own. */
  readonly heapBytes?: number | undefined;
  /** Of the resident set of the process. Default: the container's, or the machine's. */
  readonly rssBytes?: number | undefined;
  /** Of everything that caches charge, in all zones. Default: none. */
  readonly totalBytes?: number | undefined;
}

/** What a process may use in all. */
export interface ProcessLimit {
  readonly bytes: number;
  readonly from: string;
}

const MIB = 2 ** 20;
/** Free in any old generation. */
export const HEAP_FLOOR_BYTES: number = 24 * MIB;
/** What a process takes besides heap and accounted memory: code, stacks, what is freed and not given back. */
const OVERHEAD_BYTES = 96 * MIB;
const OVERHEAD_SHARE = 0.2;
/** If the heap may become larger than the process, it gets so much of what there is. */
const HEAP_SHARE = 0.75;

/**
 * Divides what the process may use: the heap up to its own limit, or three quarters, and what is left for memory outside
 * of it. Young objects, and what the process takes anyway, come off first.
 *
 * @param baseBytes of the resident set, before there were caches
 */
export function budgetsOf(
  heap: HeapLimit,
  process: ProcessLimit,
  baseBytes: number,
  limits: MemoryLimits,
): MemoryBudget[] {
  const overhead = Math.min(OVERHEAD_BYTES, OVERHEAD_SHARE * process.bytes);
  const rest = Math.max(process.bytes / 4, process.bytes - baseBytes - overhead - heap.youngBytes);
  const own = limits.heapBytes ?? heap.bytes;
  const heapBytes = Math.min(own, Math.floor(HEAP_SHARE * rest));
  const budgets = [
    budget(
      'heap',
      ['heap'],
      heapBytes,
      heapBytes < own
        ? `three quarters of what ${process.from} leaves`
        : limits.heapBytes === undefined
          ? heap.from
          : 'options',
      HEAP_WATERMARKS,
      HEAP_FLOOR_BYTES,
    ),
    budget(
      'external',
      ['external', 'shared'],
      Math.floor(rest - heapBytes),
      `${process.from}, less the heap, the process itself and a margin`,
      EXACT_WATERMARKS,
    ),
  ];
  if (limits.totalBytes !== undefined) {
    budgets.push(budget('total', ['heap', 'external', 'shared'], limits.totalBytes, 'options', EXACT_WATERMARKS));
  }
  return budgets;
}

function budget(
  name: BudgetName,
  zones: readonly Zone[],
  limitBytes: number,
  from: string,
  shares: WatermarkShares,
  floorBytes = 0,
): MemoryBudget {
  return { name, zones, limitBytes, from, watermarks: watermarksOf(limitBytes, shares, floorBytes) };
}
