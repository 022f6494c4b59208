import { isThenable } from '@core/base';
import type { FetchOptions, Load, LoadContext } from '../options.js';
import type { Lease } from './lease.js';

/** What came of a load: the value, and a lease on it if somebody asked to hold it. */
export interface Loaded<K, V> {
  readonly value: V;
  readonly lease: Lease<K, V> | null;
}

/** One call of a load function, and those who wait for it. */
export class Flight<K, V> {
  readonly key: K;
  readonly options: FetchOptions<K, V>;
  readonly controller: AbortController = new AbortController();
  /** Callers that have not given up. */
  callers = 0;
  /** How many of them want to hold the value. */
  holds = 0;
  /** Goes on without callers: a refresh in the background. */
  background = false;
  /** The key was set or deleted meanwhile: the value is too old to be stored. */
  superseded = false;
  /** The value is there, and held for those who wanted that. */
  landed = false;
  /** A value made ready for the key, which the load should return; if it does not, somebody must dispose of it. */
  readonly recycled: V | undefined;
  promise!: Promise<Loaded<K, V>>;

  constructor(key: K, options: FetchOptions<K, V>, recycled: V | undefined) {
    this.key = key;
    this.options = options;
    this.recycled = recycled;
  }
}

export interface LoadsOptions<K, V> {
  /** Stores what was loaded, unless the flight was superseded, and takes as many holds as the flight wants. */
  readonly land: (flight: Flight<K, V>, value: V) => Loaded<K, V>;
  /** A load has failed. */
  readonly fail: (flight: Flight<K, V>) => void;
  /** A load that nobody waits for has failed. */
  readonly onError: (error: unknown, key: K) => void;
}

/** The loads under way: at most one for each key, joined by everyone who wants it. */
export class Loads<K, V> {
  started = 0;
  coalesced = 0;
  errors = 0;
  /** How many are under way. A field, and not the map's size, which is a call. */
  count = 0;
  private readonly flights = new Map<K, Flight<K, V>>();
  private readonly land: LoadsOptions<K, V>['land'];
  private readonly fail: LoadsOptions<K, V>['fail'];
  private readonly onError: LoadsOptions<K, V>['onError'];

  constructor(options: LoadsOptions<K, V>) {
    this.land = options.land;
    this.fail = options.fail;
    this.onError = options.onError;
  }

  get(key: K): Flight<K, V> | undefined {
    return this.flights.get(key);
  }

  /** What is loaded for this key from now on replaces what a load under way will bring. */
  supersede(key: K): void {
    const flight = this.flights.get(key);
    if (flight !== undefined) {
      flight.superseded = true;
      this.drop(flight);
    }
  }

  supersedeAll(): void {
    for (const key of this.flights.keys()) {
      this.supersede(key);
    }
  }

  /** Supersedes and aborts every load; those who wait are told `reason`. */
  abortAll(reason: unknown): void {
    for (const flight of this.flights.values()) {
      flight.superseded = true;
      flight.controller.abort(reason);
    }
    this.flights.clear();
    this.count = 0;
  }

  start(key: K, load: Load<K, V>, options: FetchOptions<K, V>, context: Omit<LoadContext<V>, 'signal'>): Flight<K, V> {
    const flight = new Flight<K, V>(key, options, context.recycled);
    this.started++;
    this.flights.set(key, flight);
    this.count = this.flights.size;
    flight.promise = this.run(flight, load, { ...context, signal: flight.controller.signal });
    // Whoever waits sees the error; if nobody does, `run` has reported it.
    flight.promise.catch(() => {});
    return flight;
  }

  /** Waits for a flight as one of its callers. */
  join(flight: Flight<K, V>, hold: boolean, signal: AbortSignal | undefined): Promise<Loaded<K, V>> {
    flight.callers++;
    flight.holds += hold ? 1 : 0;
    return signal === undefined ? flight.promise : this.joinUntil(flight, hold, signal);
  }

  private joinUntil(flight: Flight<K, V>, hold: boolean, signal: AbortSignal): Promise<Loaded<K, V>> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        if (flight.landed) {
          // The value is on its way, and held: too late to give up.
          return;
        }
        reject(signal.reason as Error);
        flight.callers--;
        flight.holds -= hold ? 1 : 0;
        if (flight.callers === 0 && !flight.background) {
          this.abandon(flight, signal.reason);
        }
      };
      signal.addEventListener('abort', giveUp, { once: true });
      flight.promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    });
  }

  private abandon(flight: Flight<K, V>, reason: unknown): void {
    flight.superseded = true;
    this.drop(flight);
    flight.controller.abort(reason);
  }

  private async run(flight: Flight<K, V>, load: Load<K, V>, context: LoadContext<V>): Promise<Loaded<K, V>> {
    try {
      const made = load(flight.key, context);
      const value = isThenable(made) ? await this.orAborted(flight, made) : made;
      const loaded = this.land(flight, value);
      flight.landed = true;
      return loaded;
    } catch (error) {
      this.errors++;
      this.fail(flight);
      if (flight.callers === 0 && !flight.controller.signal.aborted) {
        this.onError(error, flight.key);
      }
      throw error;
    } finally {
      this.drop(flight);
    }
  }

  /** Takes a flight out, unless another one has taken its key. */
  private drop(flight: Flight<K, V>): void {
    if (this.flights.get(flight.key) === flight) {
      this.flights.delete(flight.key);
      this.count = this.flights.size;
    }
  }

  /** A load that ignores its signal must not hold up those who were told of the abort; what it brings is buried. */
  private orAborted(flight: Flight<K, V>, made: PromiseLike<V>): Promise<V> {
    const { signal } = flight.controller;
    return new Promise<V>((resolve, reject) => {
      const aborted = (): void => {
        reject(signal.reason as Error);
        made.then(
          (value) => {
            this.land(flight, value);
          },
          () => {},
        );
      };
      signal.addEventListener('abort', aborted, { once: true });
      made.then(
        (value) => {
          signal.removeEventListener('abort', aborted);
          resolve(value);
        },
        (error: unknown) => {
          signal.removeEventListener('abort', aborted);
          reject(error as Error);
        },
      );
    });
  }
}
