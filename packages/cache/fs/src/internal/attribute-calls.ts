import { promisify } from 'node:util';
import type { BigIntStats } from 'node:fs';
import { type Call, shapedAs } from './backing.js';
import { type CachedCall, type Forms, formsOf, type Plan } from './cached-call.js';
import { cachedPathOf, type Context } from './context.js';
import { type Answer, type Lookup, MISSING } from './fs-view.js';

interface StatOptions {
  readonly bigint?: unknown;
  readonly throwIfNoEntry?: unknown;
}

/** `stat`, `lstat`, `access` and `exists`. A miss that is cached is an answer: resolvers live on these. */
export function attributeCalls(context: Context): Forms[] {
  const { view } = context;
  const found = { lookup: view.exists, present: () => undefined };
  return [
    formsOf(context, statCall(context, 'stat', view.stat)),
    formsOf(context, statCall(context, 'lstat', view.lstat)),
    formsOf<true>(context, {
      name: 'access',
      syscall: 'access',
      trustsMisses: true,
      // Whether a file may be read or run is the system's to say: it knows more than the mode's bits.
      plan: (mode) => (mode === undefined || mode === 0 ? found : undefined),
    }),
    existsForms(context),
  ];
}

function statCall(context: Context, name: 'stat' | 'lstat', lookup: Lookup<BigIntStats>): CachedCall<BigIntStats> {
  const { stats } = context;
  const plain: Plan<BigIntStats> = { lookup, present: (value) => stats.plain(value) };
  const big: Plan<BigIntStats> = { lookup, present: (value) => stats.big(value) };
  return {
    name,
    syscall: name,
    trustsMisses: true,
    plan: (options) => {
      if (options === undefined) {
        return plain;
      }
      if (typeof options !== 'object' || options === null) {
        return undefined;
      }
      const { bigint } = options as StatOptions;
      return bigint === true ? big : bigint === undefined || bigint === false ? plain : undefined;
    },
    missingIsUndefined: (options) => (options as StatOptions | undefined)?.throwIfNoEntry === false,
  };
}

/** The odd one out: it tells no error, and knows no promise form but through `util.promisify`. */
function existsForms(context: Context): Forms {
  const { backing, view, answers } = context;
  const { exists: lookup } = view;

  const ask = async (path: unknown): Promise<boolean> => {
    const key = cachedPathOf(context, path);
    const found = key === undefined ? undefined : await lookup.later(key).catch(() => undefined);
    return found === undefined
      ? new Promise((resolve) => void backing.call('exists', [path, resolve]))
      : found !== MISSING;
  };

  const exists: Call = (path, callback) => {
    const key = typeof callback === 'function' ? cachedPathOf(context, path) : undefined;
    if (key === undefined) {
      return backing.call('exists', [path, callback]);
    }
    const tell = callback as (value: boolean) => void;
    const answer = (found: Answer<true>): void => answers.give(tell as Call, found !== MISSING);
    const found = lookup.peek(key);
    if (found === undefined) {
      lookup.later(key).then(answer, () => void backing.call('exists', [path, callback]));
    } else {
      answer(found);
    }
    return undefined;
  };

  const existsSync: Call = (path) => {
    const key = cachedPathOf(context, path);
    if (key !== undefined) {
      try {
        return lookup.now(key) !== MISSING;
      } catch {
        // The system says why it can't be told, by answering false.
      }
    }
    return backing.call('existsSync', [path]);
  };

  const calls: Record<string, Call> = {};
  if (backing.has('exists')) {
    Object.defineProperty(exists, promisify.custom, { value: ask });
    calls.exists = shapedAs(backing.fs.exists, exists);
  }
  if (backing.has('existsSync')) {
    calls.existsSync = shapedAs(backing.fs.existsSync, existsSync);
  }
  return { calls, promises: {} };
}
