import nodeFs from 'node:fs';
import { type Call, shapedAs } from './backing.js';
import type { Context } from './context.js';

type Constructor = new (...args: unknown[]) => object;
type Options = Record<string, unknown>;

/** Node's stream classes, under all the names that it has for them. */
const CLASSES = ['ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream'];

/**
 * Streams that open, read, write and close by the functions of `ours`, as they are when they are called: those may have
 * been replaced.
 */
export function streamCalls(context: Context, ours: object): Record<string, unknown> {
  const { backing } = context;
  const calls: Record<string, unknown> = {};
  for (const [name, kind] of [
    ['createReadStream', 'ReadStream'],
    ['createWriteStream', 'WriteStream'],
  ] as const) {
    if (backing.has(name)) {
      // No arrow: node's can be called with `new`.
      const create: Call = function create(path, options, ...rest) {
        const args = [path, onOurs(options, ours), ...rest] as const;
        // A file system that puts its own paths in place of those it is given must do so once, in `open`.
        return backing.fs[kind] === nodeFs[kind] ? (nodeFs[name] as Call)(...args) : backing.call(name, args);
      };
      calls[name] = shapedAs(backing.fs[name], create);
    }
  }
  return calls;
}

/** As {@link streamCalls}, for `new fs.ReadStream(…)`. What they make is an instance of both classes. */
export function streamClasses(context: Context, ours: object): Record<string, () => unknown> {
  const classes: Record<string, () => unknown> = {};
  for (const name of CLASSES) {
    if (name in context.backing.fs) {
      let known: unknown;
      let proxy: unknown;
      classes[name] = () => {
        const theirs = context.backing.fs[name];
        if (theirs !== known) {
          known = theirs;
          proxy = typeof theirs === 'function' ? classOn(theirs as Constructor, ours) : theirs;
        }
        return proxy;
      };
    }
  }
  return classes;
}

function classOn(theirs: Constructor, ours: object): Constructor {
  const withOurs = (args: unknown[]): unknown[] => [args[0], onOurs(args[1], ours), ...args.slice(2)];
  return new Proxy(theirs, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct<unknown[], object>(target, withOurs(args), newTarget as Constructor),
    apply: (target, self, args: unknown[]) =>
      Reflect.apply<unknown, unknown[], unknown>(target as unknown as Call, self, withOurs(args)),
  });
}

/** The options with `fs`, unless the caller has one, or reads from a `FileHandle`, which calls nothing of `fs`. */
function onOurs(options: unknown, ours: object): unknown {
  if (options === undefined || options === null) {
    return { fs: ours };
  }
  if (typeof options === 'string') {
    return { encoding: options, fs: ours };
  }
  if (typeof options !== 'object' || (options as Options).fs || typeof (options as Options).fd === 'object') {
    return options;
  }
  const copy: Options = {};
  // As node copies them: what is inherited counts.
  for (const name in options) {
    copy[name] = (options as Options)[name];
  }
  copy.fs = ours;
  return copy;
}
