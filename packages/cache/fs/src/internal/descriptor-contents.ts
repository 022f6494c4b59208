import { type Call, type Callback, shapedAs } from './backing.js';
import type { Forms } from './cached-call.js';
import { encodingOf } from './content-calls.js';
import type { Context } from './context.js';
import type { OpenFiles } from './open-files.js';

/** `readFile` of a descriptor or a `FileHandle`: from where it is to the end. Of paths, as by `forms`. */
export function contentsByDescriptor({ answers }: Context, files: OpenFiles, { calls, promises }: Forms): Forms {
  const { readFileSync, readFile } = calls;
  const { readFile: readFilePromise } = promises;

  const syncForm: Call = (file, options) => {
    const open = typeof file === 'number' ? files.reader(file) : undefined;
    const encoding = open === undefined ? undefined : encodingOf(options);
    const content = encoding === undefined ? undefined : open?.readRestSync();
    if (content === undefined) {
      files.handOver(file);
      return readFileSync?.(file, options);
    }
    return inEncoding(content, encoding);
  };

  const callbackForm: Call = (...args) => {
    const [file, options] = args;
    const open = typeof file === 'number' ? files.reader(file) : undefined;
    const tell = args.at(-1) as Callback;
    const encoding =
      open !== undefined && typeof tell === 'function' ? encodingOf(args.length > 2 ? options : undefined) : undefined;
    if (open === undefined || encoding === undefined) {
      files.handOver(file);
      return readFile?.(...args);
    }
    const told = (content: Buffer | undefined): void => {
      if (content === undefined) {
        files.handOver(file);
        process.nextTick(readFile as Call, ...args);
      } else {
        answers.give(tell, null, inEncoding(content, encoding));
      }
    };
    open.readRest().then(told, (error: unknown) => answers.give(tell, error));
    return undefined;
  };

  const promiseForm: Call = (...args) => {
    const [file] = args;
    if (typeof file === 'object' && file !== null && 'fd' in file && files.reader(file.fd) !== undefined) {
      return (file as unknown as { readFile: Call }).readFile(args[1]);
    }
    return readFilePromise?.(...args);
  };

  return {
    calls: {
      ...(readFileSync === undefined ? {} : { readFileSync: shapedAs(readFileSync, syncForm) }),
      ...(readFile === undefined ? {} : { readFile: shapedAs(readFile, callbackForm) }),
    },
    promises: readFilePromise === undefined ? {} : { readFile: shapedAs(readFilePromise, promiseForm) },
  };
}

/** Null: as it is. */
export function inEncoding(content: Buffer, encoding: string | null | undefined): Buffer | string {
  return typeof encoding === 'string' ? content.toString(encoding as BufferEncoding) : content;
}
