import { checkOptionNames } from '@core/base';
import type { FetchOptions, ObjectCacheOptions, SetOptions } from '../options.js';
import { EVICTION_POLICIES, isPolicyName } from '../policy/create-policy.js';

/** A `Map` of V8 takes twice as many keys, but then can't exchange one for another. */
export const MAX_ENTRIES: number = 2 ** 23;

export function checkSize(size: number): number {
  if (!isNumber(size) || !(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`Cannot store a value of ${shown(size)} bytes: the size must be a number from 0 to 2^53 - 1`);
  }
  return size;
}

export function checkTtl(ttlMs: number): number {
  if (!isNumber(ttlMs) || !(ttlMs > 0)) {
    throw new RangeError(
      `Cannot keep a value fresh for ${shown(ttlMs)} ms: it must be a number above 0; Infinity means for ever`,
    );
  }
  return ttlMs;
}

/**
 * What a caller of `set` gave, by its names.
 *
 * @throws {TypeError} it is no object, or has the `ttl` that other caches take, and with which values would never expire
 */
export function checkSetOptions(options: SetOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`Cannot store a value with options ${shown(options)}: give an object, or nothing`);
  }
  checkNoTtl(options);
}

function checkNoTtl(options: object): void {
  if ('ttl' in options) {
    throw new TypeError('Cannot store a value with a ttl: the option is called ttlMs, in milliseconds');
  }
}

/** What a caller of `fetch` gave, before anything begins. @throws {TypeError | RangeError} it makes no sense */
export function checkFetchOptions<K, V>(options: FetchOptions<K, V>): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`Cannot load a value with options ${String(options)}: pass an object, or nothing`);
  }
  const { signal, load, ttlMs, size } = options;
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.throwIfAborted !== 'function') {
    throw new TypeError(
      `Cannot load a value with signal ${String(signal)}: it must be an AbortSignal; leave it out for none`,
    );
  }
  if (load !== undefined && typeof load !== 'function') {
    throw new TypeError(`Cannot load a value with load ${String(load)}: it must be a function`);
  }
  checkNoTtl(options);
  if (ttlMs !== undefined) {
    checkTtl(ttlMs);
  }
  if (size !== undefined) {
    checkSize(size);
  }
}

const NAMES: Readonly<Record<keyof ObjectCacheOptions<unknown, unknown>, true>> = {
  name: true,
  max: true,
  maxBytes: true,
  policy: true,
  ttlMs: true,
  staleWhileRevalidateMs: true,
  sizeOf: true,
  dispose: true,
  recycle: true,
  load: true,
  seeks: true,
  group: true,
  zone: true,
  rcu: true,
  nodes: true,
  clock: true,
  scheduler: true,
  onError: true,
};
const ZONES: readonly unknown[] = ['heap', 'external', 'shared'];

export function checkOptions<K, V>(options: ObjectCacheOptions<K, V>): void {
  checkOptionNames(options, Object.keys(NAMES), 'an ObjectCache');
  const { max, maxBytes, ttlMs, staleWhileRevalidateMs } = options;
  if (max !== undefined && max !== Infinity && !(Number.isInteger(max) && max > 0 && max <= MAX_ENTRIES)) {
    throw new RangeError(
      `Cannot create a cache of ${shown(max)} entries: max must be an integer from 1 to ${MAX_ENTRIES}`,
    );
  }
  if (maxBytes !== undefined && !(isNumber(maxBytes) && maxBytes > 0)) {
    throw new RangeError(`Cannot create a cache of ${shown(maxBytes)} bytes: maxBytes must be a number above 0`);
  }
  if (ttlMs !== undefined) {
    checkTtl(ttlMs);
  }
  if (staleWhileRevalidateMs !== undefined && !(isNumber(staleWhileRevalidateMs) && staleWhileRevalidateMs >= 0)) {
    throw new RangeError(
      `Cannot answer with stale values for ${shown(staleWhileRevalidateMs)} ms: it must be a number of 0 or more`,
    );
  }
  for (const name of ['sizeOf', 'dispose', 'recycle', 'load', 'onError'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`Cannot create a cache with ${name} ${String(value)}: it must be a function`);
    }
  }
  checkName(options.name);
  checkPolicy(options.policy);
  checkSeeks(options.seeks);
  checkRcu(options.rcu);
  checkGroup(options.group);
  if (options.zone !== undefined && !ZONES.includes(options.zone)) {
    throw new RangeError(`Cannot create a cache in zone ${String(options.zone)}: the zones are ${ZONES.join(', ')}`);
  }
}

function checkName(name: unknown): void {
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError(
      `Cannot name a cache ${typeof name === 'string' ? '""' : String(name)}: the name must be a string, and not empty`,
    );
  }
}

function checkPolicy(policy: unknown): void {
  if (typeof policy === 'function' && /^class\b/.test(Function.prototype.toString.call(policy))) {
    throw new TypeError(
      `Cannot create a cache with the class ${policy.name} as policy: give a function that makes one, () => new ${policy.name}()`,
    );
  }
  if (policy !== undefined && typeof policy !== 'function' && !isPolicyName(policy)) {
    throw new RangeError(
      `Cannot create a cache with policy ${JSON.stringify(policy)}: give one of ${EVICTION_POLICIES.join(', ')}, or a function that makes a policy`,
    );
  }
}

function checkSeeks(seeks: unknown): void {
  if (seeks === undefined) {
    return;
  }
  if (!isNumber(seeks)) {
    throw new TypeError(`Cannot create a cache with seeks ${String(seeks)}: seeks must be a number`);
  }
  if (!Number.isSafeInteger(seeks) || (seeks as number) < 0) {
    throw new RangeError(`Cannot create a cache of ${String(seeks)} seeks: seeks must be an integer from 0`);
  }
}

function checkRcu(rcu: unknown): void {
  if (rcu !== undefined && (typeof rcu !== 'object' || rcu === null)) {
    throw new TypeError(
      `Cannot create a cache with rcu ${String(rcu)}: it must be an Rcu, an Srcu or another RcuFlavor; leave it out for the shared one`,
    );
  }
}

function checkGroup(group: unknown): void {
  // By what it can do: there may be several copies of its class.
  const { charge, uncharge } = (group ?? {}) as { charge?: unknown; uncharge?: unknown };
  if (group !== undefined && group !== null && (typeof charge !== 'function' || typeof uncharge !== 'function')) {
    throw new TypeError(
      `Cannot create a cache in group ${typeof group === 'object' ? 'of another kind' : String(group)}: it must be a MemoryGroup, as registry.root and its child() are`,
    );
  }
}

/** A text in quotes, since it may look like a number. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Comparisons alone would let strings pass, and additions make longer strings of them. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}
