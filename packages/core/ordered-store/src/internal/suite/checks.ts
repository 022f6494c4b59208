import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { StoreEntry } from '../../ordered-store.js';
import { StoreError, type StoreErrorCode } from '../../store-error.js';

/** Bytes as words, for comparing and for messages. */
export function hex(value: Uint8Array | undefined): string {
  return value === undefined ? 'nothing' : `0x${Buffer.from(value).toString('hex')}`;
}

export function sameBytes(actual: Uint8Array | undefined, expected: Uint8Array | undefined, what: string): void {
  assert.equal(hex(actual), hex(expected), what);
  assert.ok(actual === undefined || actual instanceof Uint8Array, `${what} is a Uint8Array`);
}

export function sameEntries(actual: readonly StoreEntry[], expected: readonly StoreEntry[], what: string): void {
  const words = (entries: readonly StoreEntry[]): string[] =>
    entries.map(([key, value]) => `${hex(key)}=${hex(value)}`);
  assert.deepEqual(words(actual), words(expected), what);
}

/** Fails unless the promise rejects with a StoreError of this code. */
export async function rejectsWith(code: StoreErrorCode, promise: Promise<unknown>, what: string): Promise<void> {
  const error = await rejectionOf(promise, what);
  assert.ok(StoreError.is(error), `${what}: rejects with a StoreError, not with ${String(error)}`);
  assert.equal(error.code, code, what);
}

export async function rejectsAs(kind: new () => Error, promise: Promise<unknown>, what: string): Promise<void> {
  const error = await rejectionOf(promise, what);
  assert.ok(error instanceof kind, `${what}: rejects with a ${kind.name}, not with ${String(error)}`);
}

async function rejectionOf(promise: Promise<unknown>, what: string): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail(`${what}: does not reject`);
}
