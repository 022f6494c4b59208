import { type Backing, type Call, type Callback, shapedAs } from './backing.js';
import { cachedPathOf, type Context } from './context.js';
import { bareFailure } from './errors.js';
import { Failures } from './failures.js';
import { type Answer, DirectError, type Lookup, MISSING } from './fs-view.js';
import { mutate, mutateSync, type Mutation, mutateWithCallback } from './mutation.js';

/** Makes of what is cached what a caller is given. `path` is as the caller wrote it. */
export type Present<T> = (value: T, path: unknown) => unknown;

/** What a call is to be answered with. */
export interface Plan<T> {
  readonly lookup: Lookup<T>;
  readonly present: Present<T>;
}

/** One function of node:fs that is answered from the cache. */
export interface CachedCall<T> {
  readonly name: string;
  /** That node's error names when the path is not there. */
  readonly syscall: string;
  /**
   * Whether a miss that is cached is an answer. If not, the file system below has the last word before a caller is
   * told that it failed; `'confirmed'`: unless it has just had it, see `Misses`.
   */
  readonly trustsMisses: boolean | 'confirmed';
  /** Whether a path of which nothing is known is read by one call of this kind, rather than walked to. */
  readonly isDirect?: boolean;
  /** The path to look for, if it is another one. */
  readonly keyOf?: (path: string) => string;
  /** What to do for these options; undefined: that is for the file system below, as are options that are no good. */
  readonly plan: (options: unknown) => Plan<T> | undefined;
  /** What the call may change where it goes to the file system below. */
  readonly mutation?: Mutation;
  /** Whether what is there is nothing for this call: `EINVAL`. */
  readonly isFault?: (value: T) => boolean;
  /** Whether a synchronous caller wants undefined rather than an error. */
  readonly missingIsUndefined?: (options: unknown) => boolean;
}

/** The three forms of a cached call, under the names that the file system below has them. */
export interface Forms {
  readonly calls: Record<string, Call>;
  readonly promises: Record<string, Call>;
}

export function formsOf<T>(context: Context, call: CachedCall<T>): Forms {
  const { backing } = context;
  const { name } = call;
  const calls: Record<string, Call> = {};
  const promises: Record<string, Call> = {};
  if (backing.has(name)) {
    calls[name] = shapedAs(backing.fs[name], callbackForm(context, call));
  }
  if (backing.has(`${name}Sync`)) {
    calls[`${name}Sync`] = shapedAs(backing.fs[`${name}Sync`], syncForm(context, call));
  }
  if (backing.hasPromise(name)) {
    promises[name] = shapedAs(backing.promises?.[name], promiseForm(context, call));
  }
  return { calls, promises };
}

/** @param backing where to find the function, if not among those of the file system itself */
export function syncForm<T>(context: Context, call: CachedCall<T>, backing: Backing = context.backing): Call {
  const { view, answers } = context;
  const failures = new Failures(answers, call.syscall);
  const name = backing === context.backing ? `${call.name}Sync` : call.name;
  const { mutation } = call;
  const past: Call = (...args) =>
    mutation === undefined
      ? backing.call(name, args)
      : mutateSync(context, mutation, args, () => backing.call(name, args));
  // No such function of node's has a third argument; and to gather them in an array costs as much as a look-up.
  return (path, options) => {
    const key = cachedPathOf(context, path);
    const plan = key === undefined ? undefined : call.plan(options);
    if (key === undefined || plan === undefined) {
      return past(path, options);
    }
    let found: Answer<T>;
    try {
      found = plan.lookup.now(call.keyOf?.(key) ?? key, isDirect(call, path, key));
    } catch (error) {
      if (error instanceof DirectError) {
        throw error.error;
      }
      return backing.call(name, [path, options]);
    }
    if (found !== MISSING) {
      if (call.isFault?.(found) === true) {
        throw failures.of('EINVAL', path);
      }
      return plan.present(found, path);
    }
    if (call.trustsMisses !== true) {
      const value = backing.call(name, [path, options]);
      view.invalidate(key);
      return value;
    }
    if (call.missingIsUndefined?.(options) === true) {
      return undefined;
    }
    throw failures.of('ENOENT', path);
  };
}

/** @param backing as in {@link syncForm} */
export function callbackForm<T>(context: Context, call: CachedCall<T>, backing: Backing = context.backing): Call {
  const { view, answers, misses } = context;
  const { name, mutation } = call;
  const read = (path: string): Promise<Buffer> => backing.callLater(name, [path]);
  return (...args) => {
    const [path, second, third] = args;
    const hasOptions = typeof second !== 'function';
    const options = hasOptions ? second : undefined;
    const callback = (hasOptions ? third : second) as Callback;
    const key = typeof callback === 'function' ? cachedPathOf(context, path) : undefined;
    const plan = key === undefined ? undefined : call.plan(options);
    if (key === undefined || plan === undefined) {
      return mutation === undefined
        ? backing.call(name, args)
        : mutateWithCallback(context, mutation, args, (own) => backing.call(name, own));
    }
    const answer = (found: Answer<T>): void => {
      if (found !== MISSING && call.isFault?.(found) === true) {
        answers.give(callback, bareFailure('EINVAL', call.syscall, path));
      } else if (found !== MISSING) {
        answers.give(callback, ...tell(plan.present(found, path)));
      } else if (isAnswer(context, call, key)) {
        answers.give(callback, bareFailure('ENOENT', call.syscall, path));
      } else {
        askAgain();
      }
    };
    const askAgain = (): void => {
      const [begunMs, before] = [misses.now(), view.changeCount];
      askBacking(backing, name, hasOptions ? [path, options] : [path], (...values) => {
        const [error] = values;
        if (error === null || error === undefined) {
          view.invalidate(key);
        } else {
          confirm(context, key, error, begunMs, before);
        }
        callback(...(values as [unknown]));
      });
    };
    const sought = call.keyOf?.(key) ?? key;
    const found = plan.lookup.peek(sought);
    if (found === undefined) {
      const direct = isDirect(call, path, key);
      if (direct && misses.isConfirmed(key, view.changeCount)) {
        answers.give(callback, bareFailure('ENOENT', call.syscall, path));
        return undefined;
      }
      const [begunMs, before] = [misses.now(), view.changeCount];
      const failed = (error: unknown): void => {
        if (error instanceof DirectError) {
          confirm(context, key, error.error, begunMs, before);
          answers.give(callback, error.error);
        } else {
          askBacking(backing, name, hasOptions ? [path, options] : [path], callback);
        }
      };
      plan.lookup.later(sought, direct ? read : undefined).then(answer, failed);
    } else {
      answer(found);
    }
    return undefined;
  };
}

function isAnswer<T>({ misses }: Context, { trustsMisses }: CachedCall<T>, key: string): boolean {
  return trustsMisses === 'confirmed' ? misses.isConfirmed(key) : trustsMisses;
}

/** Only for a path as it is looked for: errors name it. */
function isDirect<T>(call: CachedCall<T>, path: unknown, key: string): boolean {
  return call.isDirect === true && path === key;
}

function confirm({ misses }: Context, key: string, error: unknown, begunMs: number, changeCount: number): void {
  if ((error as { code?: unknown } | null)?.code === 'ENOENT') {
    misses.confirm(key, begunMs, changeCount);
  }
}

/** A call without a result tells none: programs count what they are told. */
function tell(value: unknown): [unknown, ...unknown[]] {
  return value === undefined ? [null] : [null, value];
}

/** Whatever is thrown here is thrown to nobody else than the event loop, as it would be by node. */
function askBacking(backing: Backing, name: string, args: readonly unknown[], callback: Callback): void {
  try {
    backing.call(name, [...args, callback]);
  } catch (error) {
    process.nextTick(callback, error);
  }
}

function promiseForm<T>(context: Context, call: CachedCall<T>): Call {
  const { backing, view, answers, misses } = context;
  const { name, mutation } = call;
  const failures = new Failures(answers, call.syscall);
  const read = (path: string): Promise<Buffer> => backing.callPromise(name, [path]) as Promise<Buffer>;
  const past: Call = (...args) =>
    mutation === undefined
      ? backing.callPromise(name, args)
      : mutate(context, mutation, args, () => backing.callPromise(name, args));

  /** @param peeked what the cache knows by itself */
  async function ask(
    key: string,
    plan: Plan<T>,
    args: readonly unknown[],
    peeked: Answer<T> | undefined,
  ): Promise<unknown> {
    let found = peeked;
    const [begunMs, before] = [misses.now(), view.changeCount];
    if (found === undefined) {
      const direct = isDirect(call, args[0], key);
      if (direct && misses.isConfirmed(key, before)) {
        await answers.wait();
        throw failures.later('ENOENT', args[0]);
      }
      try {
        found = await plan.lookup.later(key, direct ? read : undefined);
      } catch (error) {
        if (error instanceof DirectError) {
          confirm(context, key, error.error, begunMs, before);
          throw error.error;
        }
        return backing.callPromise(name, args);
      }
    } else {
      await answers.wait();
    }
    if (found !== MISSING) {
      if (call.isFault?.(found) === true) {
        throw failures.later('EINVAL', args[0]);
      }
      return plan.present(found, args[0]);
    }
    if (isAnswer(context, call, key)) {
      throw failures.later('ENOENT', args[0]);
    }
    try {
      const value = await backing.callPromise(name, args);
      view.invalidate(key);
      return value;
    } catch (error) {
      confirm(context, key, error, begunMs, before);
      throw error;
    }
  }

  return (...args) => {
    const key = cachedPathOf(context, args[0]);
    const plan = key === undefined ? undefined : call.plan(args[1]);
    if (key === undefined || plan === undefined) {
      return past(...args);
    }
    const found = plan.lookup.peek(key);
    if (found !== undefined && found !== MISSING && call.isFault?.(found) !== true) {
      // Most calls, at less than half the cost of the long way.
      const [path] = args;
      return answers.mayAnswer()
        ? Promise.resolve(plan.present(found, path))
        : answers.turn().then(() => plan.present(found, path));
    }
    return ask(key, plan, args, found);
  };
}
