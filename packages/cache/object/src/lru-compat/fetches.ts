import { checkFetchSize, isPositive } from './check-options.js';
import { Entry, type Flight } from './entry.js';
import type { LruStore } from './lru-store.js';
import { note } from './note.js';
import type { LruFetcher, LruFetcherOptions, LruFetcherTools, LruFetchOptions, LruSettings } from './options.js';

/** The loads of `fetch`: who waits for them, and what they do when they end, fail, or are aborted. */
export class Fetches<K extends {}, V extends {}, FC> {
  private readonly store: LruStore<K, V, FC>;
  private readonly settings: LruSettings<K, V, FC>;
  private readonly method: LruFetcher<K, V, FC>;

  constructor(store: LruStore<K, V, FC>, settings: LruSettings<K, V, FC>, method: LruFetcher<K, V, FC>) {
    this.store = store;
    this.settings = settings;
    this.method = method;
  }

  /** The value, or the promise of it, of a load that is begun if none is under way. */
  fetch(key: K, options: LruFetchOptions<K, V, FC>): V | Promise<V | undefined> | undefined {
    const { store } = this;
    const { forceRefresh = false, context, status } = options;
    const settings = this.withDefaults(options);
    const entry = store.peek(key);
    if (entry === undefined) {
      note(status, 'fetch', 'miss');
      return waitFor(this.begin(key, undefined, settings, context as FC));
    }
    const isStale = store.ages.isStale(entry);
    if (entry.flight !== null) {
      note(status, 'fetch', 'inflight');
      return staleOrAwaited(entry, entry.flight, settings, true);
    }
    if (!forceRefresh && !isStale) {
      note(status, 'fetch', 'hit');
      store.touch(entry, settings.updateAgeOnGet === true);
      store.ages.describe(entry, status);
      return entry.value;
    }
    note(status, 'fetch', isStale ? 'stale' : 'refresh');
    return staleOrAwaited(entry, this.begin(key, entry, settings, context as FC), settings, isStale);
  }

  /** Begins a load. The entry is there from now on, without a value if there was none. */
  private begin(key: K, found: Entry<K, V> | undefined, options: LruFetcherOptions<K, V, FC>, context: FC): Flight<V> {
    const { status } = options;
    // Before the method is called, which may change the setting.
    const size = found === undefined ? this.sizeWhileLoading(options) : null;
    const controller = new AbortController();
    const stopFollowing = follow(controller, options.signal);
    const flight: Flight<V> = { controller, promise: Promise.resolve(undefined), awaited: false };
    note(status, 'fetchDispatched', true);
    const made = this.call(key, found?.value, { signal: controller.signal, options, context });
    // Not the one that was found: the method may have changed the cache.
    const current = this.store.peek(key);
    const entry = current ?? new Entry<K, V>(key, undefined, 0);
    flight.promise = this.outcomeOf(made, entry, flight, options).then(
      (value) => {
        stopFollowing();
        return this.land(entry, flight, value, options, false);
      },
      (error: unknown) => {
        stopFollowing();
        note(status, 'fetchRejected', true);
        note(status, 'fetchError', error as Error);
        return this.fail(entry, flight, error, options);
      },
    );
    entry.flight = flight;
    if (current === undefined) {
      this.store.place(entry, size ?? this.sizeWhileLoading(options), options.ttl ?? 0);
    }
    return flight;
  }

  private call(key: K, stale: V | undefined, tools: LruFetcherTools<K, V, FC>): ReturnType<LruFetcher<K, V, FC>> {
    try {
      return this.method(key, stale, tools);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What the load brings; nothing as soon as it is aborted, unless aborts are ignored. What comes later may be stored. */
  private outcomeOf(
    made: ReturnType<LruFetcher<K, V, FC>>,
    entry: Entry<K, V>,
    flight: Flight<V>,
    options: LruFetcherOptions<K, V, FC>,
  ): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      const { signal } = flight.controller;
      let arrive: (value: V | undefined) => void = resolve;
      let fail: (error: unknown) => void = reject;
      // The options are looked at now and not before: the method may have changed them.
      const aborted = (): void => {
        if (options.allowStaleOnFetchAbort === true) {
          resolve(undefined);
          arrive = (value) => void this.land(entry, flight, value, options, true);
          fail = () => this.giveUp(entry, flight);
        } else if (options.ignoreFetchAbort !== true) {
          resolve(undefined);
        }
      };
      signal.addEventListener('abort', aborted);
      if (signal.aborted) {
        aborted();
      }
      if (made instanceof Promise) {
        made.then(
          (value) => arrive(value as V | undefined),
          (error: unknown) => fail(error),
        );
      } else {
        resolve(made as V | undefined);
      }
    });
  }

  private land(
    entry: Entry<K, V>,
    flight: Flight<V>,
    value: V | undefined,
    options: LruFetcherOptions<K, V, FC>,
    isLate: boolean,
  ): V | undefined {
    const { aborted, reason } = flight.controller.signal;
    const { status, ignoreFetchAbort } = options;
    const ignores = ignoreFetchAbort === true && value !== undefined;
    if (aborted && !isLate) {
      note(status, 'fetchAborted', true);
      note(status, 'fetchError', reason as Error);
      if (ignores) {
        note(status, 'fetchAbortIgnored', true);
      }
    } else {
      note(status, 'fetchResolved', true);
    }
    if (aborted && !ignores && !isLate) {
      return this.fail(entry, flight, reason, options);
    }
    if (value === undefined) {
      this.giveUp(entry, flight);
    } else if (this.isCurrent(entry, flight)) {
      note(status, 'fetchUpdated', true);
      this.store.store(entry.key, value, options, flight);
    }
    return value;
  }

  private fail(
    entry: Entry<K, V>,
    flight: Flight<V>,
    error: unknown,
    options: LruFetcherOptions<K, V, FC>,
  ): V | undefined {
    const staleAfterAbort = flight.controller.signal.aborted && options.allowStaleOnFetchAbort === true;
    const allowStale = staleAfterAbort || options.allowStaleOnFetchRejection === true;
    const { value } = entry;
    if (!allowStale && options.noDeleteOnFetchRejection !== true) {
      this.drop(entry, flight);
    } else if (!staleAfterAbort) {
      this.giveUp(entry, flight);
    } else if (value === undefined && options.ignoreFetchAbort !== true) {
      this.drop(entry, flight);
    }
    // Else the caller has gone, and the load goes on: what it brings late is stored.
    if (allowStale) {
      if (value !== undefined) {
        note(options.status, 'returnedStale', true);
      }
      return value;
    }
    if (flight.awaited) {
      throw error;
    }
    return undefined;
  }

  /** The load brings nothing: what was there before stays. */
  private giveUp(entry: Entry<K, V>, flight: Flight<V>): void {
    if (entry.value === undefined) {
      this.drop(entry, flight);
    } else if (this.isCurrent(entry, flight)) {
      entry.flight = null;
    }
  }

  private drop(entry: Entry<K, V>, flight: Flight<V>): void {
    if (this.isCurrent(entry, flight)) {
      this.store.remove(entry, 'fetch');
    }
  }

  private isCurrent(entry: Entry<K, V>, flight: Flight<V>): boolean {
    return entry.flight === flight && this.store.isIn(entry);
  }

  private sizeWhileLoading({ size }: LruFetcherOptions<K, V, FC>): number {
    if (!this.store.sized) {
      return 0;
    }
    if (isPositive(size)) {
      return size;
    }
    const { backgroundFetchSize } = this.settings;
    checkFetchSize(backgroundFetchSize);
    return backgroundFetchSize;
  }

  /** What the method gets, and may change. */
  private withDefaults({
    allowStale = this.settings.allowStale,
    updateAgeOnGet = this.settings.updateAgeOnGet,
    noDeleteOnStaleGet = this.settings.noDeleteOnStaleGet,
    ttl = this.settings.ttl,
    noDisposeOnSet = this.settings.noDisposeOnSet,
    size = 0,
    sizeCalculation = this.settings.sizeCalculation,
    noUpdateTTL = this.settings.noUpdateTTL,
    noDeleteOnFetchRejection = this.settings.noDeleteOnFetchRejection,
    allowStaleOnFetchRejection = this.settings.allowStaleOnFetchRejection,
    allowStaleOnFetchAbort = this.settings.allowStaleOnFetchAbort,
    ignoreFetchAbort = this.settings.ignoreFetchAbort,
    status,
    signal,
  }: LruFetchOptions<K, V, FC>): LruFetcherOptions<K, V, FC> {
    return {
      allowStale,
      updateAgeOnGet,
      noDeleteOnStaleGet,
      ttl,
      noDisposeOnSet,
      size,
      sizeCalculation,
      noUpdateTTL,
      noDeleteOnFetchRejection,
      allowStaleOnFetchRejection,
      allowStaleOnFetchAbort,
      ignoreFetchAbort,
      status,
      signal,
    };
  }
}

/** The caller's signal aborts the load, until that is over. @returns ends it */
function follow(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) {
    return () => {};
  }
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) {
    abort();
  } else {
    signal.addEventListener('abort', abort, { signal: controller.signal });
  }
  return () => signal.removeEventListener('abort', abort);
}

function staleOrAwaited<K, V, FC>(
  entry: Entry<K, V>,
  flight: Flight<V>,
  { allowStale, status }: LruFetcherOptions<K, V, FC>,
  tells: boolean,
): V | Promise<V | undefined> {
  if (allowStale !== true || entry.value === undefined) {
    return waitFor(flight);
  }
  if (tells) {
    note(status, 'returnedStale', true);
  }
  return entry.value;
}

function waitFor<V>(flight: Flight<V>): Promise<V | undefined> {
  flight.awaited = true;
  return flight.promise;
}
