import { FrameworkError } from '../../src/index.js';

/** The FrameworkError that `action` ends with. */
export async function failureOf(action: Promise<unknown> | (() => unknown)): Promise<FrameworkError> {
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (error) {
    if (FrameworkError.is(error)) {
      return error;
    }
    throw error;
  }
  throw new Error('It did not fail');
}
