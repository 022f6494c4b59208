import { Rcu } from '@core/rcu';
import { ObjectCache, type DisposeReason, type ObjectCacheOptions } from '../../src/index.js';
import { TestLoop } from './test-loop.js';

/** What was disposed of, in order. */
export type Ended = [key: unknown, value: unknown, reason: DisposeReason];

export interface Made<K, V> {
  readonly cache: ObjectCache<K, V>;
  readonly loop: TestLoop;
  readonly ended: Ended[];
  readonly errors: unknown[];
}

/**
 * A cache whose turns and time move by hand, that notes what it disposes of, and what errors it reports. It evicts by
 * second chance, since it is plain who goes then.
 */
export function makeCache<K = string, V = unknown>(options: ObjectCacheOptions<K, V> = {}): Made<K, V> {
  const loop = new TestLoop();
  const ended: Ended[] = [];
  const errors: unknown[] = [];
  const cache = new ObjectCache<K, V>({
    policy: 'second-chance',
    rcu: new Rcu({ clock: loop, scheduler: loop }),
    clock: loop,
    scheduler: loop,
    dispose: (value, key, reason) => void ended.push([key, value, reason]),
    onError: (error) => void errors.push(error),
    ...options,
  });
  return { cache, loop, ended, errors };
}

/** A promise with its ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}
