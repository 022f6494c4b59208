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
 * Asks the caches of a host to give memory back. The first two run one pass over the shrinkers and return how many
 * objects it freed. Unless the host's memory is off, the host also reclaims by itself.
 */
export interface Reclaimer {
  /** Waits for scans that are asynchronous. */
  reclaim(request?: ReclaimRequest): Promise<number>;
  /** Skips what cannot answer at once. */
  reclaimSync(request?: ReclaimRequest): number;
  /**
   * Makes room for something large before it is built. Always true when the host's memory is off.
   *
   * @param zone absent: `heap`
   * @returns whether there is room
   * @throws {RangeError} when bytes is not a number from 0
   */
  reserve(bytes: number, zone?: Zone): boolean;
}
