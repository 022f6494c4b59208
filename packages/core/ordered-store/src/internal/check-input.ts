import type { StoreBatchOptions, StoreCaps, StoreOperation } from '../ordered-store.js';
import { StoreError } from '../store-error.js';

/**
 * @param action what was asked for, for the message: `'get a key'`
 * @throws {TypeError} no `Uint8Array`
 * @throws {StoreError} ERR_STORE_KEY_EMPTY, ERR_STORE_KEY_TOO_LARGE
 */
export function checkKey(key: Uint8Array, caps: StoreCaps, action: string): void {
  if (!(key instanceof Uint8Array)) {
    throw new TypeError(`Cannot ${action}: the key is no Uint8Array; encode it`);
  }
  if (key.length === 0) {
    throw new StoreError('ERR_STORE_KEY_EMPTY', `Cannot ${action}: the key is empty; give it at least one byte`);
  }
  if (key.length > caps.maxKeyBytes) {
    throw new StoreError(
      'ERR_STORE_KEY_TOO_LARGE',
      `Cannot ${action}: the key has ${key.length} bytes; use at most ${caps.maxKeyBytes}`,
    );
  }
}

/** Looks at all operations before the first is done: none of a batch with a bad one may be stored. */
export function checkBatch(operations: readonly StoreOperation[], options: StoreBatchOptions, caps: StoreCaps): void {
  if (!Array.isArray(operations)) {
    throw new TypeError('Cannot store a batch: operations are no array');
  }
  for (const operation of operations as readonly StoreOperation[]) {
    checkOperation(operation, caps);
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('Cannot store a batch: options are no object; pass "durable" and "mark" in one');
  }
  for (const name of Object.keys(options)) {
    if (name !== 'durable' && name !== 'mark') {
      throw new TypeError(`Cannot store a batch: it has no option "${name}"; use "durable", "mark"`);
    }
  }
  if (options.durable !== undefined && typeof options.durable !== 'boolean') {
    throw new TypeError('Cannot store a batch: "durable" is no boolean');
  }
  const { mark } = options;
  if (mark !== undefined && !(Number.isSafeInteger(mark) && mark >= 0)) {
    throw new RangeError(`Cannot store a batch: a mark of ${String(mark)} is no whole number ≥0`);
  }
}

function checkOperation(operation: StoreOperation, caps: StoreCaps): void {
  const type: unknown = operation?.type;
  if (type !== 'put' && type !== 'del') {
    throw new TypeError('Cannot store a batch: an operation is neither of type "put" nor of type "del"');
  }
  checkKey(operation.key, caps, `${type} a key`);
  if (operation.type === 'put') {
    const { value } = operation;
    if (!(value instanceof Uint8Array)) {
      throw new TypeError('Cannot put a key: the value is no Uint8Array; encode it');
    }
    if (value.length > caps.maxValueBytes) {
      throw new StoreError(
        'ERR_STORE_VALUE_TOO_LARGE',
        `Cannot put a key: the value has ${value.length} bytes; use at most ${caps.maxValueBytes}`,
      );
    }
  }
}
