import { type Call, shapedAs } from './backing.js';
import { cachedPathOf, type Context } from './context.js';
import type { Forms } from './cached-call.js';
import { ANYWHERE, type Change, type NameResult } from './fs-view.js';
import { mutate, mutateSync, mutateWithCallback, type Mutation, NO_CHANGES } from './mutation.js';
import type { OpenFiles } from './open-files.js';
import { mayLeadAnywhere, parentOf } from './path-of.js';

/** Which changes a call makes, told from what it is called with. */
type Changes = (args: readonly unknown[], world: World) => readonly Change[];

interface World {
  readonly context: Context;
  readonly files: OpenFiles;
}

function at(index: number, follow: boolean): Changes {
  return (args, { context }) => changeOf(context, args[index], follow);
}

export function changeOf(context: Context, path: unknown, follow: boolean): readonly Change[] {
  const key = cachedPathOf(context, path);
  if (key !== undefined) {
    return [{ path: key, follow }];
  }
  return mayLeadAnywhere(path, context.workingDirectory) ? [ANYWHERE] : NO_CHANGES;
}

/** Of a path, a descriptor, or a handle. */
function ofFile(args: readonly unknown[], { context, files }: World): readonly Change[] {
  const [file] = args;
  const fd = typeof file === 'object' && file !== null && 'fd' in file ? file.fd : file;
  if (typeof fd !== 'number') {
    return changeOf(context, file, true);
  }
  return openFile(fd, context, files);
}

export function openFile(fd: number, { backing, caching }: Context, files: OpenFiles): readonly Change[] {
  const change = caching ? files.changeBy(fd, backing) : undefined;
  return change === undefined ? NO_CHANGES : [change];
}

function both(args: readonly unknown[], world: World): readonly Change[] {
  return [...changeOf(world.context, args[0], false), ...changeOf(world.context, args[1], false)];
}

/** Directories above may be made as well: all of them that are not known to be there. */
function withParents(args: readonly unknown[], index: number, { context }: World): readonly Change[] {
  const key = cachedPathOf(context, args[index]);
  const changes: Change[] = [];
  for (let path = key; path !== undefined && path !== '/'; path = parentOf(path)) {
    changes.unshift({ path, follow: false, deep: path === key });
    const parent = context.view.stat.peek(parentOf(path));
    if (typeof parent === 'object') {
      break;
    }
  }
  return key === undefined ? changeOf(context, args[index], false) : changes;
}

function becoming(changes: Changes, result: NameResult): Changes {
  return (args, world) => changes(args, world).map((change) => ({ ...change, result }));
}

/** Of a path, which may be free: not of a descriptor. */
const ofWrittenFile = becoming(ofFile, 'file');

/** With a mode of the caller's own, it may be a directory in which he may not look anything up. */
function ofDirectory(args: readonly unknown[], world: World): readonly Change[] {
  const [path, options] = args;
  if (isRecursive(options)) {
    return withParents(args, 0, world);
  }
  const changes = changeOf(world.context, path, false);
  const isPlain =
    typeof options === 'function' ||
    options === undefined ||
    options === null ||
    (typeof options === 'object' && (options as { mode?: unknown }).mode === undefined);
  return isPlain ? changes.map((change) => ({ ...change, result: 'new directory' })) : changes;
}

function isRecursive(options: unknown): boolean {
  return typeof options === 'object' && options !== null && (options as { recursive?: unknown }).recursive === true;
}

const CHANGES: Readonly<Record<string, Changes>> = {
  writeFile: ofWrittenFile,
  appendFile: ofWrittenFile,
  truncate: ofFile,
  chmod: at(0, true),
  chown: at(0, true),
  utimes: at(0, true),
  lchmod: at(0, false),
  lchown: at(0, false),
  lutimes: at(0, false),
  rmdir: becoming(at(0, false), 'nothing'),
  unlink: becoming(at(0, false), 'nothing'),
  rm: (args, { context }) =>
    changeOf(context, args[0], false).map((change) => ({ ...change, deep: true, result: 'nothing' })),
  mkdir: ofDirectory,
  symlink: becoming(at(1, false), 'new symlink'),
  link: both,
  rename: both,
  // One that fails may take away what it was to replace.
  copyFile: (args, { context }) =>
    changeOf(context, args[1], true).map((change) => ({ ...change, removes: true, result: 'file' })),
  cp: (args, world) => withParents(args, 1, world),
  write: ofFile,
  writev: ofFile,
  ftruncate: ofFile,
  fchmod: ofFile,
  fchown: ofFile,
  futimes: ofFile,
};

/** What is to be done once such a call has succeeded. */
const DONE: Readonly<Record<string, (world: World) => Mutation['done']>> = {
  rename:
    ({ context }) =>
    ([path]) =>
      left(context, cachedPathOf(context, path)),
  rmdir:
    ({ context }) =>
    ([path]) =>
      left(context, cachedPathOf(context, path)),
  rm:
    ({ context }) =>
    ([path]) =>
      left(context, cachedPathOf(context, path)),
  mkdir:
    ({ context }) =>
    (_, made) =>
      created(context, made),
};

/** The calls that change the file system: they go through, and what is cached of their paths is forgotten. */
export function changingCalls(context: Context, files: OpenFiles): Forms[] {
  const world = { context, files };
  return Object.entries(CHANGES)
    .map(([name, changes]) =>
      mutationForms(context, name, {
        changes: (args) => changes(args, world),
        done: DONE[name]?.(world),
      }),
    )
    .concat(
      mutationForms(context, 'mkdtemp', { changes: () => NO_CHANGES, done: (_, made) => created(context, made) }),
    );
}

export function mutationForms(context: Context, name: string, mutation: Mutation): Forms {
  const { backing } = context;
  const calls: Record<string, Call> = {};
  const promises: Record<string, Call> = {};
  if (backing.has(name)) {
    calls[name] = shapedAs(backing.fs[name], (...args) =>
      mutateWithCallback(context, mutation, args, (own) => backing.call(name, own)),
    );
  }
  const nameSync = `${name}Sync`;
  if (backing.has(nameSync)) {
    calls[nameSync] = shapedAs(backing.fs[nameSync], (...args) =>
      mutateSync(context, mutation, args, () => backing.call(nameSync, args)),
    );
  }
  if (backing.hasPromise(name)) {
    promises[name] = shapedAs(backing.promises?.[name], (...args) =>
      mutate(context, mutation, args, () => backing.callPromise(name, args)),
    );
  }
  return { calls, promises };
}

/** Of the path that a call answers with, if it does. */
function created(context: Context, made: unknown): readonly Change[] {
  return changeOf(context, made, false);
}

function left({ workingDirectory }: Context, path: string | undefined): readonly Change[] {
  if (path !== undefined) {
    workingDirectory.left(path);
  }
  return NO_CHANGES;
}
