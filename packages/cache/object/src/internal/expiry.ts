import type { Clock } from '@core/base';

/** When entries stop to be fresh, in milliseconds of the clock; Infinity for never. */
export class Expiry {
  private staleAt: Float64Array;
  private readonly clock: Clock;
  private readonly graceMs: number;

  /** @param graceMs for how long a stale entry is kept */
  constructor(capacity: number, clock: Clock, graceMs: number) {
    this.staleAt = new Float64Array(capacity).fill(Infinity);
    this.clock = clock;
    this.graceMs = graceMs;
  }

  set(slot: number, ttlMs: number): void {
    this.staleAt[slot] = ttlMs === Infinity ? Infinity : this.clock.now() + ttlMs;
  }

  isStale(slot: number): boolean {
    const at = this.staleAt[slot] as number;
    return at !== Infinity && this.clock.now() >= at;
  }

  /** Whether it is so stale that it is not even kept. */
  isGone(slot: number): boolean {
    const at = this.staleAt[slot] as number;
    return at !== Infinity && this.clock.now() >= at + this.graceMs;
  }

  /** Milliseconds for which the entry stays fresh. */
  remainingMs(slot: number): number {
    const at = this.staleAt[slot] as number;
    return at === Infinity ? Infinity : Math.max(0, at - this.clock.now());
  }

  grow(capacity: number): void {
    const staleAt = new Float64Array(capacity).fill(Infinity);
    staleAt.set(this.staleAt);
    this.staleAt = staleAt;
  }
}
