import { constants } from 'node:fs';
import type { Call, Callback } from './backing.js';
import { type Forms, formsOf, type Plan } from './cached-call.js';
import { changeOf } from './changing-calls.js';
import { cachedPathOf, type Context } from './context.js';
import { bareFailure } from './errors.js';
import { Failures } from './failures.js';
import { type Answer, type Change, MISSING } from './fs-view.js';
import { NO_CHANGES } from './mutation.js';
import { isForWriting } from './open-files.js';
import { readWhole } from './whole-files.js';

interface ReadFileOptions {
  readonly encoding?: unknown;
  readonly flag?: unknown;
  readonly signal?: unknown;
}

const UTF8: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'UTF8', 'UTF-8']);

/** `readFile`. Buffers are copied for each caller, strings are shared. */
export function readFileForms(context: Context): Forms {
  const { view } = context;
  const bytes: Plan<Buffer> = {
    lookup: view.bytes,
    present: (buffer) => (buffer.length > view.maxKeptBytes ? buffer : copyOf(buffer)),
  };
  const text: Plan<string> = { lookup: view.text, present: (content) => content };
  const encoded = new Map<string, Plan<Buffer>>();
  return formsOf<Buffer | string>(context, {
    name: 'readFile',
    syscall: 'open',
    trustsMisses: 'confirmed',
    isDirect: true,
    mutation: { changes: ([path, options]) => readingChanges(context, path, options) },
    plan: (options) => {
      const encoding = encodingOf(options);
      if (encoding === null) {
        return bytes as Plan<Buffer | string>;
      }
      if (encoding === undefined) {
        return undefined;
      }
      if (UTF8.has(encoding)) {
        return text as Plan<Buffer | string>;
      }
      let plan = encoded.get(encoding);
      if (plan === undefined) {
        plan = { lookup: view.bytes, present: (buffer) => buffer.toString(encoding as BufferEncoding) };
        encoded.set(encoding, plan);
      }
      return plan as Plan<Buffer | string>;
    },
  });
}

/** To read by a flag such as `a+` makes the file, or empties it. */
function readingChanges(context: Context, path: unknown, options: unknown): readonly Change[] {
  const flag = typeof options === 'object' && options !== null ? (options as ReadFileOptions).flag : undefined;
  return flag !== undefined && isForWriting(flag) ? changeOf(context, path, true) : NO_CHANGES;
}

/** With memory of its own, as node's: some programs take the whole of `buffer.buffer`. */
function copyOf(buffer: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  copy.set(buffer);
  return copy;
}

/** Null for bytes; undefined when the options are not for the cache. */
export function encodingOf(options: unknown): string | null | undefined {
  if (options === undefined || options === null) {
    return null;
  }
  if (typeof options === 'string') {
    return Buffer.isEncoding(options) ? options : undefined;
  }
  if (typeof options !== 'object') {
    return undefined;
  }
  const { encoding, flag, signal } = options as ReadFileOptions;
  if (
    (flag !== undefined && flag !== 'r' && flag !== constants.O_RDONLY) ||
    (signal !== undefined && signal !== null)
  ) {
    return undefined;
  }
  if (encoding === undefined || encoding === null) {
    return null;
  }
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : undefined;
}

/**
 * `readJson` and `readJsonSync`, which resolvers look for: a file that has not changed is not parsed again. The value is
 * shared by all who ask. A miss that is cached is an answer, as it is for `stat`: resolvers ask in every directory.
 */
export function readJsonForms(context: Context): { readJson: Call; readJsonSync: Call } {
  const { backing, answers } = context;
  const { json } = context.view;
  const failures = new Failures(answers, 'open');

  const readJsonSync: Call = (path) => {
    const key = cachedPathOf(context, path);
    let found: Answer<{ readonly value: unknown }> | undefined;
    if (key !== undefined) {
      try {
        found = json.now(key);
      } catch {
        // The system below says why.
      }
    }
    if (found === MISSING) {
      throw failures.of('ENOENT', path);
    }
    return found === undefined ? parse(backing.call('readFileSync', [path])) : found.value;
  };

  const ask = async (path: unknown): Promise<unknown> => {
    const key = cachedPathOf(context, path);
    const found = key === undefined ? undefined : await json.later(key).catch(() => undefined);
    if (found === MISSING) {
      throw bareFailure('ENOENT', 'open', path);
    }
    return found === undefined ? parse(await readWhole(backing, path)) : found.value;
  };

  const readJson: Call = (path, callback) => {
    const key = cachedPathOf(context, path);
    const found = key === undefined ? undefined : json.peek(key);
    if (typeof callback !== 'function') {
      return found === undefined || found === MISSING ? ask(path) : answers.settle(found.value);
    }
    const tell = callback as Callback;
    if (found === MISSING) {
      answers.give(tell, bareFailure('ENOENT', 'open', path));
    } else if (found !== undefined) {
      answers.give(tell, null, found.value);
    } else {
      ask(path).then(
        (value) => answers.give(tell, null, value),
        (error: unknown) => answers.give(tell, error),
      );
    }
    return undefined;
  };
  return { readJson, readJsonSync };
}

function parse(content: unknown): unknown {
  return JSON.parse(String(content)) as unknown;
}
