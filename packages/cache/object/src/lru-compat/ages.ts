import type { Entry } from './entry.js';
import type { LruStatus, Perf } from './options.js';

/** Ages of entries, by a clock that is read once for each `resolutionMs`. */
export class Ages {
  private readonly perf: Perf;
  private readonly resolutionMs: number;
  /** 0 when it must be read anew. */
  private cachedMs = 0;

  constructor(perf: Perf, resolutionMs: number) {
    this.perf = perf;
    this.resolutionMs = resolutionMs;
  }

  start<K, V>(entry: Entry<K, V>, ttl: number, start: number = this.perf.now()): void {
    entry.ttl = ttl;
    entry.start = ttl === 0 ? 0 : start;
  }

  isStale<K, V>({ ttl, start }: Entry<K, V>): boolean {
    return ttl && start ? this.now() - start > ttl : false;
  }

  /** Milliseconds; negative when stale, Infinity without a time to live. */
  remaining<K, V>({ ttl, start }: Entry<K, V>): number {
    return ttl && start ? ttl - (this.now() - start) : Infinity;
  }

  /** As {@link remaining}, to the moment. */
  exactAge<K, V>({ start }: Entry<K, V>): number {
    return this.perf.now() - start;
  }

  describe<K, V, FC>(entry: Entry<K, V>, status: LruStatus<K, V, FC> | undefined): void {
    const { ttl, start } = entry;
    if (status && ttl && start) {
      const now = this.now();
      Object.assign(status, { ttl, start, now, remainingTTL: ttl - (now - start) });
    }
  }

  private now(): number {
    if (this.cachedMs !== 0) {
      return this.cachedMs;
    }
    const now = this.perf.now();
    if (this.resolutionMs > 0) {
      this.cachedMs = now;
      setTimeout(() => {
        this.cachedMs = 0;
      }, this.resolutionMs).unref();
    }
    return now;
  }
}
