import { expect } from 'vitest';

import {
  type Shrinker,
  ShrinkerError,
  type ShrinkerErrorCode,
  ShrinkerRegistry,
  type ShrinkerSpec,
} from '@core/shrinker';

import type { Entry } from '../src/internal/entry.js';
import type { ShrinkerList } from '../src/internal/shrinker-list.js';

/** A promise that the test settles. */
export interface Manual {
  readonly promise: Promise<number>;
  resolve(freed: number): void;
  reject(error: unknown): void;
}

export function manual(): Manual {
  let resolve!: (freed: number) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<number>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Every microtask that is due has run. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function add(registry: ShrinkerRegistry, name: string, spec: Partial<ShrinkerSpec> = {}): Shrinker {
  const shrinker = registry.alloc({ name, count: () => 10, scan: (sc) => sc.nrToScan, ...spec });
  registry.register(shrinker);
  return shrinker;
}

export type MakeRegistry = () => ShrinkerRegistry;

export const sound: MakeRegistry = () => new ShrinkerRegistry();

/** A registry whose list has some of its methods replaced: the broken twin that a test must catch. */
export function busted(methods: (list: ShrinkerList) => Partial<ShrinkerList>): MakeRegistry {
  return () => {
    const registry = new ShrinkerRegistry();
    const { list } = registry as unknown as { list: ShrinkerList };
    Object.assign(list, methods(list));
    return registry;
  };
}

/** Whether the property is seen to fail. */
export async function caught(property: () => void | Promise<void>): Promise<void> {
  await expect((async () => await property())()).rejects.toThrow();
}

export function entryOf(shrinker: Shrinker): Entry {
  return shrinker as Entry;
}

/** The promise is settled by the time that all microtasks have run. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  return settled;
}

export function withCode(code: ShrinkerErrorCode): (error: unknown) => boolean {
  return (error) => ShrinkerError.is(error) && error.code === code;
}

export async function expectCode(code: ShrinkerErrorCode, action: () => unknown): Promise<void> {
  await expect((async () => await action())()).rejects.toSatisfy(withCode(code));
}
