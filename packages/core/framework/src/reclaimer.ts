import type { MemoryGroup, Zone } from '@core/shrinker';

export interface ReclaimRequest {
  /** 12 looks at 1/4096 of each cache, 0 at everything. Default 0: by hand, one means it. */
  readonly priority?: number;
  /** Whose memory is short; only zone-aware shrinkers care. Default `heap`. */
  readonly zone?: Zone;
  /** Default: no group, so every cache. */
  readonly group?: MemoryGroup | null;
}

/**
 * Asks the caches of a host to give memory back. Both run one pass over the shrinkers and return how many objects it
 * freed; nothing calls them by itself yet.
 */
export interface Reclaimer {
  /** Waits for scans that are asynchronous. */
  reclaim(request?: ReclaimRequest): Promise<number>;
  /** Skips what cannot answer at once. */
  reclaimSync(request?: ReclaimRequest): number;
}
