import type { Shrinker, ShrinkerSpec } from '@core/shrinker';
import { checkLruOptions, isPositive } from './check-options.js';
import type { Entry } from './entry.js';
import { Fetches } from './fetches.js';
import { LruStore } from './lru-store.js';
import { note } from './note.js';
import type {
  LruContextualRest,
  LruDisposer,
  LruDisposeReason,
  LruEntry,
  LruFetcher,
  LruFetcherOptions,
  LruFetcherTools,
  LruFetchOptions,
  LruGetOptions,
  LruHasOptions,
  LruInserter,
  LruInsertReason,
  LruMemoizer,
  LruMemoizerOptions,
  LruMemoizerTools,
  LruMemoOptions,
  LruOptions,
  LruOptionsBase,
  LruOptionsMaxLimit,
  LruOptionsSizeLimit,
  LruOptionsTtlLimit,
  LruPeekOptions,
  LruSetOptions,
  LruSettings,
  LruSizeCalculator,
  LruStatus,
  Perf,
} from './options.js';

const NONE = {};
const KEEP_STALE = { noDeleteOnStaleGet: true };

/** What cannot be changed later. */
interface Fixed<K, V, FC> extends Pick<
  LruSettings<K, V, FC>,
  'max' | 'maxSize' | 'perf' | 'dispose' | 'disposeAfter' | 'onInsert' | 'fetchMethod'
> {
  readonly memoMethod: LruMemoizer<K, V, FC> | undefined;
  readonly reclaim: LruOptions<K, V, FC>['reclaim'];
}

/** A process is warned once. */
let warnedOfUnbounded = false;

/**
 * lru-cache 11's class, on an `ObjectCache` with the exact LRU policy: the same options, methods, results and types.
 *
 * What differs is written down in docs/guides/from-lru-cache.md, above all this: `dispose` and `disposeAfter` are called
 * in a later turn, when nobody can be using the value any more. Besides, there are `use`, to hold a value across awaits,
 * and `asShrinker` and `attach`, to give memory back under pressure.
 *
 * Iteration is over the keys that there are when it begins, without those that have left when it gets to them. O(size)
 * to begin with.
 *
 * Error messages are lru-cache's.
 */
export class LRUCache<K extends {}, V extends {}, FC = unknown> implements Iterable<[K, V]>, LruSettings<K, V, FC> {
  ttl: number;
  ttlResolution: number;
  ttlAutopurge: boolean;
  updateAgeOnGet: boolean;
  updateAgeOnHas: boolean;
  allowStale: boolean;
  noDisposeOnSet: boolean;
  noUpdateTTL: boolean;
  maxEntrySize: number;
  sizeCalculation: LruSizeCalculator<K, V> | undefined;
  noDeleteOnFetchRejection: boolean;
  noDeleteOnStaleGet: boolean;
  allowStaleOnFetchAbort: boolean;
  allowStaleOnFetchRejection: boolean;
  ignoreFetchAbort: boolean;
  backgroundFetchSize: number;
  // Private in earnest, as lru-cache's are: classes that extend it may use any name.
  readonly #fixed: Fixed<K, V, FC>;
  readonly #store: LruStore<K, V, FC>;
  readonly #fetches: Fetches<K, V, FC> | null;

  /** @throws {TypeError} as lru-cache does */
  constructor(options: LruOptions<K, V, FC> | LRUCache<K, V, FC>) {
    const given: LruOptionsBase<K, V, FC> = options;
    checkLruOptions(given);
    const { max = 0, maxSize = 0, ttl = 0, ttlResolution, fetchMethod } = given;
    this.#fixed = {
      max,
      maxSize,
      perf: given.perf ?? performance,
      dispose: functionOrNone(given.dispose),
      disposeAfter: functionOrNone(given.disposeAfter),
      onInsert: functionOrNone(given.onInsert),
      fetchMethod,
      memoMethod: given.memoMethod,
      reclaim: options instanceof LRUCache ? options.#fixed.reclaim : options.reclaim,
    };
    this.maxEntrySize = given.maxEntrySize || maxSize;
    this.sizeCalculation = given.sizeCalculation;
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
    this.#store = new LruStore<K, V, FC>(this, this.#fixed.reclaim);
    this.#fetches = fetchMethod === undefined ? null : new Fetches<K, V, FC>(this.#store, this, fetchMethod);
    if (!this.ttlAutopurge && max === 0 && maxSize === 0) {
      warnOfUnbounded();
    }
  }

  get max(): number {
    return this.#fixed.max;
  }

  get maxSize(): number {
    return this.#fixed.maxSize;
  }

  get perf(): Perf {
    return this.#fixed.perf;
  }

  get dispose(): LruDisposer<K, V> | undefined {
    return this.#fixed.dispose;
  }

  get disposeAfter(): LruDisposer<K, V> | undefined {
    return this.#fixed.disposeAfter;
  }

  get onInsert(): LruInserter<K, V> | undefined {
    return this.#fixed.onInsert;
  }

  get fetchMethod(): LruFetcher<K, V, FC> | undefined {
    return this.#fixed.fetchMethod;
  }

  get memoMethod(): LruMemoizer<K, V, FC> | undefined {
    return this.#fixed.memoMethod;
  }

  get size(): number {
    return this.#store.inner.size;
  }

  get calculatedSize(): number {
    return this.#store.sized ? this.#store.inner.bytes : 0;
  }

  get [Symbol.toStringTag](): string {
    return 'LRUCache';
  }

  set(key: K, value: V | undefined, options: LruSetOptions<K, V, FC> = NONE): this {
    if (options === NONE && value !== undefined && this.#setsValuesOnly()) {
      this.#store.inner.set(key, value);
      return this;
    }
    const { status } = options;
    if (status) {
      Object.assign(status, { op: 'set', key, cache: this }, value === undefined ? {} : { value });
    }
    this.#store.store(key, value, options, null);
    return this;
  }

  get(key: K, options: LruGetOptions<K, V, FC> = NONE): V | undefined {
    const store = this.#store;
    if (options === NONE && !store.mayBeUnfit) {
      const found = store.inner.get(key);
      return store.isBare || found === undefined ? (found as V | undefined) : (found as Entry<K, V>).value;
    }
    const { status } = options;
    if (status) {
      Object.assign(status, { op: 'get', key, cache: this });
    }
    const value = store.lookUp(key, options);
    if (status && value !== undefined) {
      status.value = value;
    }
    return value;
  }

  peek(key: K, options: LruPeekOptions<K, V, FC> = NONE): V | undefined {
    const store = this.#store;
    if (options === NONE && store.isBare) {
      return store.inner.peek(key) as V | undefined;
    }
    const { allowStale = this.allowStale, status } = options;
    const entry = store.peek(key);
    const usable = entry !== undefined && (allowStale || !store.ages.isStale(entry));
    const value = usable ? entry.value : undefined;
    if (status) {
      Object.assign(status, { op: 'peek', key, cache: this }, value === undefined ? {} : { value });
      status.peek = value !== undefined ? 'hit' : entry === undefined || usable ? 'miss' : 'stale';
    }
    return value;
  }

  has(key: K, options: LruHasOptions<K, V, FC> = NONE): boolean {
    const store = this.#store;
    if (options === NONE && store.isBare) {
      return store.inner.has(key);
    }
    const { updateAgeOnHas = this.updateAgeOnHas, status } = options;
    const entry = store.peek(key);
    const loading = entry !== undefined && entry.value === undefined;
    const isStale = entry !== undefined && !loading && store.ages.isStale(entry);
    const isThere = entry !== undefined && !loading && !isStale;
    if (isThere && updateAgeOnHas) {
      store.renew(entry);
    }
    if (status) {
      Object.assign(status, { op: 'has', key, cache: this });
      if (!loading) {
        status.has = isThere ? 'hit' : isStale ? 'stale' : 'miss';
      }
      if (entry !== undefined && !loading) {
        store.ages.describe(entry, status);
      }
    }
    return isThere;
  }

  delete(key: K): boolean {
    return this.#store.delete(key);
  }

  clear(): void {
    const store = this.#store;
    for (const entry of store.entriesFrom('oldest')) {
      store.remove(entry, 'delete');
    }
  }

  /** Removes the least recently used entry that has a value, and returns that. */
  pop(): V | undefined {
    const store = this.#store;
    let entry = store.oldest();
    let value: V | undefined;
    while (entry !== undefined && value === undefined) {
      ({ value } = entry);
      store.remove(entry, 'evict');
      entry = store.oldest();
    }
    return value;
  }

  /** Removes stale entries. @returns whether there were any */
  purgeStale(): boolean {
    const store = this.#store;
    let deleted = false;
    for (const entry of store.entriesFrom('oldest')) {
      if (store.ages.isStale(entry)) {
        store.remove(entry, 'expire');
        deleted = true;
      }
    }
    return deleted;
  }

  /** Milliseconds; less than 0 if stale, 0 if there is no entry, Infinity if it never is. */
  getRemainingTTL(key: K): number {
    const entry = this.#store.peek(key);
    return entry === undefined ? 0 : this.#store.ages.remaining(entry);
  }

  /** The first value, from the most recently used on, for which `test` is true; as {@link get} finds it. */
  find(test: (value: V, key: K, cache: this) => boolean, options: LruGetOptions<K, V, FC> = NONE): V | undefined {
    for (const { key, value } of this.#store.freshFrom('newest')) {
      if (value !== undefined && test(value, key, this)) {
        return this.#store.lookUp(key, options);
      }
    }
    return undefined;
  }

  forEach(callback: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    for (const { key, value } of this.#store.freshFrom('newest')) {
      if (value !== undefined) {
        callback.call(self, value, key, this);
      }
    }
  }

  rforEach(callback: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    for (const { key, value } of this.#store.freshFrom('oldest')) {
      if (value !== undefined) {
        callback.call(self, value, key, this);
      }
    }
  }

  *keys(): Generator<K, void, unknown> {
    for (const { key } of this.#store.settledFrom('newest')) {
      yield key;
    }
  }

  *rkeys(): Generator<K, void, unknown> {
    for (const { key } of this.#store.settledFrom('oldest')) {
      yield key;
    }
  }

  *values(): Generator<V, void, unknown> {
    for (const { value } of this.#store.settledFrom('newest')) {
      yield value as V;
    }
  }

  *rvalues(): Generator<V, void, unknown> {
    for (const { value } of this.#store.settledFrom('oldest')) {
      yield value as V;
    }
  }

  *entries(): Generator<[K, V], void, unknown> {
    for (const { key, value } of this.#store.settledFrom('newest')) {
      yield [key, value as V];
    }
  }

  *rentries(): Generator<[K, V], void, unknown> {
    for (const { key, value } of this.#store.settledFrom('oldest')) {
      yield [key, value as V];
    }
  }

  [Symbol.iterator](): Generator<[K, V], void, unknown> {
    return this.entries();
  }

  info(key: K): LruEntry<V> | undefined {
    const { ages, sized } = this.#store;
    const entry = this.#store.peek(key);
    if (entry?.value === undefined) {
      return undefined;
    }
    const { value, lifetime: ttl, start, size } = entry;
    return {
      value,
      ...(ttl !== 0 && start !== 0 ? { ttl: ttl - ages.exactAge(entry), start: Date.now() } : {}),
      ...(sized ? { size } : {}),
    };
  }

  /** All entries, stale ones included, from the least recently used on: for {@link load}. */
  dump(): [K, LruEntry<V>][] {
    const { ages, keepsAges, sized } = this.#store;
    const dumped: [K, LruEntry<V>][] = [];
    for (const entry of this.#store.entriesFrom('oldest')) {
      const { key, value, lifetime: ttl, size } = entry;
      if (value !== undefined) {
        const age = keepsAges ? { ttl, start: Math.floor(Date.now() - ages.exactAge(entry)) } : {};
        dumped.push([key, { value, ...age, ...(sized ? { size } : {}) }]);
      }
    }
    return dumped;
  }

  /** Replaces all entries by those that {@link dump} gave. */
  load(dumped: readonly [K, LruEntry<V>][]): void {
    this.clear();
    for (const [key, { value, ttl, start, size }] of dumped) {
      const begin = start ? this.perf.now() - (Date.now() - start) : undefined;
      this.#store.store(key, value, { ttl, start: begin, size }, null);
    }
  }

  /** The value, made by `fetchMethod` if there is no fresh one. Without that, as {@link get}. */
  fetch(key: K, ...options: LruContextualRest<FC, LruFetchOptions<K, V, FC>>): Promise<V | undefined>;
  async fetch(key: K, options: LruFetchOptions<K, V, FC> = NONE): Promise<V | undefined> {
    return this.#fetch(key, options);
  }

  /** As {@link fetch}. @throws {Error} it brought nothing */
  forceFetch(key: K, ...options: LruContextualRest<FC, LruFetchOptions<K, V, FC>>): Promise<V>;
  async forceFetch(key: K, options: LruFetchOptions<K, V, FC> = NONE): Promise<V> {
    const value = await this.#fetch(key, options);
    if (value === undefined) {
      throw new Error('fetch() returned undefined');
    }
    return value;
  }

  /** The value, made by `memoMethod` and stored if there is none. */
  memo(key: K, ...options: LruContextualRest<FC, LruMemoOptions<K, V, FC>>): V;
  memo(key: K, options: LruMemoOptions<K, V, FC> = NONE): V {
    const { memoMethod } = this;
    if (memoMethod === undefined) {
      throw new Error('no memoMethod provided to constructor');
    }
    const { context, status, forceRefresh = false, ...rest } = options;
    if (status) {
      Object.assign(status, { op: 'memo', key, cache: this }, forceRefresh ? { forceRefresh } : {});
      Object.assign(status, context === undefined ? {} : { context });
    }
    const found = this.#store.lookUp(key, rest);
    const isHit = found !== undefined && !forceRefresh;
    note(status, 'memo', isHit ? 'hit' : 'miss');
    if (isHit) {
      note(status, 'value', found);
      return found;
    }
    const made = memoMethod(key, found, { options: rest, context: context as FC });
    note(status, 'value', made);
    this.#store.store(key, made, rest, null);
    return made;
  }

  /**
   * Holds the value until `section` has returned, or its promise has settled: it is not disposed of before. The value is
   * that of {@link get}, but that a stale entry stays.
   */
  use<R>(key: K, section: (value: V) => R | Promise<R>): R | Promise<R> | undefined {
    const value = this.#store.lookUp(key, KEEP_STALE);
    return value === undefined ? undefined : this.#store.inner.use<R>(key, () => section(value) as R);
  }

  /** What to register with a `ShrinkerRegistry`; then {@link attach} it. */
  asShrinker(): ShrinkerSpec {
    return this.#store.inner.asShrinker();
  }

  attach(shrinker: Shrinker): Shrinker {
    return this.#store.inner.attach(shrinker);
  }

  /** Removes all, and resolves when all has been disposed of. Nothing can be stored from then on. */
  close(): Promise<void> {
    this.clear();
    return this.#store.inner.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.#store.checkInvariants();
  }

  /** Whether a `set` without options changes a value, and nothing else: settings may have changed. */
  #setsValuesOnly(): boolean {
    return (
      this.#store.isBare &&
      this.#store.staysBare(this.ttl, NONE) &&
      !this.sizeCalculation &&
      this.#fixed.onInsert === undefined
    );
  }

  #fetch(key: K, options: LruFetchOptions<K, V, FC>): V | Promise<V | undefined> | undefined {
    const { status, forceRefresh = false, context } = options;
    if (status) {
      Object.assign(status, { op: 'fetch', key, cache: this }, forceRefresh ? { forceRefresh } : {});
      Object.assign(status, context === undefined ? {} : { context });
    }
    if (this.#fetches === null) {
      note(status, 'fetch', 'get');
      return this.#store.lookUp(key, options);
    }
    return this.#fetches.fetch(key, options);
  }
}

/** The types by their names in lru-cache. */
export declare namespace LRUCache {
  export type Size = number;
  export type Milliseconds = number;
  export type Count = number;
  export type DisposeReason = LruDisposeReason;
  export type Disposer<K, V> = LruDisposer<K, V>;
  export type InsertReason = LruInsertReason;
  export type Inserter<K, V> = LruInserter<K, V>;
  export type SizeCalculator<K, V> = LruSizeCalculator<K, V>;
  export type Status<K, V, FC = unknown> = LruStatus<K, V, FC>;
  export type Fetcher<K, V, FC = unknown> = LruFetcher<K, V, FC>;
  export type FetcherOptions<K, V, FC = unknown> = LruFetcherTools<K, V, FC>;
  export type FetcherFetchOptions<K, V, FC = unknown> = LruFetcherOptions<K, V, FC>;
  export type FetchOptions<K, V, FC> = LruFetchOptions<K, V, FC>;
  export type FetchOptionsWithContext<K, V, FC> = LruFetchOptions<K, V, FC> & { context: FC };
  export type FetchOptionsNoContext<K, V, FC extends undefined | void = undefined> = LruFetchOptions<K, V, FC>;
  export type Memoizer<K, V, FC = unknown> = LruMemoizer<K, V, FC>;
  export type MemoizerOptions<K, V, FC = unknown> = LruMemoizerTools<K, V, FC>;
  export type MemoizerMemoOptions<K, V, FC = unknown> = LruMemoizerOptions<K, V, FC>;
  export type MemoOptions<K, V, FC = unknown> = LruMemoOptions<K, V, FC>;
  export type MemoOptionsWithContext<K, V, FC> = LruMemoOptions<K, V, FC> & { context: FC };
  export type MemoOptionsNoContext<K, V, FC extends undefined | void = undefined> = LruMemoOptions<K, V, FC>;
  export type HasOptions<K, V, FC> = LruHasOptions<K, V, FC>;
  export type GetOptions<K, V, FC> = LruGetOptions<K, V, FC>;
  export type PeekOptions<K, V, FC> = LruPeekOptions<K, V, FC>;
  export type SetOptions<K, V, FC> = LruSetOptions<K, V, FC>;
  export type OptionsBase<K, V, FC> = LruOptionsBase<K, V, FC>;
  export type OptionsMaxLimit<K, V, FC> = LruOptionsMaxLimit<K, V, FC>;
  export type OptionsTTLLimit<K, V, FC> = LruOptionsTtlLimit<K, V, FC>;
  export type OptionsSizeLimit<K, V, FC> = LruOptionsSizeLimit<K, V, FC>;
  export type Options<K, V, FC> = LruOptions<K, V, FC>;
  export type Entry<V> = LruEntry<V>;
}

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
