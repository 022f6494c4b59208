import type { BigIntStats } from 'node:fs';

/** What the source said: a value, or its error. */
export type Answer<T> = { readonly value: T } | { readonly error: unknown };

/** The source says that a dentry is something else by now. */
export class Stale extends Error {
  constructor(cause: unknown) {
    super('stale dentry', { cause });
  }
}

export function attempt<T>(call: () => T): Answer<T> {
  try {
    return { value: call() };
  } catch (error) {
    return { error };
  }
}

export function unwrap<T>(answer: Answer<T>): T {
  if ('error' in answer) {
    throw answer.error;
  }
  return answer.value;
}

/** The stats, or null when there is no such name. */
export function statsOf(answer: Answer<BigIntStats>): BigIntStats | null {
  if ('error' in answer && (answer.error as { code?: unknown } | null)?.code === 'ENOENT') {
    return null;
  }
  return unwrap(answer);
}

/** Whether the error says that the way to what was asked for is not what it was. */
export function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOTDIR' || code === 'ENOENT' || code === 'ELOOP';
}
