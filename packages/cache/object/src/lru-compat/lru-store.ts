import { assert } from '@core/base';
import { NO_SLOT } from '../internal/entry-table.js';
import { ObjectCache } from '../object-cache.js';
import type { DisposeReason } from '../options.js';
import type { Lru } from '../policy/lru.js';
import { Ages } from './ages.js';
import { Entry, type Flight } from './entry.js';
import { entrySize } from './entry-size.js';
import { note } from './note.js';
import type {
  LruDisposeReason,
  LruGetOptions,
  LruInsertReason,
  LruOptions,
  LruSetOptions,
  LruSettings,
  LruStatus,
} from './options.js';
import { PurgeTimers } from './purge-timers.js';
import { WatchedLru } from './watched-lru.js';

/** From which entry on, by their last use. */
export type End = 'newest' | 'oldest';

/**
 * The entries of a cache: how they come, age and leave.
 *
 * While nothing but values is known of any of them, the cache below has the values themselves, which takes a third of
 * the memory: `isBare`. It has entries from the first time to live on, and in caches that load or measure from the start.
 */
export class LruStore<K extends {}, V extends {}, FC> {
  /** Values while `isBare`, else entries. */
  readonly inner: ObjectCache<K, V | Entry<K, V>>;
  isBare: boolean;
  readonly ages: Ages;
  /** Whether sizes count. */
  readonly sized: boolean;
  /** Whether an entry may be stale, or have no value. */
  mayBeUnfit: boolean;
  /** Whether any entry has had a time to live. */
  keepsAges: boolean;
  private readonly settings: LruSettings<K, V, FC>;
  private readonly order: Lru;
  private readonly timers: PurgeTimers<K, V>;
  /** Whether an entry may be refused, since its group has no room for it. */
  private readonly mayRefuse: boolean;
  /** Nobody is told of values that leave, so that an entry may take another value in place. */
  private readonly isSilent: boolean;
  /** Evicted while their value was being loaded: the loads are to be aborted, but not while the cache is changing. */
  private readonly abandoned: Flight<V>[] = [];

  constructor(settings: LruSettings<K, V, FC>, reclaim: LruOptions<K, V, FC>['reclaim']) {
    const { max, maxSize, maxEntrySize, ttl, dispose, disposeAfter, fetchMethod } = settings;
    this.settings = settings;
    this.sized = maxEntrySize !== 0;
    this.keepsAges = ttl !== 0;
    this.mayBeUnfit = this.keepsAges || fetchMethod !== undefined;
    this.isBare = !this.mayBeUnfit && !this.sized;
    this.ages = new Ages(settings);
    this.timers = new PurgeTimers<K, V>(this.ages, (entry) => this.expire(entry));
    this.order = new WatchedLru((slot) => this.evicted(slot));
    this.isSilent = dispose === undefined && disposeAfter === undefined;
    const tell = (left: V | Entry<K, V>, key: K, reason: LruDisposeReason | 'reject'): void => {
      const value = left instanceof Entry ? left.value : left;
      const leaves = left instanceof Entry ? left.leaves : null;
      if (value !== undefined && leaves !== 'silent') {
        const why = leaves ?? (reason === 'reject' ? 'evict' : reason);
        try {
          dispose?.(value, key, why);
        } finally {
          disposeAfter?.(value, key, why);
        }
      }
    };
    const { onError, ...rest } = reclaim ?? {};
    this.mayRefuse = Boolean(rest.group);
    this.inner = new ObjectCache<K, V | Entry<K, V>>({
      ...rest,
      policy: () => this.order,
      ...(max === 0 ? {} : { max }),
      ...(maxSize === 0 ? {} : { maxBytes: maxSize }),
      ...(this.isSilent ? {} : { dispose: tell }),
      ...(onError === undefined ? {} : { onError }),
    });
  }

  /** The entry of a key; one that is made for the caller while the cache is bare. */
  peek(key: K): Entry<K, V> | undefined {
    const slot = this.inner.slotOf(key);
    return slot === NO_SLOT ? undefined : this.entryIn(slot);
  }

  /** Whether it has not left, or been replaced. */
  isIn(entry: Entry<K, V>): boolean {
    return this.inner.peek(entry.key) === entry;
  }

  /** The least recently used one of those that nobody holds, or else any. */
  oldest(): Entry<K, V> | undefined {
    const slot = this.order.hand();
    if (slot !== NO_SLOT) {
      return this.entryIn(slot);
    }
    const [key] = this.inner.keys();
    return key === undefined ? undefined : this.peek(key);
  }

  /** As `get` of lru-cache: a stale entry goes, or stays. */
  lookUp(key: K, options: LruGetOptions<K, V, FC>): V | undefined {
    const { settings } = this;
    const {
      allowStale = settings.allowStale,
      updateAgeOnGet = settings.updateAgeOnGet,
      noDeleteOnStaleGet = settings.noDeleteOnStaleGet,
      status,
    } = options;
    const slot = this.inner.slotOf(key);
    if (slot === NO_SLOT) {
      note(status, 'get', 'miss');
      return undefined;
    }
    if (this.isBare) {
      note(status, 'get', 'hit');
      return this.inner.useSlot(slot) as V;
    }
    const entry = this.entryIn(slot);
    this.ages.describe(entry, status);
    const fetching = entry.flight !== null;
    if (!this.ages.isStale(entry)) {
      note(status, 'get', fetching ? 'fetching' : 'hit');
      this.touch(entry, updateAgeOnGet, slot);
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

  /** It is the most recently used one from now on. */
  touch(entry: Entry<K, V>, updateAge: boolean, slot: number = this.inner.slotOf(entry.key)): void {
    // The clock is not ours: what it calls may have changed the cache.
    if (slot !== NO_SLOT && this.inner.valueInSlot(slot) === entry) {
      this.inner.useSlot(slot);
    }
    if (updateAge) {
      this.renew(entry);
    }
  }

  renew(entry: Entry<K, V>): void {
    this.age(entry, entry.lifetime);
  }

  /** As `set` of lru-cache. `flight` is the load that has brought the value, if one has. */
  store(key: K, value: V | undefined, options: LruSetOptions<K, V, FC>, flight: Flight<V> | null): void {
    const { settings } = this;
    const { ttl = settings.ttl, start, noUpdateTTL = settings.noUpdateTTL, status } = options;
    if (value === undefined) {
      note(status, 'set', 'deleted');
      this.delete(key);
      return;
    }
    note(status, 'value', value);
    const size = entrySize(key, value, options, settings, this.sized);
    if (this.isBare && !this.staysBare(ttl, options)) {
      this.dress();
    }
    const slot = this.inner.slotOf(key);
    if (this.isBare) {
      const oldValue = slot === NO_SLOT ? undefined : (this.inner.valueInSlot(slot) as V);
      this.inner.set(key, value);
      this.tellSet(key, value, oldValue, size, oldValue === value, status);
      return;
    }
    const old = slot === NO_SLOT ? undefined : this.entryIn(slot);
    if (settings.maxEntrySize !== 0 && size > settings.maxEntrySize) {
      if (old !== undefined) {
        this.remove(old, 'set');
      }
      note(status, 'set', 'miss');
      note(status, 'maxEntrySizeExceeded', true);
      return;
    }
    const oldValue = old?.value;
    const isSame = old !== undefined && old.flight === null && oldValue === value;
    let entry = old;
    if (isSame) {
      this.inner.useSlot(slot);
    } else if (old !== undefined && old.flight === null && this.isSilent && old.size === size) {
      this.inner.useSlot(slot);
      old.value = value;
    } else {
      entry = this.put(key, value, size, old, options, flight);
    }
    if (ttl !== 0) {
      this.mayBeUnfit = true;
      this.keepsAges = true;
    }
    this.tellSet(key, value, oldValue, size, isSame, status);
    if (old === undefined || !noUpdateTTL) {
      this.age(entry as Entry<K, V>, ttl, start);
    }
    this.ages.describe(entry as Entry<K, V>, status);
  }

  /** An entry stands for its load from now on, unless it is too large. */
  place(entry: Entry<K, V>, size: number, ttl: number): void {
    const { maxEntrySize } = this.settings;
    if (maxEntrySize === 0 || size <= maxEntrySize) {
      entry.size = size;
      this.putEntry(entry);
      this.keepsAges ||= ttl !== 0;
      this.age(entry, ttl);
    }
  }

  delete(key: K): boolean {
    const entry = this.peek(key);
    if (entry === undefined) {
      return false;
    }
    this.remove(entry, 'delete');
    return true;
  }

  /** @param reason of entries in a bare cache: not `fetch` */
  remove(entry: Entry<K, V>, reason: LruDisposeReason): void {
    if (this.isBare) {
      this.inner.removeSlot(this.inner.slotOf(entry.key), reason as DisposeReason);
      return;
    }
    const { flight } = entry;
    entry.leaves = reason;
    entry.flight = null;
    this.timers.stop(entry);
    this.inner.delete(entry.key);
    flight?.controller.abort(new Error(reason === 'evict' ? 'evicted' : 'deleted'));
  }

  /** Those that there are now, without those whose key has left when it is their turn. */
  *entriesFrom(end: End): Iterable<Entry<K, V>> {
    const { inner, order } = this;
    const slots = [...(end === 'newest' ? order.reversed() : order.slots())];
    const keys = slots.map((slot) => inner.keyInSlot(slot));
    if (keys.length < inner.size) {
      // Eviction has met some while they were held, and set them aside.
      const listed = new Set(keys);
      keys.push(...[...inner.keys()].filter((key) => !listed.has(key)));
    }
    for (const key of keys) {
      const entry = this.peek(key);
      if (entry !== undefined) {
        yield entry;
      }
    }
  }

  /** Without stale ones, unless those are allowed. */
  *freshFrom(end: End): Iterable<Entry<K, V>> {
    for (const entry of this.entriesFrom(end)) {
      if (this.settings.allowStale || !this.ages.isStale(entry)) {
        yield entry;
      }
    }
  }

  /** Of these, those with a value that no load is about to replace. */
  *settledFrom(end: End): Iterable<Entry<K, V>> {
    for (const entry of this.freshFrom(end)) {
      if (entry.flight === null && entry.value !== undefined) {
        yield entry;
      }
    }
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.inner.checkInvariants();
    for (const [key, entry] of this.inner) {
      assert(this.isBare !== entry instanceof Entry, 'An entry is bare, and others are not');
      if (!(entry instanceof Entry)) {
        continue;
      }
      assert(entry.key === key && entry.leaves === null, 'An entry that has left is found');
      assert(entry.value !== undefined || entry.flight !== null, 'An entry has no value, and none is being loaded');
      assert(this.keepsAges || entry.lifetime === 0, 'A time to live is not heeded');
    }
    assert(this.timers.size <= this.inner.size, 'Timers of entries that have left go on');
  }

  private entryIn(slot: number): Entry<K, V> {
    const { inner } = this;
    const value = inner.valueInSlot(slot);
    return this.isBare ? new Entry<K, V>(inner.keyInSlot(slot), value as V, 0) : (value as Entry<K, V>);
  }

  /** Whether a `set` leaves no more to know than the value. */
  staysBare(ttl: number, { noDisposeOnSet = this.settings.noDisposeOnSet }: LruSetOptions<K, V, FC>): boolean {
    return ttl === 0 && (this.isSilent || !noDisposeOnSet);
  }

  /** There will be more to know than values. */
  private dress(): void {
    this.inner.exchangeAll((value, key) => new Entry<K, V>(key, value as V, 0));
    this.isBare = false;
  }

  private tellSet(
    key: K,
    value: V,
    oldValue: V | undefined,
    size: number,
    isSame: boolean,
    status: LruStatus<K, V, FC> | undefined,
  ): void {
    const reason: LruInsertReason = oldValue === undefined ? 'add' : oldValue === value ? 'update' : 'replace';
    if (status && !isSame) {
      Object.assign(status, oldValue === undefined ? {} : { oldValue });
      Object.assign(status, this.sized ? { entrySize: size, totalCalculatedSize: this.inner.bytes } : {});
    }
    note(status, 'set', reason);
    this.settings.onInsert?.(value, key, reason);
  }

  private put(
    key: K,
    value: V,
    size: number,
    old: Entry<K, V> | undefined,
    options: LruSetOptions<K, V, FC>,
    flight: Flight<V> | null,
  ): Entry<K, V> {
    if (old !== undefined && old.flight === null && this.isSilent) {
      old.value = value;
      old.size = size;
      this.putEntry(old);
      return old;
    }
    const entry = new Entry<K, V>(key, value, size);
    if (old !== undefined) {
      this.replace(old, entry, options, flight);
    }
    this.putEntry(entry);
    return entry;
  }

  private putEntry(entry: Entry<K, V>): void {
    this.inner.set(entry.key, entry, this.sized ? entry : undefined);
    if (this.mayRefuse && !this.isIn(entry)) {
      this.timers.stop(entry);
    }
    if (this.abandoned.length > 0) {
      this.abortAbandoned();
    }
  }

  /** An entry takes the place of another one, and has its age, until it gets one of its own. */
  private replace(
    old: Entry<K, V>,
    entry: Entry<K, V>,
    { noDisposeOnSet = this.settings.noDisposeOnSet }: LruSetOptions<K, V, FC>,
    flight: Flight<V> | null,
  ): void {
    entry.lifetime = old.lifetime;
    entry.start = old.start;
    this.timers.hand(old, entry);
    if (noDisposeOnSet || old.value === entry.value) {
      old.leaves = 'silent';
    }
    if (old.flight !== null && old.flight !== flight && !noDisposeOnSet) {
      const { controller } = old.flight;
      old.flight = null;
      controller.abort(new Error('replaced'));
    }
  }

  private age(entry: Entry<K, V>, ttl: number, start?: number): void {
    if (!this.keepsAges) {
      return;
    }
    this.ages.start(entry, ttl, start);
    // Whoever was told that it has come may have removed it.
    if (ttl !== 0 && this.settings.ttlAutopurge && this.isIn(entry)) {
      this.timers.start(entry, ttl);
    } else {
      this.timers.stop(entry);
    }
  }

  private expire(entry: Entry<K, V>): void {
    if (this.isIn(entry)) {
      this.remove(entry, 'expire');
    }
  }

  /** The cache below is in the middle of something. */
  private evicted(slot: number): void {
    if (this.isBare) {
      return;
    }
    const entry = this.entryIn(slot);
    const { flight } = entry;
    this.timers.stop(entry);
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
}
