import type { Shrinker, ShrinkerSpec } from '@core/shrinker';
import { ObjectCache } from '../object-cache.js';
import type { Lru } from '../policy/lru.js';
import { Ages } from './ages.js';
import { checkLruOptions, isPositive } from './check-options.js';
import { Entry, type Flight } from './entry.js';
import { Fetches } from './fetches.js';
import { note } from './note.js';
import type {
  LruDisposeReason,
  LruEntry,
  LruFetcher,
  LruFetcherOptions,
  LruFetchOptions,
  LruGetOptions,
  LruHasOptions,
  LruInsertReason,
  LruMemoizer,
  LruMemoOptions,
  LruOptions,
  LruPeekOptions,
  LruPerf,
  LruSetOptions,
  LruStatus,
} from './options.js';
import { WatchedLru } from './watched-lru.js';

const NONE = {};
const NOT_SIZED = 'cannot set size without setting maxSize or maxEntrySize on cache';
const NO_SIZE =
  'invalid size value (must be positive integer). When maxSize or maxEntrySize is used, sizeCalculation or size must be set.';
const BAD_SIZE = 'sizeCalculation return invalid (expect positive integer)';

/** A process is warned once. */
let warnedOfUnbounded = false;

/**
 * lru-cache 11's class, on an {@link ObjectCache} with the exact LRU policy: the same options, methods and results.
 *
 * What differs is written down in docs/guides/from-lru-cache.md, above all this: `dispose` and `disposeAfter` are called
 * in a later turn, when nobody can be using the value any more. Besides, there are `use`, to hold a value across awaits,
 * and `asShrinker` and `attach`, to give memory back under pressure.
 *
 * Iteration is over the entries that there are when it begins, without those that have left when it gets to them. O(size)
 * to begin with.
 *
 * Error messages are lru-cache's.
 */
export class LRUCache<K extends {}, V extends {}, FC = unknown> implements Iterable<[K, V]> {
  ttl: number;
  ttlResolution: number;
  ttlAutopurge: boolean;
  updateAgeOnGet: boolean;
  updateAgeOnHas: boolean;
  allowStale: boolean;
  noDisposeOnSet: boolean;
  noUpdateTTL: boolean;
  maxEntrySize: number;
  sizeCalculation: ((value: V, key: K) => number) | undefined;
  noDeleteOnFetchRejection: boolean;
  noDeleteOnStaleGet: boolean;
  allowStaleOnFetchAbort: boolean;
  allowStaleOnFetchRejection: boolean;
  ignoreFetchAbort: boolean;
  backgroundFetchSize: number;
  readonly max: number;
  readonly maxSize: number;
  readonly perf: LruPerf;
  readonly dispose: LruOptions<K, V, FC>['dispose'];
  readonly disposeAfter: LruOptions<K, V, FC>['disposeAfter'];
  readonly onInsert: LruOptions<K, V, FC>['onInsert'];
  readonly fetchMethod: LruFetcher<K, V, FC> | undefined;
  readonly memoMethod: LruMemoizer<K, V, FC> | undefined;
  private readonly reclaim: LruOptions<K, V, FC>['reclaim'];
  private readonly order: Lru = new WatchedLru((slot) => this.evicted(slot));
  private readonly inner: ObjectCache<K, Entry<K, V>>;
  private readonly ages: Ages;
  private readonly fetches: Fetches<K, V, FC> | null;
  /** Evicted while their value was being loaded: the loads are to be aborted, but not while the cache is changing. */
  private readonly abandoned: Flight<V>[] = [];
  /** Whether an entry may be stale, or have no value. */
  private mayBeUnfit: boolean;
  private readonly sized: boolean;

  /** @throws {TypeError} as lru-cache does */
  constructor(options: LruOptions<K, V, FC> | LRUCache<K, V, FC>) {
    const given = options as LruOptions<K, V, FC>;
    checkLruOptions(given);
    const { max = 0, maxSize = 0, ttl = 0, ttlResolution, fetchMethod } = given;
    this.max = max;
    this.maxSize = maxSize;
    this.maxEntrySize = given.maxEntrySize || maxSize;
    this.sizeCalculation = given.sizeCalculation;
    this.sized = this.maxEntrySize !== 0;
    this.ttl = ttl;
    this.ttlResolution = isPositive(ttlResolution) || ttlResolution === 0 ? ttlResolution : 1;
    this.ttlAutopurge = Boolean(given.ttlAutopurge);
    this.updateAgeOnGet = Boolean(given.updateAgeOnGet);
    this.updateAgeOnHas = Boolean(given.updateAgeOnHas);
    this.allowStale = Boolean(given.allowStale);
    this.noDisposeOnSet = Boolean(given.noDisposeOnSet);
    this.noUpdateTTL = Boolean(given.noUpdateTTL);
    this.noDeleteOnStaleGet = Boolean(given.noDeleteOnStaleGet);
    this.noDeleteOnFetchRejection = Boolean(given.noDeleteOnFetchRejection);
    this.allowStaleOnFetchRejection = Boolean(given.allowStaleOnFetchRejection);
    this.allowStaleOnFetchAbort = Boolean(given.allowStaleOnFetchAbort);
    this.ignoreFetchAbort = Boolean(given.ignoreFetchAbort);
    this.backgroundFetchSize = given.backgroundFetchSize ?? 1;
    this.perf = given.perf ?? performance;
    this.dispose = functionOrNone(given.dispose);
    this.disposeAfter = functionOrNone(given.disposeAfter);
    this.onInsert = functionOrNone(given.onInsert);
    this.fetchMethod = fetchMethod;
    this.memoMethod = given.memoMethod;
    this.reclaim = given.reclaim;
    this.ages = new Ages(this.perf, this.ttlResolution);
    this.mayBeUnfit = ttl !== 0 || fetchMethod !== undefined;
    this.inner = this.makeInner();
    this.fetches = fetchMethod === undefined ? null : this.makeFetches(fetchMethod);
    if (!this.ttlAutopurge && max === 0 && maxSize === 0) {
      warnOfUnbounded();
    }
  }

  get size(): number {
    return this.inner.size;
  }

  get calculatedSize(): number {
    return this.sized ? this.inner.bytes : 0;
  }

  get [Symbol.toStringTag](): string {
    return 'LRUCache';
  }

  set(key: K, value: V | undefined, options: LruSetOptions<K, V, FC> = NONE): this {
    const { status } = options;
    if (status !== undefined) {
      Object.assign(status, { op: 'set', key, cache: this }, value === undefined ? {} : { value });
    }
    return this.store(key, value, options, null);
  }

  get(key: K, options: LruGetOptions<K, V, FC> = NONE): V | undefined {
    if (!this.mayBeUnfit && options === NONE) {
      const entry = this.inner.get(key);
      return entry === undefined ? undefined : entry.value;
    }
    const { status } = options;
    if (status !== undefined) {
      Object.assign(status, { op: 'get', key, cache: this });
    }
    const value = this.lookUp(key, options);
    if (status !== undefined && value !== undefined) {
      status.value = value;
    }
    return value;
  }

  peek(key: K, options: LruPeekOptions<K, V, FC> = NONE): V | undefined {
    const { allowStale = this.allowStale, status } = options;
    const entry = this.inner.peek(key);
    const usable = entry !== undefined && (allowStale || !this.ages.isStale(entry));
    const value = usable ? entry.value : undefined;
    if (status !== undefined) {
      Object.assign(status, { op: 'peek', key, cache: this }, value === undefined ? {} : { value });
      status.peek = value !== undefined ? 'hit' : entry === undefined || usable ? 'miss' : 'stale';
    }
    return value;
  }

  has(key: K, options: LruHasOptions<K, V, FC> = NONE): boolean {
    const { updateAgeOnHas = this.updateAgeOnHas, status } = options;
    const entry = this.inner.peek(key);
    const loading = entry !== undefined && entry.value === undefined;
    const isStale = entry !== undefined && !loading && this.ages.isStale(entry);
    const isThere = entry !== undefined && !loading && !isStale;
    if (isThere && updateAgeOnHas) {
      this.renew(entry);
    }
    if (status !== undefined) {
      Object.assign(status, { op: 'has', key, cache: this });
      if (!loading) {
        status.has = isThere ? 'hit' : isStale ? 'stale' : 'miss';
      }
      if (entry !== undefined && !loading) {
        this.ages.describe(entry, status);
      }
    }
    return isThere;
  }

  delete(key: K): boolean {
    const entry = this.inner.peek(key);
    if (entry === undefined) {
      return false;
    }
    this.remove(entry, 'delete');
    return true;
  }

  clear(): void {
    for (const entry of this.entriesFrom('oldest')) {
      this.remove(entry, 'delete');
    }
  }

  /** Removes the least recently used entry that has a value, and returns that. */
  pop(): V | undefined {
    for (const entry of this.entriesFrom('oldest')) {
      const { value } = entry;
      this.remove(entry, 'evict');
      if (value !== undefined) {
        return value;
      }
    }
    return undefined;
  }

  /** Removes stale entries. @returns whether there were any */
  purgeStale(): boolean {
    let deleted = false;
    for (const entry of this.entriesFrom('oldest')) {
      if (this.ages.isStale(entry)) {
        this.remove(entry, 'expire');
        deleted = true;
      }
    }
    return deleted;
  }

  /** Milliseconds; less than 0 if stale, 0 if there is no entry, Infinity if it never is. */
  getRemainingTTL(key: K): number {
    const entry = this.inner.peek(key);
    return entry === undefined ? 0 : this.ages.remaining(entry);
  }

  /** The first value, from the most recently used on, for which `test` is true; as {@link get} finds it. */
  find(test: (value: V, key: K, cache: this) => boolean, options: LruGetOptions<K, V, FC> = NONE): V | undefined {
    for (const { key, value } of this.fresh('newest')) {
      if (value !== undefined && test(value, key, this)) {
        return this.lookUp(key, options);
      }
    }
    return undefined;
  }

  forEach(callback: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    this.each('newest', callback, self);
  }

  rforEach(callback: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    this.each('oldest', callback, self);
  }

  *keys(): Generator<K, void, unknown> {
    for (const { key } of this.settled('newest')) {
      yield key;
    }
  }

  *rkeys(): Generator<K, void, unknown> {
    for (const { key } of this.settled('oldest')) {
      yield key;
    }
  }

  *values(): Generator<V, void, unknown> {
    for (const { value } of this.settled('newest')) {
      yield value as V;
    }
  }

  *rvalues(): Generator<V, void, unknown> {
    for (const { value } of this.settled('oldest')) {
      yield value as V;
    }
  }

  *entries(): Generator<[K, V], void, unknown> {
    for (const { key, value } of this.settled('newest')) {
      yield [key, value as V];
    }
  }

  *rentries(): Generator<[K, V], void, unknown> {
    for (const { key, value } of this.settled('oldest')) {
      yield [key, value as V];
    }
  }

  [Symbol.iterator](): Generator<[K, V], void, unknown> {
    return this.entries();
  }

  info(key: K): LruEntry<V> | undefined {
    const entry = this.inner.peek(key);
    if (entry?.value === undefined) {
      return undefined;
    }
    const { value, ttl, start, size } = entry;
    return {
      value,
      ...(ttl !== 0 && start !== 0 ? { ttl: ttl - this.ages.exactAge(entry), start: Date.now() } : {}),
      ...(this.sized ? { size } : {}),
    };
  }

  /** All entries, stale ones included, from the least recently used on: for {@link load}. */
  dump(): [K, LruEntry<V>][] {
    const dumped: [K, LruEntry<V>][] = [];
    for (const entry of this.entriesFrom('oldest')) {
      const { key, value, ttl, size } = entry;
      if (value !== undefined) {
        const age = this.mayBeUnfit ? { ttl, start: Math.floor(Date.now() - this.ages.exactAge(entry)) } : {};
        dumped.push([key, { value, ...age, ...(this.sized ? { size } : {}) }]);
      }
    }
    return dumped;
  }

  /** Replaces all entries by those that {@link dump} gave. */
  load(dumped: readonly [K, LruEntry<V>][]): void {
    this.clear();
    for (const [key, { value, ttl, start, size }] of dumped) {
      this.store(
        key,
        value,
        {
          ...(ttl === undefined ? {} : { ttl }),
          ...(start ? { start: this.perf.now() - (Date.now() - start) } : {}),
          ...(size === undefined ? {} : { size }),
        },
        null,
      );
    }
  }

  /** The value, made by `fetchMethod` if there is no fresh one. Without that, as {@link get}. */
  async fetch(key: K, options: LruFetchOptions<K, V, FC> = NONE): Promise<V | undefined> {
    const { status, forceRefresh = false, context, signal, ...rest } = options;
    if (status !== undefined) {
      Object.assign(status, { op: 'fetch', key, cache: this }, forceRefresh ? { forceRefresh } : {});
      Object.assign(status, context === undefined ? {} : { context });
    }
    const settings = this.fetchSettings(rest, status, signal);
    const { fetches } = this;
    if (fetches === null) {
      note(status, 'fetch', 'get');
      return this.lookUp(key, settings);
    }
    const entry = this.inner.peek(key);
    if (entry === undefined) {
      note(status, 'fetch', 'miss');
      return this.waitFor(fetches.begin(key, undefined, settings, context as FC));
    }
    const isStale = this.ages.isStale(entry);
    if (entry.flight !== null) {
      note(status, 'fetch', 'inflight');
      return this.staleOrAwaited(entry, entry.flight, settings, true);
    }
    if (!forceRefresh && !isStale) {
      note(status, 'fetch', 'hit');
      this.touch(entry, settings.updateAgeOnGet as boolean);
      this.ages.describe(entry, status);
      return entry.value;
    }
    note(status, 'fetch', isStale ? 'stale' : 'refresh');
    return this.staleOrAwaited(entry, fetches.begin(key, entry, settings, context as FC), settings, isStale);
  }

  /** As {@link fetch}. @throws {Error} it brought nothing */
  async forceFetch(key: K, options: LruFetchOptions<K, V, FC> = NONE): Promise<V> {
    const value = await this.fetch(key, options);
    if (value === undefined) {
      throw new Error('fetch() returned undefined');
    }
    return value;
  }

  /** The value, made by `memoMethod` and stored if there is none. */
  memo(key: K, options: LruMemoOptions<K, V, FC> = NONE): V {
    const { memoMethod } = this;
    if (memoMethod === undefined) {
      throw new Error('no memoMethod provided to constructor');
    }
    const { context, status, forceRefresh = false, ...rest } = options;
    if (status !== undefined) {
      Object.assign(status, { op: 'memo', key, cache: this }, forceRefresh ? { forceRefresh } : {});
      Object.assign(status, context === undefined ? {} : { context });
    }
    const found = this.lookUp(key, rest);
    const isHit = found !== undefined && !forceRefresh;
    note(status, 'memo', isHit ? 'hit' : 'miss');
    if (isHit) {
      note(status, 'value', found);
      return found;
    }
    const made = memoMethod(key, found, { options: rest, context: context as FC });
    note(status, 'value', made);
    this.store(key, made, rest, null);
    return made;
  }

  /** Holds the value until `section` has returned, or its promise has settled: it is not disposed of before. */
  use<R>(key: K, section: (value: V) => R | Promise<R>): R | Promise<R> | undefined {
    const value = this.lookUp(key, NONE);
    return value === undefined ? undefined : this.inner.use<R>(key, () => section(value) as R);
  }

  /** What to register with a `ShrinkerRegistry`; then {@link attach} it. */
  asShrinker(): ShrinkerSpec {
    return this.inner.asShrinker();
  }

  attach(shrinker: Shrinker): Shrinker {
    return this.inner.attach(shrinker);
  }

  /** Removes all, and resolves when all has been disposed of. Nothing can be stored from then on. */
  close(): Promise<void> {
    this.clear();
    return this.inner.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.inner.checkInvariants();
  }

  private makeInner(): ObjectCache<K, Entry<K, V>> {
    const { max, maxSize, reclaim, dispose, disposeAfter } = this;
    const { onError, ...rest } = reclaim ?? {};
    const tell = (entry: Entry<K, V>, key: K, reason: LruDisposeReason | 'reject'): void => {
      const { value, silent } = entry;
      if (value !== undefined && !silent) {
        const why = entry.leaves ?? (reason === 'reject' ? 'evict' : reason);
        try {
          dispose?.(value, key, why);
        } finally {
          disposeAfter?.(value, key, why);
        }
      }
    };
    return new ObjectCache<K, Entry<K, V>>({
      ...rest,
      policy: () => this.order,
      ...(max === 0 ? {} : { max }),
      ...(maxSize === 0 ? {} : { maxBytes: maxSize }),
      ...(dispose === undefined && disposeAfter === undefined ? {} : { dispose: tell }),
      ...(onError === undefined ? {} : { onError }),
    });
  }

  private makeFetches(method: LruFetcher<K, V, FC>): Fetches<K, V, FC> {
    return new Fetches<K, V, FC>(
      {
        peek: (key) => this.inner.peek(key),
        place: (entry, options) => this.place(entry, options),
        store: (key, value, options, flight) => this.store(key, value, options, flight),
        remove: (entry, reason) => this.remove(entry, reason),
      },
      method,
    );
  }

  /** An entry stands for its load from now on, unless it is said to be too large. */
  private place(entry: Entry<K, V>, { size, ttl = this.ttl }: LruFetcherOptions<K, V, FC>): void {
    entry.size = isPositive(size) ? size : this.backgroundFetchSize;
    if (this.maxEntrySize === 0 || entry.size <= this.maxEntrySize) {
      this.inner.set(entry.key, entry, this.sized ? { size: entry.size } : undefined);
      this.abortAbandoned();
      this.age(entry, ttl);
    }
  }

  private store(key: K, value: V | undefined, options: LruSetOptions<K, V, FC>, flight: Flight<V> | null): this {
    const { ttl = this.ttl, start, noDisposeOnSet = this.noDisposeOnSet, status } = options;
    const old = this.inner.peek(key);
    if (value === undefined) {
      note(status, 'set', 'deleted');
      this.delete(key);
      return this;
    }
    note(status, 'value', value);
    const size = this.sizeOf(key, value, options);
    if (this.maxEntrySize !== 0 && size > this.maxEntrySize) {
      if (old !== undefined) {
        this.remove(old, 'set');
      }
      note(status, 'set', 'miss');
      note(status, 'maxEntrySizeExceeded', true);
      return this;
    }
    if (ttl !== 0) {
      this.mayBeUnfit = true;
    }
    let entry = old;
    let reason: LruInsertReason = 'update';
    if (old !== undefined && old.flight === null && old.value === value) {
      this.inner.get(key);
    } else {
      reason = old?.value === undefined ? 'add' : old.value === value ? 'update' : 'replace';
      entry = new Entry<K, V>(key, value, size);
      if (old !== undefined) {
        this.replaceOld(old, entry, value, noDisposeOnSet, flight);
      }
      this.inner.set(key, entry, this.sized ? { size } : undefined);
      this.abortAbandoned();
      if (this.sized) {
        note(status, 'entrySize', size);
        note(status, 'totalCalculatedSize', this.calculatedSize);
      }
    }
    if (status !== undefined) {
      status.set = reason;
      Object.assign(status, old?.value === undefined || reason === 'update' ? {} : { oldValue: old.value });
    }
    this.onInsert?.(value, key, reason);
    const keepsAge = old !== undefined && (options.noUpdateTTL ?? this.noUpdateTTL);
    if (entry !== undefined && !keepsAge) {
      this.age(entry, ttl, start);
    }
    if (entry !== undefined) {
      this.ages.describe(entry, status);
    }
    return this;
  }

  /** An entry takes the place of another one. */
  private replaceOld(
    old: Entry<K, V>,
    entry: Entry<K, V>,
    value: V,
    noDisposeOnSet: boolean,
    flight: Flight<V> | null,
  ): void {
    entry.ttl = old.ttl;
    entry.start = old.start;
    this.stopTimer(old);
    if (old.ttl !== 0) {
      this.startTimer(entry, this.ages.remaining(old));
    }
    old.silent = noDisposeOnSet || old.value === value;
    if (old.flight !== null && old.flight !== flight && !noDisposeOnSet) {
      const { controller } = old.flight;
      old.flight = null;
      controller.abort(new Error('replaced'));
    }
  }

  private sizeOf(key: K, value: V, options: LruSetOptions<K, V, FC>): number {
    const { size, sizeCalculation = this.sizeCalculation } = options;
    if (!this.sized) {
      if (size || sizeCalculation) {
        throw new TypeError(NOT_SIZED);
      }
      return 0;
    }
    if (isPositive(size)) {
      return size;
    }
    if (!sizeCalculation) {
      throw new TypeError(NO_SIZE);
    }
    if (typeof sizeCalculation !== 'function') {
      throw new TypeError('sizeCalculation must be a function');
    }
    const calculated = sizeCalculation(value, key);
    if (!isPositive(calculated)) {
      throw new TypeError(BAD_SIZE);
    }
    return calculated;
  }

  /** As `get` of lru-cache: a stale entry goes, or stays. */
  private lookUp(key: K, options: LruGetOptions<K, V, FC>): V | undefined {
    const {
      allowStale = this.allowStale,
      updateAgeOnGet = this.updateAgeOnGet,
      noDeleteOnStaleGet = this.noDeleteOnStaleGet,
      status,
    } = options;
    const entry = this.inner.peek(key);
    if (entry === undefined) {
      note(status, 'get', 'miss');
      return undefined;
    }
    this.ages.describe(entry, status);
    const fetching = entry.flight !== null;
    if (!this.ages.isStale(entry)) {
      note(status, 'get', fetching ? 'fetching' : 'hit');
      this.touch(entry, updateAgeOnGet);
      return entry.value;
    }
    note(status, 'get', fetching ? 'stale-fetching' : 'stale');
    const { value } = entry;
    if (!fetching && !noDeleteOnStaleGet) {
      this.remove(entry, 'expire');
    }
    if (!allowStale || value === undefined) {
      return undefined;
    }
    note(status, 'returnedStale', true);
    return value;
  }

  private touch(entry: Entry<K, V>, updateAge: boolean): void {
    this.inner.get(entry.key);
    if (updateAge) {
      this.renew(entry);
    }
  }

  private remove(entry: Entry<K, V>, reason: LruDisposeReason): void {
    const { flight } = entry;
    entry.leaves = reason;
    entry.flight = null;
    this.stopTimer(entry);
    this.inner.delete(entry.key);
    flight?.controller.abort(new Error('deleted'));
  }

  /** The cache below is in the middle of something. */
  private evicted(slot: number): void {
    const entry = this.inner.valueInSlot(slot);
    const { flight } = entry;
    this.stopTimer(entry);
    entry.flight = null;
    if (flight !== null && this.abandoned.push(flight) === 1) {
      // For evictions that no `set` of ours has asked for.
      queueMicrotask(() => this.abortAbandoned());
    }
  }

  private abortAbandoned(): void {
    while (this.abandoned.length > 0) {
      this.abandoned.shift()?.controller.abort(new Error('evicted'));
    }
  }

  private age(entry: Entry<K, V>, ttl: number, start?: number): void {
    if (ttl !== 0) {
      this.mayBeUnfit = true;
    }
    this.ages.start(entry, ttl, start);
    this.startTimer(entry);
  }

  private renew(entry: Entry<K, V>): void {
    this.age(entry, entry.ttl);
  }

  private stopTimer(entry: Entry<K, V>): void {
    clearTimeout(entry.timer);
    entry.timer = undefined;
  }

  private startTimer(entry: Entry<K, V>, afterMs: number = entry.ttl): void {
    this.stopTimer(entry);
    if (!this.ttlAutopurge || entry.ttl === 0) {
      return;
    }
    entry.timer = setTimeout(() => {
      // It may have been evicted meanwhile.
      if (this.inner.peek(entry.key) === entry) {
        if (this.ages.isStale(entry)) {
          this.remove(entry, 'expire');
        } else {
          this.startTimer(entry, this.ages.remaining(entry));
        }
      }
    }, afterMs + 1);
    entry.timer.unref();
  }

  private fetchSettings(
    options: LruFetcherOptions<K, V, FC>,
    status: LruStatus<K, V, FC> | undefined,
    signal: AbortSignal | undefined,
  ): LruFetcherOptions<K, V, FC> {
    return {
      allowStale: this.allowStale,
      updateAgeOnGet: this.updateAgeOnGet,
      noDeleteOnStaleGet: this.noDeleteOnStaleGet,
      ttl: this.ttl,
      noDisposeOnSet: this.noDisposeOnSet,
      size: 0,
      sizeCalculation: this.sizeCalculation,
      noUpdateTTL: this.noUpdateTTL,
      noDeleteOnFetchRejection: this.noDeleteOnFetchRejection,
      allowStaleOnFetchRejection: this.allowStaleOnFetchRejection,
      allowStaleOnFetchAbort: this.allowStaleOnFetchAbort,
      ignoreFetchAbort: this.ignoreFetchAbort,
      ...options,
      // A fetched value is always as old as its arrival.
      start: undefined,
      status,
      signal,
    };
  }

  private staleOrAwaited(
    entry: Entry<K, V>,
    flight: Flight<V>,
    settings: LruFetcherOptions<K, V, FC>,
    tells: boolean,
  ): V | Promise<V | undefined> {
    if (settings.allowStale !== true || entry.value === undefined) {
      return this.waitFor(flight);
    }
    if (tells) {
      note(settings.status, 'returnedStale', true);
    }
    return entry.value;
  }

  private waitFor(flight: Flight<V>): Promise<V | undefined> {
    flight.awaited = true;
    return flight.promise;
  }

  private each(from: End, callback: (value: V, key: K, cache: this) => unknown, self: unknown): void {
    for (const { key, value } of this.fresh(from)) {
      if (value !== undefined) {
        callback.call(self, value, key, this);
      }
    }
  }

  /** Those with a value that no load is about to replace. */
  private *settled(from: End): Iterable<Entry<K, V>> {
    for (const entry of this.fresh(from)) {
      if (entry.flight === null && entry.value !== undefined) {
        yield entry;
      }
    }
  }

  /** Without stale ones, unless those are allowed. */
  private *fresh(from: End): Iterable<Entry<K, V>> {
    for (const entry of this.entriesFrom(from)) {
      if (this.allowStale || !this.ages.isStale(entry)) {
        yield entry;
      }
    }
  }

  /** The entries that there are now, without those that have left when it is their turn. */
  private *entriesFrom(from: End): Iterable<Entry<K, V>> {
    const { inner, order } = this;
    const slots = [...(from === 'newest' ? order.reversed() : order.slots())];
    const entries = slots.map((slot) => inner.valueInSlot(slot));
    if (entries.length < inner.size) {
      // Eviction has met some while they were held, and set them aside.
      const listed = new Set(entries);
      entries.push(...[...inner.values()].filter((entry) => !listed.has(entry)));
    }
    for (const entry of entries) {
      if (inner.peek(entry.key) === entry) {
        yield entry;
      }
    }
  }
}

type End = 'newest' | 'oldest';

function functionOrNone<F>(value: F | undefined): F | undefined {
  return typeof value === 'function' ? value : undefined;
}

function warnOfUnbounded(): void {
  if (!warnedOfUnbounded) {
    warnedOfUnbounded = true;
    process.emitWarning(
      'TTL caching without ttlAutopurge, max, or maxSize can result in unbounded memory consumption.',
      'UnboundedCacheWarning',
      'LRU_CACHE_UNBOUNDED',
    );
  }
}
