import { type Call, shapedAs } from './backing.js';
import type { Forms } from './cached-call.js';
import { mutationForms, openFile } from './changing-calls.js';
import { cachedPathOf, type Context } from './context.js';
import { mutate, type Mutation, NO_CHANGES } from './mutation.js';
import { isForWriting, type OpenFiles } from './open-files.js';

/** Methods of a `FileHandle` that change its file. */
const CHANGING_METHODS = ['write', 'writev', 'writeFile', 'appendFile', 'truncate', 'chmod', 'chown', 'utimes'];

/** `open` and `close`: descriptors are the system's own, and remembered, so that writes through them are known. */
export function openCalls(context: Context, files: OpenFiles): Forms[] {
  const { backing } = context;
  const opening: Mutation = {
    changes: ([path, flags]) => {
      const key = isForWriting(flags) ? cachedPathOf(context, path) : undefined;
      return key === undefined ? NO_CHANGES : [{ path: key, follow: true }];
    },
    done: ([path], opened) => {
      const key = cachedPathOf(context, path);
      if (typeof opened === 'number' && key !== undefined) {
        files.opened(opened, key);
      }
      return NO_CHANGES;
    },
  };
  const open = mutationForms(context, 'open', opening);
  if (backing.hasPromise('open')) {
    open.promises.open = shapedAs(backing.promises?.open, (...args) =>
      mutate(context, opening, args, async () => {
        const handle = await backing.callPromise('open', args);
        const key = cachedPathOf(context, args[0]);
        return key === undefined ? handle : withChanges(context, files, handle as Handle, key);
      }),
    );
  }
  const closing: Record<string, Call> = {};
  for (const name of ['close', 'closeSync']) {
    if (backing.has(name)) {
      closing[name] = shapedAs(backing.fs[name], (...args) => {
        files.closed(args[0]);
        return backing.call(name, args);
      });
    }
  }
  return [open, { calls: closing, promises: {} }];
}

type Handle = Record<string, unknown> & { readonly fd: number };

/**
 * The handle itself, since node looks into handles that it is given, with methods of its own where they change the
 * file. Its file is found by its descriptor too, for `fs.writeFile(handle, …)` and the like.
 */
function withChanges(context: Context, files: OpenFiles, handle: Handle, path: string): Handle {
  const { fd } = handle;
  files.opened(fd, path);
  const mutation: Mutation = { changes: () => [openFile(fd, context, files) ?? { path, follow: true }] };
  for (const name of CHANGING_METHODS) {
    const method = handle[name];
    if (typeof method === 'function') {
      define(handle, name, method as Call, (...args) =>
        mutate(context, mutation, args, () => Reflect.apply(method, handle, args) as Promise<unknown>),
      );
    }
  }
  const close = handle.close as Call;
  define(handle, 'close', close, (...args) => {
    files.closed(fd);
    return Reflect.apply(close, handle, args);
  });
  return handle;
}

function define(handle: Handle, name: string, theirs: Call, ours: Call): void {
  Object.defineProperty(handle, name, { value: shapedAs(theirs, ours), configurable: true, writable: true });
}
