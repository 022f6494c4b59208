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
 * meanwhile is not kept. The call itself is made at once, in the caller's turn, as it would be without a cache. Where it
 * is made is found out at the same time, if need be.
 */

export function mutateSync(
  context: Context,
  mutation: Mutation,
  args: readonly unknown[],
  run: () => unknown,
): unknown {
  const pending = begin(context, mutation.changes(args), true);
  let more: readonly Change[] | null = null;
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
  const pending = begin(context, mutation.changes(args), false);
  let more: readonly Change[] | null = null;
  let preparing: Promise<unknown> | undefined;
  try {
    const running = run();
    preparing = prepare(pending);
    const result = await running;
    more = mutation.done?.(args, result) ?? NO_CHANGES;
    return result;
  } finally {
    if (preparing !== undefined) {
      await preparing;
    }
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
  const pending = begin(context, mutation.changes(args), false);
  const state: { isOver: boolean; preparing: Promise<unknown> | undefined } = { isOver: false, preparing: undefined };
  const finished: Call = (...values) => {
    const failed = values[0] !== null && values[0] !== undefined;
    state.isOver = true;
    const end = (): void => {
      finish(context, pending, failed ? null : (mutation.done?.(args, values[1]) ?? NO_CHANGES));
      callback(...(values as [unknown]));
    };
    if (state.preparing === undefined) {
      end();
    } else {
      // What is thrown there is thrown to the event loop, as it would be by node.
      void state.preparing.then(() => process.nextTick(end));
    }
  };
  let returned: unknown;
  try {
    returned = run([...args.slice(0, index), finished, ...args.slice(index + 1)]);
  } catch (error) {
    finish(context, pending, null);
    throw error;
  }
  // Some file systems call back at once.
  state.preparing = state.isOver ? undefined : prepare(pending);
  return returned;
}

function begin({ view, caching }: Context, changes: readonly Change[], mayAsk: boolean): readonly PendingChange[] {
  return caching ? changes.map((change) => view.changing(change, mayAsk)) : [];
}

/** Undefined when nothing is to be found out. */
function prepare(pending: readonly PendingChange[]): Promise<unknown> | undefined {
  const preparing = pending.flatMap((change) => change.prepare?.() ?? []);
  return preparing.length === 0 ? undefined : Promise.all(preparing);
}

/** @param more what else has changed; null when the call has failed */
function finish(context: Context, pending: readonly PendingChange[], more: readonly Change[] | null): void {
  if (context.caching) {
    for (const change of [...pending, ...begin(context, more ?? NO_CHANGES, true)]) {
      change.finish(more !== null);
    }
  }
}
