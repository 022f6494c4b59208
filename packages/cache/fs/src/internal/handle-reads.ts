import { type Call, shapedAs } from './backing.js';
import type { Context } from './context.js';
import { encodingOf } from './content-calls.js';
import { inEncoding } from './descriptor-contents.js';
import { UNCACHED } from './open-file.js';
import type { OpenFiles } from './open-files.js';
import {
  NO_POSITION,
  positionOf,
  positionOfVector,
  rangeOf,
  type ReadRequest,
  requestOf,
  requestWithBuffer,
  targetsOf,
} from './read-request.js';

/** A `FileHandle`, as much as matters here. Its `fd` is -1 when it is closed. */
export type Handle = Record<string, unknown> & { readonly fd: number };

/** Gives the handle a method of ours in the place of its own, which is passed to it, to be called as a function. */
export function define(handle: Handle, name: string, oursOf: (theirs: Call) => Call): void {
  const method = handle[name];
  if (typeof method === 'function') {
    const theirs: Call = (...args) => Reflect.apply<unknown, unknown[], unknown>(method as Call, handle, args);
    Object.defineProperty(handle, name, {
      value: shapedAs(method, oursOf(theirs)),
      configurable: true,
      writable: true,
    });
  }
}

/** The reading methods of a handle. Streams over a handle read by them as well. */
export function defineReads(context: Context, files: OpenFiles, handle: Handle): void {
  const { answers } = context;

  define(handle, 'read', (theirs) => async (...args) => {
    const open = files.reader(handle.fd);
    const request = open === undefined ? undefined : requestOfHandle(args);
    const range = request === undefined ? undefined : rangeOf({ ...request, position: null });
    if (open !== undefined && request !== undefined && range !== undefined) {
      const position = positionOf(request.position, range.length);
      if (position === NO_POSITION) {
        // Some versions of node take it as the descriptor's own.
        files.handOver(handle.fd);
        return theirs(...args);
      }
      const got = open.read(range.target, range.offset, range.length, position);
      const bytesRead = typeof got === 'number' ? await answers.settle(got) : await got;
      if (bytesRead !== UNCACHED) {
        return { __proto__: null, bytesRead, buffer: request.buffer };
      }
    }
    return theirs(...args);
  });

  define(handle, 'readv', (theirs) => async (...args) => {
    const [buffers, position] = args;
    const open = files.reader(handle.fd);
    const targets = open === undefined ? undefined : targetsOf(buffers);
    const bytesRead =
      open === undefined || targets === undefined ? UNCACHED : await open.readv(targets, positionOfVector(position));
    return bytesRead === UNCACHED ? theirs(...args) : { __proto__: null, bytesRead, buffers };
  });

  define(handle, 'readFile', (theirs) => async (...args) => {
    const open = files.reader(handle.fd);
    const encoding = open === undefined ? undefined : encodingOf(args[0]);
    const content = encoding === undefined ? undefined : await open?.readRest();
    if (content !== undefined) {
      return inEncoding(content, encoding);
    }
    files.handOver(handle.fd);
    return theirs(...args);
  });

  define(handle, 'readableWebStream', (theirs) => (...args) => {
    files.handOver(handle.fd);
    return theirs(...args);
  });
}

/** Of `read(buffer[, offset, length, position | , options])`, or `read([options])`. */
function requestOfHandle([buffer, offset, length, position]: readonly unknown[]): ReadRequest | undefined {
  if (!ArrayBuffer.isView(buffer)) {
    return requestWithBuffer(buffer);
  }
  if (typeof offset === 'object' && offset !== null) {
    return requestOf(buffer, offset);
  }
  const from = offset ?? 0;
  return {
    buffer,
    offset: from,
    length: length ?? (typeof from === 'number' ? buffer.byteLength - from : undefined),
    position,
  };
}
