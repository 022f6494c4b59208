/**
 * Throws when `condition` is false.
 *
 * `message` may be a function, so that a message that costs something to build is built only on failure.
 *
 * @throws {AssertionError}
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) {
    throw new AssertionError(typeof message === 'string' ? message : message());
  }
}

/**
 * Returns `value`, or throws when it is null or undefined.
 *
 * @throws {AssertionError}
 */
export function must<T>(value: T | null | undefined, message: string | (() => string)): T {
  if (value === null || value === undefined) {
    throw new AssertionError(typeof message === 'string' ? message : message());
  }
  return value;
}

/**
 * Marks a place the types say is never reached.
 *
 * @throws {AssertionError} always
 */
export function unreachable(value: never): never {
  throw new AssertionError(`Cannot get here: unexpected value ${String(value)}`);
}

/** A broken invariant: a bug in the structure, not in its caller. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
}
