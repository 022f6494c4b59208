import { type Call, type Callback, shapedAs } from './backing.js';
import type { Forms } from './cached-call.js';
import type { Context } from './context.js';
import { type OpenFile, UNCACHED } from './open-file.js';
import type { OpenFiles } from './open-files.js';
import {
  isRange,
  NO_POSITION,
  positionOf,
  positionOfVector,
  rangeOf,
  type ReadRequest,
  requestOf,
  requestWithBuffer,
  targetsOf,
} from './read-request.js';

/**
 * `read` and `readv` of descriptors. What is odd goes to the file system below as it is: it fails there, or reads
 * nothing.
 */
export function readCalls(context: Context, files: OpenFiles): Forms {
  const { backing } = context;
  const forms: Readonly<Record<string, Call>> = {
    readSync: readSyncForm(context, files),
    read: readForm(context, files),
    readvSync: readvSyncForm(context, files),
    readv: readvForm(context, files),
  };
  const calls: Record<string, Call> = {};
  for (const [name, form] of Object.entries(forms)) {
    if (backing.has(name)) {
      calls[name] = shapedAs(backing.fs[name], form);
    }
  }
  return { calls, promises: {} };
}

function readSyncForm({ backing }: Context, files: OpenFiles): Call {
  return (...args) => {
    const open = files.reader(args[0]);
    if (open === undefined) {
      return backing.call('readSync', args);
    }
    // By their places: to take them apart costs as much as to find the file.
    const length = args[3] as number;
    const at = isRange(args[1], args[2], length) ? positionOf(args[4], length) : NO_POSITION;
    const got =
      at === NO_POSITION
        ? readOddSync(open, args)
        : open.readSync(args[1] as Uint8Array, args[2] as number, length, at);
    return got === UNCACHED ? backing.call('readSync', args) : got;
  };
}

/** With options, with another kind of buffer, or without some argument. */
function readOddSync(open: OpenFile, args: readonly unknown[]): number {
  const [, buffer, offset, length, position] = args;
  const request =
    args.length <= 3 || (typeof offset === 'object' && offset !== null)
      ? requestOf(buffer, offset)
      : { buffer, offset, length, position };
  const range = request === undefined ? undefined : rangeOf(request);
  return range === undefined ? UNCACHED : open.readSync(range.target, range.offset, range.length, range.position);
}

function readForm({ backing, answers }: Context, files: OpenFiles): Call {
  return (...args) => {
    const open = files.reader(args[0]);
    const callback = args.at(-1);
    const request = open !== undefined && typeof callback === 'function' ? requestOfRead(args) : undefined;
    const range = request === undefined ? undefined : rangeOf(request);
    if (open === undefined || request === undefined || range === undefined) {
      return backing.call('read', args);
    }
    const tell = callback as Callback;
    const got = open.read(range.target, range.offset, range.length, range.position);
    if (typeof got === 'number') {
      answers.give(tell, null, got, request.buffer);
    } else {
      tellLater(got, tell, request.buffer, () => backing.call('read', args));
    }
    return undefined;
  };
}

/** Of `read(fd[, buffer][, offset, length, position | , options], callback)`. */
function requestOfRead(args: readonly unknown[]): ReadRequest | undefined {
  const [, buffer, offset, length, position] = args;
  switch (args.length) {
    case 2:
      return requestWithBuffer(undefined);
    case 3:
      return ArrayBuffer.isView(buffer) ? requestOf(buffer, undefined) : requestWithBuffer(buffer);
    case 4:
      return requestOf(buffer, offset);
    case 6:
      return { buffer, offset, length, position };
    default:
      return undefined;
  }
}

function readvSyncForm({ backing }: Context, files: OpenFiles): Call {
  return (...args) => {
    const [fd, buffers, position] = args;
    const open = files.reader(fd);
    const targets = open === undefined ? undefined : targetsOf(buffers);
    const got =
      open === undefined || targets === undefined ? UNCACHED : open.readvSync(targets, positionOfVector(position));
    return got === UNCACHED ? backing.call('readvSync', args) : got;
  };
}

function readvForm({ backing }: Context, files: OpenFiles): Call {
  return (...args) => {
    const [fd, buffers, position] = args;
    const open = files.reader(fd);
    const callback = args.at(-1);
    const targets = open !== undefined && typeof callback === 'function' ? targetsOf(buffers) : undefined;
    if (open === undefined || targets === undefined) {
      return backing.call('readv', args);
    }
    tellLater(open.readv(targets, positionOfVector(position)), callback as Callback, buffers, () =>
      backing.call('readv', args),
    );
    return undefined;
  };
}

/** Whatever the callback throws is thrown to nobody else than the event loop, as it would be by node. */
function tellLater(got: Promise<number>, tell: Callback, buffer: unknown, asItIs: () => void): void {
  got.then(
    (bytes) => {
      if (bytes === UNCACHED) {
        process.nextTick(asItIs);
      } else {
        process.nextTick(tell, null, bytes, buffer);
      }
    },
    (error: unknown) => process.nextTick(tell, error, 0, buffer),
  );
}
