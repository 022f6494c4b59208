import { checkOptionNames } from '@core/base';
import type { BufCacheOptions, OpenOptions, WriteBackOptions } from '../options.js';

const MIN_BLOCK_BYTES = 512;
const MAX_BLOCK_BYTES = 2 ** 20;
const MAX_LRU_REF = 16;
const WHAT = 'a BufCache';

const NAMES = Object.keys({
  name: true,
  blockBytes: true,
  maxBytes: true,
  readaheadBytes: true,
  maxWriteBytes: true,
  writeBack: true,
  retryMs: true,
  retries: true,
  lruRefs: true,
  seeks: true,
  group: true,
  rcu: true,
  scheduler: true,
  onError: true,
} satisfies Record<keyof BufCacheOptions, true>);
const WRITE_BACK_NAMES = Object.keys({ delayMs: true, maxDirtyBytes: true } satisfies Record<
  keyof WriteBackOptions,
  true
>);
const OPEN_NAMES = Object.keys({ type: true, onWriteError: true, keepSource: true } satisfies Record<
  keyof OpenOptions,
  true
>);
/** What a source is asked for. */
const SOURCE_METHODS = ['read', 'readSync', 'write', 'writeSync', 'datasync', 'datasyncSync', 'close'] as const;

export function checkOptions(options: BufCacheOptions): void {
  checkOptionNames(options, NAMES, WHAT);
  const { name, blockBytes, maxBytes, writeBack } = options;
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError(`Cannot name a cache ${JSON.stringify(name)}: the name must be a string, and not empty`);
  }
  if (blockBytes !== undefined && !isBlockSize(blockBytes)) {
    throw new RangeError(
      `Cannot create ${WHAT} of blocks of ${String(blockBytes)} bytes: it must be a power of two from ${MIN_BLOCK_BYTES} to ${MAX_BLOCK_BYTES}`,
    );
  }
  if (maxBytes !== undefined && !(typeof maxBytes === 'number' && maxBytes >= (blockBytes ?? 4096))) {
    throw new RangeError(`Cannot create ${WHAT} of ${String(maxBytes)} bytes: it must have room for one block`);
  }
  checkNumbers(options, ['readaheadBytes', 'maxWriteBytes', 'retryMs', 'retries', 'seeks']);
  if (typeof writeBack === 'object') {
    checkOptionNames(writeBack, WRITE_BACK_NAMES, 'the writeBack of a BufCache');
    checkNumbers(writeBack, WRITE_BACK_NAMES);
  } else if (writeBack !== undefined && typeof writeBack !== 'boolean') {
    throw new TypeError(`Cannot create ${WHAT} with writeBack ${String(writeBack)}: pass true, false or an object`);
  }
  for (const [type, rounds] of Object.entries(options.lruRefs ?? {})) {
    if (!(Number.isInteger(rounds) && rounds >= 0 && rounds <= MAX_LRU_REF)) {
      throw new RangeError(
        `Cannot give ${String(rounds)} rounds to type "${type}": it must be an integer from 0 to ${MAX_LRU_REF}`,
      );
    }
  }
  checkKinds(options);
}

export function checkOpen(source: unknown, options: OpenOptions, types: ReadonlyMap<string, number>): void {
  const methods = (source ?? {}) as Record<string, unknown>;
  const missing = SOURCE_METHODS.find((method) => typeof methods[method] !== 'function');
  if (missing !== undefined) {
    throw new TypeError(`Cannot open ${String(source)}: a source file must have the method ${missing}()`);
  }
  checkOptionNames(options, OPEN_NAMES, 'a BufFile');
  const { type, onWriteError } = options;
  if (type !== undefined && !types.has(type)) {
    throw new RangeError(`Cannot open a file of type "${String(type)}": the types are ${[...types.keys()].join(', ')}`);
  }
  if (onWriteError !== undefined && typeof onWriteError !== 'function') {
    throw new TypeError(`Cannot open a file with onWriteError ${String(onWriteError)}: it must be a function`);
  }
}

function checkNumbers(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw new RangeError(`Cannot create ${WHAT} with ${name} ${String(value)}: it must be a number of 0 or more`);
    }
  }
}

function checkKinds({ onError, rcu, scheduler, group }: BufCacheOptions): void {
  if (onError !== undefined && typeof onError !== 'function') {
    throw new TypeError(`Cannot create ${WHAT} with onError ${String(onError)}: it must be a function`);
  }
  if (rcu !== undefined && typeof rcu?.getState !== 'function') {
    throw new TypeError(`Cannot create ${WHAT} with rcu ${String(rcu)}: it must be a grace-period flavour`);
  }
  if (scheduler !== undefined && typeof scheduler?.after !== 'function') {
    throw new TypeError(`Cannot create ${WHAT} with scheduler ${String(scheduler)}: it must have the method after()`);
  }
  // By what it can do: there may be several copies of its class.
  if (group !== undefined && group !== null && typeof group.charge !== 'function') {
    throw new TypeError(`Cannot create ${WHAT} in group ${String(group)}: it must be a MemoryGroup`);
  }
}

function isBlockSize(bytes: unknown): boolean {
  return (
    typeof bytes === 'number' &&
    bytes >= MIN_BLOCK_BYTES &&
    bytes <= MAX_BLOCK_BYTES &&
    Number.isInteger(Math.log2(bytes))
  );
}
