import type { MemoryLimits, MonitorStats, ReclaimerStats } from '@core/pressure';

/**
 * How much memory the caches of a host may take. `'auto'`: what the heap limit and the container leave, and every cache
 * gives back its share when that gets short. Limits: the same, with these instead of what is found. `'off'`: nothing is
 * accounted, and nothing reclaims by itself.
 */
export type MemoryOption = 'auto' | 'off' | MemoryLimit;

/** Bytes, each above 0. At least one. */
export interface MemoryLimit {
  /** Of all that the caches charge, wherever it is. A value that does not fit even after reclaim is not stored. */
  readonly limitBytes?: number;
  /** Of the old generation of V8's heap, instead of V8's own limit. */
  readonly heapLimitBytes?: number;
  /** Of the resident set of the process, instead of the container's or the machine's. */
  readonly rssLimitBytes?: number;
}

/** What `host.stats()` says of memory: each budget, what is used of it, and where its limit was found. */
export interface MemoryStats {
  readonly mode: 'auto' | 'limit' | 'off';
  readonly limitBytes: number | null;
  /** Whether anything reclaims by itself. */
  readonly enforced: boolean;
  /** Null when it is off. */
  readonly monitor: MonitorStats | null;
  readonly reclaim: ReclaimerStats | null;
}

/** The option, checked. */
export interface MemoryChoice {
  readonly mode: MemoryStats['mode'];
  readonly limits: MemoryLimits;
}

const LIMITS = { limitBytes: 'totalBytes', heapLimitBytes: 'heapBytes', rssLimitBytes: 'rssBytes' } as const;

/**
 * @throws {RangeError} a limit is not a positive finite number
 * @throws {TypeError} neither `'auto'`, `'off'` nor limits
 */
export function checkMemory(memory: MemoryOption = 'auto'): MemoryChoice {
  if (memory === 'auto' || memory === 'off') {
    return { mode: memory, limits: {} };
  }
  const names = typeof memory === 'object' && memory !== null ? Object.keys(memory) : [];
  if (names.length === 0 || names.some((name) => !Object.hasOwn(LIMITS, name))) {
    throw new TypeError(
      `Cannot use memory ${describe(memory)}: pass 'auto', 'off' or { ${Object.keys(LIMITS).join(', ')} }`,
    );
  }
  const limits: { -readonly [K in keyof MemoryLimits]: MemoryLimits[K] } = {};
  for (const name of names as (keyof typeof LIMITS)[]) {
    const bytes: unknown = memory[name];
    if (typeof bytes !== 'number') {
      throw new TypeError(`Cannot use memory ${describe(memory)}: ${name} must be a number of bytes`);
    }
    if (!Number.isFinite(bytes) || bytes <= 0) {
      throw new RangeError(`Cannot limit memory to ${bytes} bytes: ${name} must be positive and finite`);
    }
    limits[LIMITS[name]] = bytes;
  }
  return { mode: 'limit', limits };
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `{ ${Object.keys(value).join(', ')} }`
    : typeof value === 'string'
      ? `'${value}'`
      : String(value);
}
