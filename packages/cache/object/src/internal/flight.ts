import type { FetchOptions } from '../options.js';
import type { Lease } from './lease.js';

/** What came of a load: the value, and a lease on it if somebody asked to hold it. */
export interface Loaded<K, V> {
  readonly value: V;
  readonly lease: Lease<K, V> | null;
}

/** One call of a load function, and those who wait for it. */
export class Flight<K, V> {
  readonly key: K;
  /** Of the caller who started it. */
  readonly options: FetchOptions<K, V>;
  readonly controller: AbortController = new AbortController();
  /** Settles when the callers are to be told. */
  readonly promise: Promise<Loaded<K, V>>;
  resolve!: (loaded: Loaded<K, V>) => void;
  reject!: (error: unknown) => void;
  /** Callers that have not given up. */
  callers = 0;
  /** How many of them want to hold the value. */
  holds = 0;
  /** Goes on without callers: nobody asked for it but the cache. */
  background = false;
  /** The key was set or deleted meanwhile: the value is too old to be stored. */
  superseded = false;
  /** The callers were told, of a value, an error or an abort. What comes later nobody waits for. */
  told = false;
  /** The value to be replaced, pinned until the load has settled; null if nobody cares when it goes. */
  stale: Lease<K, V> | null = null;
  /** A value made ready for the key, which the load should return; if it does not, it is to be retired. */
  recycled: V | undefined = undefined;
  /** What the callers were told: this, or the reason. */
  loaded: Loaded<K, V> | null = null;
  reason: unknown = undefined;

  constructor(key: K, options: FetchOptions<K, V>) {
    this.key = key;
    this.options = options;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever waits sees the error; if nobody does, it is reported.
    this.promise.catch(() => {});
  }

  tell(loaded: Loaded<K, V>): void {
    this.told = true;
    this.loaded ??= loaded;
    this.resolve(loaded);
  }

  /** Nobody waits from now on. @param reason what those are told who do */
  cancel(reason: unknown): void {
    this.told = true;
    this.superseded = true;
    this.callers = 0;
    this.holds = 0;
    this.reason = reason;
    this.reject(reason);
  }
}
