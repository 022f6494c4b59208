import { isThenable } from '@core/base';
import type { FetchOptions, Load } from '../options.js';
import { AbortListeners } from './abort-listeners.js';
import { checkSize, checkTtl } from './check-options.js';
import { type EntryTable, NO_SLOT } from './entry-table.js';
import { Flight, type Loaded } from './flight.js';
import type { Graveyard } from './graveyard.js';
import type { Holds } from './holds.js';
import type { Lease } from './lease.js';
import type { Ledger } from './ledger.js';

export interface LoadsOptions<K, V> {
  readonly table: EntryTable<K, V>;
  readonly holds: Holds<K, V>;
  readonly graveyard: Graveyard<K, V>;
  readonly ledger: Ledger<K, V> | null;
  readonly ttlMs: number | undefined;
  /** Bytes of a value. Calls user code, and throws if they are not known. */
  readonly measure: (key: K, value: V, options: FetchOptions<K, V>) => number;
  /** Where errors of loads that nobody waits for go. Must not throw. */
  readonly onError: (error: unknown, key: K) => void;
}

/**
 * The loads under way: at most one for each key that is not superseded, joined by everyone who wants its value.
 *
 * User code (`load`, `recycle`, `sizeOf`, abort listeners, and what a charge to a group calls) may call back into the
 * cache at each place where it runs, so what is known of entries before is looked up again after.
 */
export class Loads<K, V> {
  started = 0;
  coalesced = 0;
  errors = 0;
  /** How many can be joined. A field, and not the map's size, which is a call. */
  count = 0;
  /** Those that can be joined. */
  private readonly flights = new Map<K, Flight<K, V>>();
  /** Those whose callers wait, superseded ones included. */
  private readonly waiting = new Set<Flight<K, V>>();
  private readonly aborts = new AbortListeners();
  private readonly table: EntryTable<K, V>;
  private readonly holds: Holds<K, V>;
  private readonly graveyard: Graveyard<K, V>;
  private readonly ledger: Ledger<K, V> | null;
  private readonly options: LoadsOptions<K, V>;

  constructor(options: LoadsOptions<K, V>) {
    this.options = options;
    this.table = options.table;
    this.holds = options.holds;
    this.graveyard = options.graveyard;
    this.ledger = options.ledger;
  }

  has(key: K): boolean {
    return this.flights.has(key);
  }

  /**
   * Waits for the value as one of the callers of a load: of the one under way, or of a new one.
   *
   * @param hold whether to hold the value; whoever gets the lease must let go of it
   */
  join(key: K, load: Load<K, V>, options: FetchOptions<K, V>, hold: boolean): Promise<Loaded<K, V>> {
    let flight = this.flights.get(key);
    const isNew = flight === undefined;
    if (flight === undefined) {
      flight = this.begin(key, options);
    } else {
      this.coalesced++;
    }
    flight.callers++;
    flight.holds += hold ? 1 : 0;
    if (isNew) {
      // Only now: a load that is not asynchronous lands in here.
      this.run(flight, load);
    }
    return options.signal === undefined ? flight.promise : this.until(options.signal, flight, hold);
  }

  /** Loads in the background, unless a load is under way. Errors of the load are reported. */
  refresh(key: K, load: Load<K, V>, options: FetchOptions<K, V>): void {
    if (!this.flights.has(key)) {
      const flight = this.begin(key, options);
      flight.background = true;
      this.run(flight, load);
    }
  }

  /**
   * The value, from a load that answers at once. A load that answers with a promise is aborted, and so is nobody's.
   *
   * @returns null if there is none yet
   * @throws what the load throws, or the reason why the cache was closed meanwhile
   */
  loadNow(key: K, load: Load<K, V>, options: FetchOptions<K, V>, tooLate: () => Error): Loaded<K, V> {
    if (this.flights.has(key)) {
      throw tooLate();
    }
    const flight = this.begin(key, options);
    flight.callers = 1;
    this.run(flight, load);
    if (flight.loaded !== null) {
      return flight.loaded;
    }
    if (!flight.told) {
      const reason = tooLate();
      this.drop(flight);
      flight.cancel(reason);
      flight.controller.abort(reason);
    }
    throw flight.reason;
  }

  /** What is in the cache from now on is newer than what a load under way will bring. */
  supersede(key: K): void {
    const flight = this.flights.get(key);
    if (flight !== undefined) {
      flight.superseded = true;
      this.flights.delete(key);
      this.count = this.flights.size;
    }
  }

  supersedeAll(): void {
    for (const flight of this.flights.values()) {
      flight.superseded = true;
    }
    this.flights.clear();
    this.count = 0;
  }

  /** Aborts every load; those who wait are told `reason`. */
  abortAll(reason: unknown): void {
    const aborted = [...this.waiting];
    this.supersedeAll();
    this.waiting.clear();
    for (const flight of aborted) {
      flight.cancel(reason);
    }
    for (const flight of aborted) {
      flight.controller.abort(reason);
    }
  }

  private begin(key: K, options: FetchOptions<K, V>): Flight<K, V> {
    if (options.size !== undefined) {
      checkSize(options.size);
    }
    if (options.ttlMs !== undefined) {
      checkTtl(options.ttlMs);
    }
    const flight = new Flight<K, V>(key, options);
    this.started++;
    this.waiting.add(flight);
    this.flights.set(key, flight);
    this.count = this.flights.size;
    return flight;
  }

  /** Calls the load. Never throws. */
  private run(flight: Flight<K, V>, load: Load<K, V>): void {
    const { key } = flight;
    let made: V | PromiseLike<V>;
    try {
      flight.recycled = this.graveyard.reuse(key);
      if (flight.recycled !== undefined) {
        // The load may take its time.
        this.ledger?.trim();
      }
      if (flight.told) {
        // The cache was closed by that.
        this.settled(flight);
        return;
      }
      const slot = this.table.slots.get(key);
      if (slot !== NO_SLOT && this.graveyard.wanted) {
        flight.stale = this.table.pin(slot);
      }
      const stale = slot === NO_SLOT ? undefined : this.table.valueAt(slot);
      made = load(key, { signal: flight.controller.signal, stale, recycled: flight.recycled });
      if (isThenable(made)) {
        Promise.resolve(made).then(
          (value) => this.arrived(flight, value),
          (error: unknown) => this.failed(flight, error),
        );
        return;
      }
    } catch (error) {
      this.failed(flight, error);
      return;
    }
    this.arrived(flight, made);
  }

  private arrived(flight: Flight<K, V>, value: V): void {
    let loaded: Loaded<K, V>;
    try {
      loaded = this.land(flight, value);
    } catch (error) {
      this.failed(flight, error);
      return;
    }
    this.settled(flight);
    this.drop(flight);
    flight.tell(loaded);
  }

  private failed(flight: Flight<K, V>, error: unknown): void {
    this.settled(flight);
    this.drop(flight);
    if (flight.told) {
      // It was aborted, and so has failed.
      return;
    }
    this.errors++;
    if (flight.callers === 0) {
      this.options.onError(error, flight.key);
    }
    flight.cancel(error);
  }

  /** The load has settled: it uses nothing of the cache's any more. */
  private settled(flight: Flight<K, V>): void {
    const { stale, recycled } = flight;
    flight.stale = null;
    flight.recycled = undefined;
    if (stale !== null) {
      this.table.unpin(stale);
    }
    if (recycled !== undefined) {
      this.placeNowhere(flight.key, recycled, 0, 0);
    }
    this.ledger?.trim();
  }

  /** Stores what a load brought, and holds it for those who want that, before anything can evict it. */
  private land(flight: Flight<K, V>, value: V): Loaded<K, V> {
    const { key, options } = flight;
    if (value === flight.recycled) {
      flight.recycled = undefined;
    }
    let size = 0;
    if (!flight.told) {
      try {
        size = this.options.measure(key, value, options);
      } catch (error) {
        this.placeNowhere(key, value, 0, 0);
        throw error;
      }
    }
    const ttlMs = options.ttlMs ?? this.options.ttlMs;
    const { ledger, table } = this;
    if (ledger === null || flight.told || size > table.maxBytes) {
      return { value, lease: this.place(flight, value, size, ttlMs, size <= table.maxBytes, flight.stale) };
    }
    // The charge may evict any entry. The one that has this value already must not leave, and come back.
    const pinned = flight.stale !== null && flight.stale.value === value ? null : table.pinValue(key, value);
    try {
      const fits = ledger.reserve(key, value, size);
      return { value, lease: this.place(flight, value, size, ttlMs, fits, pinned ?? flight.stale) };
    } finally {
      ledger.settle(size);
      if (pinned !== null) {
        table.unpin(pinned);
      }
    }
  }

  /**
   * Sees to it that the value is in the cache, or retired, once.
   *
   * @param fits whether there is room for it
   * @param stale a lease on the value that was there, if anybody cares when it goes
   * @returns the lease with the holds that are wanted
   */
  private place(
    flight: Flight<K, V>,
    value: V,
    size: number,
    ttlMs: number | undefined,
    fits: boolean,
    stale: Lease<K, V> | null,
  ): Lease<K, V> | null {
    const { table } = this;
    const { key, holds, superseded } = flight;
    const slot = table.slots.get(key);
    if (slot !== NO_SLOT && table.valueAt(slot) === value) {
      // It is there already: the load returned the stale one, or has stored its value itself.
      const lease = holds > 0 ? table.hold(slot, holds) : null;
      if (!superseded && fits) {
        table.store(key, value, size, ttlMs);
      } else if (!superseded) {
        table.reject(key, value, size);
      }
      return lease;
    }
    if (stale !== null && stale.value === value) {
      // The load returned the stale one, which has left meanwhile. It is pinned, so it was not disposed of.
      this.holds.hold(stale, holds);
      if (!superseded && fits) {
        table.revive(stale, size, ttlMs);
      }
      return stale;
    }
    if (superseded) {
      return this.placeNowhere(key, value, size, holds);
    }
    if (fits) {
      const stored = table.store(key, value, size, ttlMs);
      return holds > 0 ? table.hold(stored, holds) : null;
    }
    table.rejected++;
    if (slot !== NO_SLOT) {
      table.remove(slot, 'set');
    }
    return this.placeNowhere(key, value, size, holds);
  }

  /**
   * A value that is not stored is retired at once; whoever waits for it has it for this turn, or holds it.
   *
   * It may have left already: the one that a load was to replace, or one that a load has stored itself. It must not do
   * so twice.
   */
  private placeNowhere(key: K, value: V, size: number, holds: number): Lease<K, V> | null {
    const left = this.holds.findRetired(key, value);
    if (left !== null) {
      this.holds.hold(left, holds);
      return left;
    }
    if (holds === 0) {
      if (!this.graveyard.has(key, value)) {
        this.table.refuse(key, value, size);
      }
      return null;
    }
    const before = this.graveyard.rescue(key, value);
    const bytes = before?.bytes ?? size;
    const lease = this.holds.lease(key, value);
    this.holds.hold(lease, holds);
    // Whoever waits for it gets it, whether or not its group has room.
    this.holds.leave(lease, bytes, before?.reason ?? 'reject', this.ledger?.covers(bytes) === false);
    return lease;
  }

  /** Waits for the flight until `signal` says otherwise. */
  private until(signal: AbortSignal, flight: Flight<K, V>, hold: boolean): Promise<Loaded<K, V>> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        if (flight.told) {
          // The value is on its way, and held: too late to give up.
          return;
        }
        reject(signal.reason as Error);
        flight.callers--;
        flight.holds -= hold ? 1 : 0;
        if (flight.callers === 0 && !flight.background) {
          this.drop(flight);
          flight.cancel(signal.reason);
          flight.controller.abort(signal.reason);
        }
      };
      flight.promise.then(resolve, reject);
      if (signal.aborted) {
        // By the load itself.
        giveUp();
      } else {
        const settled = (): void => this.aborts.remove(signal, giveUp);
        this.aborts.add(signal, giveUp);
        flight.promise.then(settled, settled);
      }
    });
  }

  /** Takes a flight out whose callers are told; another one may have taken its key. */
  private drop(flight: Flight<K, V>): void {
    this.waiting.delete(flight);
    if (this.flights.get(flight.key) === flight) {
      this.flights.delete(flight.key);
      this.count = this.flights.size;
    }
  }
}
