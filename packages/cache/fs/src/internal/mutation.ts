import type { Call, Callback } from './backing.js';
import type { Context } from './context.js';
import type { Change, PendingChange } from './fs-view.js';

/** What a call does to the file system. */
export interface Mutation {
  /** Told from what it is called with. */
  readonly changes: (args: readonly unknown[]) => readonly Change[];
  /** When it has succeeded, before its caller hears of it. @returns what else has changed, told from the result */
  readonly done?: ((args: readonly unknown[], result: unknown) => readonly Change[]) | undefined;
}

export const NO_CHANGES: readonly Change[] = [];

/*
 * What is cached is forgotten before, so that nobody is told what is about to be wrong, and after, so that what was read
 * meanwhile is not kept. The call itself is made at once, in the caller's turn, as it would be without a cache.
 */

export function mutateSync(
  context: Context,
  mutation: Mutation,
  args: readonly unknown[],
  run: () => unknown,
): unknown {
  const pending = begin(context, mutation.changes(args));
  let more = NO_CHANGES;
  try {
    const result = run();
    more = mutation.done?.(args, result) ?? NO_CHANGES;
    return result;
  } finally {
    finish(context, pending, more);
  }
}

export async function mutate(
  context: Context,
  mutation: Mutation,
  args: readonly unknown[],
  run: () => Promise<unknown>,
): Promise<unknown> {
  const pending = begin(context, mutation.changes(args));
  let more = NO_CHANGES;
  try {
    const result = await run();
    more = mutation.done?.(args, result) ?? NO_CHANGES;
    return result;
  } finally {
    finish(context, pending, more);
  }
}

/** The last function among `args` is the callback; without one the call is none for the cache, and fails. */
export function mutateWithCallback(
  context: Context,
  mutation: Mutation,
  args: readonly unknown[],
  run: (args: readonly unknown[]) => unknown,
): unknown {
  const index = args.findLastIndex((arg) => typeof arg === 'function');
  if (index < 0) {
    return run(args);
  }
  const callback = args[index] as Callback;
  const pending = begin(context, mutation.changes(args));
  const finished: Call = (...values) => {
    const failed = values[0] !== null && values[0] !== undefined;
    finish(context, pending, failed ? NO_CHANGES : (mutation.done?.(args, values[1]) ?? NO_CHANGES));
    callback(...(values as [unknown]));
  };
  return run([...args.slice(0, index), finished, ...args.slice(index + 1)]);
}

function begin({ view, caching }: Context, changes: readonly Change[]): readonly PendingChange[] {
  return caching ? changes.map((change) => view.changing(change)) : [];
}

function finish(context: Context, pending: readonly PendingChange[], more: readonly Change[]): void {
  if (context.caching) {
    for (const change of [...pending, ...begin(context, more)]) {
      change.finish();
    }
  }
}
