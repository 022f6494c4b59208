import type { Entry } from './entry.js';
import type { LruSettings, LruStatus } from './options.js';

type ClockSettings = Pick<LruSettings<unknown, unknown, unknown>, 'perf' | 'ttlResolution'>;

/** Ages of entries, by a clock that is read once for each `ttlResolution`. */
export class Ages {
  private readonly settings: ClockSettings;
  /** 0 when it must be read anew. */
  private cachedMs = 0;
  private readonly forget = (): void => {
    this.cachedMs = 0;
  };

  constructor(settings: ClockSettings) {
    this.settings = settings;
  }

  start<K, V>(entry: Entry<K, V>, ttl: number, start: number = this.settings.perf.now()): void {
    entry.lifetime = ttl;
    entry.start = ttl === 0 ? 0 : start;
  }

  isStale<K, V>({ lifetime: ttl, start }: Entry<K, V>): boolean {
    return ttl && start ? this.now() - start > ttl : false;
  }

  /** Milliseconds; negative when stale, Infinity without a time to live. */
  remaining<K, V>({ lifetime: ttl, start }: Entry<K, V>): number {
    return ttl && start ? ttl - (this.now() - start) : Infinity;
  }

  /** Milliseconds since it was new, to the moment. */
  exactAge<K, V>({ start }: Entry<K, V>): number {
    return this.settings.perf.now() - start;
  }

  describe<K, V, FC>(entry: Entry<K, V>, status: LruStatus<K, V, FC> | undefined): void {
    const { lifetime: ttl, start } = entry;
    if (status && ttl && start) {
      const now = this.now();
      Object.assign(status, { ttl, start, now, remainingTTL: ttl - (now - start) });
    }
  }

  private now(): number {
    if (this.cachedMs !== 0) {
      return this.cachedMs;
    }
    const { perf, ttlResolution } = this.settings;
    const now = perf.now();
    if (ttlResolution > 0) {
      this.cachedMs = now;
      setTimeout(this.forget, ttlResolution).unref();
    }
    return now;
  }
}
