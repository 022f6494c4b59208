import { type Call, shapedAs } from './backing.js';
import type { Forms } from './cached-call.js';
import { changeOf, mutationForms, openFile } from './changing-calls.js';
import { cachedPathOf, type Context } from './context.js';
import { mutate, type Mutation, NO_CHANGES } from './mutation.js';
import { define, defineReads, type Handle } from './handle-reads.js';
import type { OpenFile } from './open-file.js';
import { isForWriting, type OpenFiles } from './open-files.js';

/** Methods of a `FileHandle` that change its file. */
const CHANGING_METHODS = ['write', 'writev', 'writeFile', 'appendFile', 'truncate', 'chmod', 'chown', 'utimes'];

/** `open` and `close`: descriptors are the system's own, and remembered, so that writes through them are known. */
export function openCalls(context: Context, files: OpenFiles): Forms[] {
  const { backing } = context;
  const opening: Mutation = {
    changes: ([path, flags]) => (isForWriting(flags) ? changeOf(context, path, true) : NO_CHANGES),
    done: ([path, flags], opened) => {
      if (typeof opened === 'number') {
        files.opened(opened, cachedPathOf(context, path), flags);
      }
      return NO_CHANGES;
    },
  };
  const open = mutationForms(context, 'open', opening);
  if (backing.hasPromise('open')) {
    open.promises.open = shapedAs(backing.promises?.open, (...args) =>
      mutate(context, opening, args, async () => {
        const handle = (await backing.callPromise('open', args)) as Handle;
        files.opened(handle.fd, cachedPathOf(context, args[0]), args[1]);
        return context.caching ? withCache(context, files, handle) : handle;
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

/**
 * The handle itself, since node looks into handles that it is given, with methods of its own where they change the
 * file, or read it. Its file is found by its descriptor too, for `fs.writeFile(handle, …)` and the like.
 */
function withCache(context: Context, files: OpenFiles, handle: Handle): Handle {
  const { fd } = handle;
  const reader = files.reader(fd);
  const mutation: Mutation = { changes: () => openFile(fd, context, files) };
  for (const name of CHANGING_METHODS) {
    define(
      handle,
      name,
      (theirs) =>
        (...args) =>
          mutate(context, mutation, args, () => theirs(...args) as Promise<unknown>),
    );
  }
  define(handle, 'close', (theirs) => (...args) => {
    const closing = (): unknown => {
      if (handle.fd === fd) {
        files.closed(fd);
      }
      return theirs(...args);
    };
    // As node does: what was begun ends first.
    return reader?.isReading === true ? reader.idle().then(closing) : closing();
  });
  if (reader !== undefined) {
    defineReads(context, files, handle);
    collected.register(handle, { files, fd, reader });
  }
  return handle;
}

interface Collected {
  readonly files: OpenFiles;
  readonly fd: number;
  readonly reader: OpenFile;
}

/** Handles that nobody has closed are closed by node when they are collected. */
const collected = new FinalizationRegistry<Collected>(({ files, fd, reader }) => files.closed(fd, reader));
