import { Entry, type Flight } from './entry.js';
import type { LruDisposeReason, LruFetcher, LruFetcherOptions, LruSetOptions } from './options.js';
import { note } from './note.js';

/** What loads do to the cache. */
export interface FetchHost<K, V, FC> {
  peek(key: K): Entry<K, V> | undefined;
  /** An entry without a value, that stands for its load. */
  place(entry: Entry<K, V>, options: LruFetcherOptions<K, V, FC>): void;
  /** What `flight` has brought takes the place of its entry. */
  store(key: K, value: V, options: LruSetOptions<K, V, FC>, flight: Flight<V>): unknown;
  remove(entry: Entry<K, V>, reason: LruDisposeReason): void;
}

/** The loads of `fetch`: what they do when they end, fail, or are aborted. */
export class Fetches<K, V, FC> {
  private readonly host: FetchHost<K, V, FC>;
  private readonly method: LruFetcher<K, V, FC>;

  constructor(host: FetchHost<K, V, FC>, method: LruFetcher<K, V, FC>) {
    this.host = host;
    this.method = method;
  }

  /** Begins a load. The entry is there from now on, without a value if there was none. */
  begin(key: K, found: Entry<K, V> | undefined, options: LruFetcherOptions<K, V, FC>, context: FC): Flight<V> {
    const stale = found?.value;
    const { status } = options;
    const controller = new AbortController();
    options.signal?.addEventListener('abort', () => controller.abort(options.signal?.reason), {
      signal: controller.signal,
    });
    if (options.signal?.aborted === true) {
      controller.abort(options.signal.reason);
    }
    const flight: Flight<V> = { controller, promise: Promise.resolve(undefined), awaited: false };
    note(status, 'fetchDispatched', true);
    const entry = found ?? new Entry<K, V>(key, undefined, 0);
    const raw = new Promise<V | undefined>((resolve, reject) => {
      const made = this.method(key, stale, { signal: controller.signal, options, context });
      let arrive: (value: V | undefined) => void = resolve;
      const aborted = (): void => {
        if (options.ignoreFetchAbort !== true || options.allowStaleOnFetchAbort === true) {
          resolve(undefined);
          if (options.allowStaleOnFetchAbort === true) {
            arrive = (value) => void this.land(entry, flight, value, options, true);
          }
        }
      };
      controller.signal.addEventListener('abort', aborted);
      if (controller.signal.aborted) {
        aborted();
      }
      if (made instanceof Promise) {
        made.then((value) => arrive(value === undefined ? undefined : value), reject);
      } else if (made !== undefined) {
        resolve(made);
      }
    });
    flight.promise = raw.then(
      (value) => this.land(entry, flight, value, options, false),
      (error: unknown) => {
        note(status, 'fetchRejected', true);
        note(status, 'fetchError', error as Error);
        return this.fail(entry, flight, error, options);
      },
    );
    entry.flight = flight;
    if (found === undefined) {
      this.host.place(entry, options);
    }
    return flight;
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
    if (this.isCurrent(entry, flight)) {
      if (value !== undefined) {
        note(status, 'fetchUpdated', true);
        this.host.store(entry.key, value, options, flight);
      } else if (entry.value !== undefined) {
        entry.flight = null;
      } else {
        this.host.remove(entry, 'fetch');
      }
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
    const stays = allowStale || options.noDeleteOnFetchRejection === true;
    const { value } = entry;
    if (this.isCurrent(entry, flight)) {
      if (!stays || value === undefined) {
        this.host.remove(entry, 'fetch');
      } else if (!staleAfterAbort) {
        entry.flight = null;
      }
    }
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

  private isCurrent(entry: Entry<K, V>, flight: Flight<V>): boolean {
    return entry.flight === flight && this.host.peek(entry.key) === entry;
  }
}
