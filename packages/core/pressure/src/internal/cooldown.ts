const FIRST_MS = 1000;
const MAX_MS = 10_000;
/** Less says nothing: collections and charges are seen some time after they happen. */
const TELLING_BYTES = 4 * 2 ** 20;

/**
 * A rest for reclaim that has no effect: what the caches let go of is held by somebody else, so a collection finds it
 * alive all the same, and emptying the caches would help nobody. Doubled each time that it happens again.
 *
 * After a rest there is a trial: as much as tells is reclaimed, and then it waits for the collection that judges it. So
 * caches whose values are all held elsewhere lose a little now and then.
 */
export class Cooldown {
  private reclaimedBytes = 0;
  private untilMs = -Infinity;
  private lengthMs = 0;

  /** So many live bytes should be gone when the next collection ends. */
  reclaimed(bytes: number): void {
    this.reclaimedBytes += bytes;
  }

  /** A major collection has ended, and left so many bytes more than expected. */
  collected(surpriseBytes: number, nowMs: number): void {
    if (this.reclaimedBytes >= TELLING_BYTES) {
      if (surpriseBytes > this.reclaimedBytes / 2) {
        this.lengthMs = Math.min(MAX_MS, Math.max(FIRST_MS, this.lengthMs * 2));
        this.untilMs = nowMs + this.lengthMs;
      } else {
        this.lengthMs = 0;
        this.untilMs = -Infinity;
      }
    }
    this.reclaimedBytes = 0;
  }

  /** Whether to reclaim no more for now. */
  rests(nowMs: number): boolean {
    return this.leftMs(nowMs) > 0 || (this.lengthMs > 0 && this.reclaimedBytes >= TELLING_BYTES);
  }

  leftMs(nowMs: number): number {
    return Math.max(0, this.untilMs - nowMs);
  }
}
