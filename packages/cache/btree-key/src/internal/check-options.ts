import { checkOptionNames } from '@core/base';
import type { JournalOptions } from '@core/journal';
import type { Zone } from '@core/shrinker';
import type { BtreeKeyCacheOptions } from '../options.js';

export const MIN_BYTES = 65_536;
const NAMES: Readonly<Record<keyof BtreeKeyCacheOptions, true>> = {
  name: true,
  store: true,
  journal: true,
  trees: true,
  maxBytes: true,
  maxJournalRecords: true,
  maxJournalBytes: true,
  group: true,
  zone: true,
  seeks: true,
  stallMs: true,
  onReport: true,
  onError: true,
  clock: true,
  scheduler: true,
  rng: true,
};
const STORE_METHODS = ['get', 'getMany', 'range', 'batch', 'mark', 'close'];
const JOURNAL_METHODS = ['append', 'committed', 'createPin', 'pin', 'unpin', 'sync', 'close', 'replay'];
const ZONES: readonly unknown[] = ['heap', 'external', 'shared'] satisfies readonly Zone[];

/** @throws {TypeError | RangeError} names the option */
export function checkOptions(options: BtreeKeyCacheOptions): void {
  checkOptionNames(options, Object.keys(NAMES), 'a BtreeKeyCache');
  // What a function opens is checked when it is there, and so are the journal's options.
  if (typeof options?.store !== 'function') {
    checkStore(options?.store);
  }
  if (typeof options.journal !== 'function' && !isJournalOptions(options.journal)) {
    checkJournal(options.journal);
  }
  const { name, trees, maxBytes, group, zone, seeks } = options;
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('Cannot name a cache: the name must be a string, and not empty');
  }
  if (trees !== undefined && typeof trees !== 'boolean') {
    throw new TypeError(`Cannot open a cache with trees ${String(trees)}: it must be true or false`);
  }
  if (maxBytes !== undefined && !(typeof maxBytes === 'number' && maxBytes >= MIN_BYTES)) {
    throw new RangeError(`Cannot open a cache of ${String(maxBytes)} bytes: maxBytes must be ${MIN_BYTES} or more`);
  }
  for (const limit of ['maxJournalRecords', 'maxJournalBytes'] as const) {
    const value = options[limit];
    if (value !== undefined && !(typeof value === 'number' && value >= 1)) {
      throw new RangeError(`Cannot open a cache with ${limit} ${String(value)}: it must be a number of 1 or more`);
    }
  }
  if (seeks !== undefined && !(Number.isSafeInteger(seeks) && seeks >= 0)) {
    throw new RangeError(`Cannot open a cache of ${String(seeks)} seeks: seeks must be an integer from 0`);
  }
  // By what it can do: there may be several copies of its class.
  const { charge } = (group ?? {}) as { charge?: unknown };
  if (group !== undefined && group !== null && typeof charge !== 'function') {
    throw new TypeError(
      'Cannot open a cache in this group: it must be a MemoryGroup, as registry.root and its child() are',
    );
  }
  if (zone !== undefined && !ZONES.includes(zone)) {
    throw new RangeError(`Cannot open a cache in zone ${String(zone)}: the zones are ${ZONES.join(', ')}`);
  }
  for (const callback of ['onError', 'onReport'] as const) {
    if (options[callback] !== undefined && typeof options[callback] !== 'function') {
      throw new TypeError(`Cannot open a cache with ${callback} ${String(options[callback])}: it must be a function`);
    }
  }
}

/** @throws {TypeError} it is no store */
export function checkStore(store: unknown): void {
  checkPort('store', store, STORE_METHODS);
}

/** @throws {TypeError} it is no journal */
export function checkJournal(journal: unknown): void {
  checkPort('journal', journal, JOURNAL_METHODS);
}

export function isJournalOptions(journal: unknown): journal is JournalOptions {
  return typeof journal === 'object' && journal !== null && 'directory' in journal && !('append' in journal);
}

function checkPort(name: string, port: unknown, methods: readonly string[]): void {
  const missing = methods.find(
    (method) => typeof (port as Record<string, unknown> | null | undefined)?.[method] !== 'function',
  );
  if (missing !== undefined) {
    throw new TypeError(
      `Cannot open a cache with this ${name}: it has no method ${missing}(); pass a ${name}, or a function that opens one`,
    );
  }
}
