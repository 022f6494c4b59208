import nodeFs, { constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DirectoryEntry, FileKind } from '@core/fs-source';
import { Backing, shapedAs } from './backing.js';
import { callbackForm, type CachedCall, type Forms, formsOf, type Plan, syncForm } from './cached-call.js';
import type { Context } from './context.js';

/** That node has them, its types do not say. */
const types = constants as unknown as Readonly<Record<string, number>>;

const DIRENT_TYPES: Readonly<Record<FileKind, number | undefined>> = {
  file: types.UV_DIRENT_FILE,
  directory: types.UV_DIRENT_DIR,
  symlink: types.UV_DIRENT_LINK,
  fifo: types.UV_DIRENT_FIFO,
  socket: types.UV_DIRENT_SOCKET,
  'character-device': types.UV_DIRENT_CHAR,
  'block-device': types.UV_DIRENT_BLOCK,
  unknown: types.UV_DIRENT_UNKNOWN,
};

interface ReaddirOptions {
  readonly encoding?: unknown;
  readonly withFileTypes?: unknown;
  readonly recursive?: unknown;
}

type DirentClass = new (name: string, type: number | undefined, path: string) => object;

/** `readdir`, `readlink` and `realpath`. Who calls them expects the path to be there, so a miss is looked at again. */
export function nameCalls(context: Context): Forms[] {
  const { view } = context;
  const target: Plan<string | null> = { lookup: view.readlink, present: (text) => text };
  return [
    formsOf(context, readdirCall(context)),
    formsOf<string | null>(context, {
      name: 'readlink',
      syscall: 'readlink',
      trustsMisses: 'confirmed',
      isFault: (target) => target === null,
      plan: (options) => (wantsText(options) ? target : undefined),
    }),
    realpathForms(context),
  ];
}

function readdirCall(context: Context): CachedCall<readonly DirectoryEntry[]> {
  const { view, backing } = context;
  const lookup = view.readdir;
  const names: Plan<readonly DirectoryEntry[]> = { lookup, present: (entries) => entries.map(({ name }) => name) };
  const typed: Plan<readonly DirectoryEntry[]> = {
    lookup,
    present: (entries, path) => {
      const Dirent = nodeFs.Dirent as unknown as DirentClass;
      const parent = path instanceof URL ? fileURLToPath(path) : (path as string);
      return entries.map(({ name, kind }) => new Dirent(name, DIRENT_TYPES[kind], parent));
    },
  };
  return {
    name: 'readdir',
    syscall: 'scandir',
    trustsMisses: 'confirmed',
    plan: (options) => {
      if (options === undefined || options === null || options === 'utf8') {
        return names;
      }
      if (typeof options !== 'object') {
        return undefined;
      }
      const { encoding, withFileTypes, recursive } = options as ReaddirOptions;
      if (!isUtf8(encoding) || !isFalse(recursive)) {
        return undefined;
      }
      if (withFileTypes === true) {
        // Entries of another class can't be made from here.
        return backing.fs.Dirent === nodeFs.Dirent ? typed : undefined;
      }
      return isFalse(withFileTypes) ? names : undefined;
    },
  };
}

/** @param native whether `..` is the system's business: node takes it off the text first */
function realpathCall(context: Context, native: boolean): CachedCall<string> {
  const plan: Plan<string> = { lookup: context.view.realpath, present: (path) => path };
  return {
    name: native ? 'native' : 'realpath',
    syscall: 'realpath',
    trustsMisses: false,
    ...(native ? {} : { keyOf: (path: string) => resolve(path) }),
    plan: (options) => (wantsText(options) ? plan : undefined),
  };
}

/** `realpath` and `realpath.native` answer alike: what is cached knows of no difference. */
function realpathForms(context: Context): Forms {
  const { fs } = context.backing;
  const forms = formsOf(context, realpathCall(context, false));
  const native = realpathCall(context, true);
  for (const [name, form] of [
    ['realpath', callbackForm],
    ['realpathSync', syncForm],
  ] as const) {
    const theirs = fs[name] as (object & { native?: unknown }) | undefined;
    const ours = forms.calls[name];
    if (ours !== undefined && typeof theirs?.native === 'function') {
      Object.assign(ours, { native: shapedAs(theirs.native, form(context, native, new Backing(theirs))) });
    }
  }
  return forms;
}

function wantsText(options: unknown): boolean {
  if (options === undefined || options === null || options === 'utf8') {
    return true;
  }
  return typeof options === 'object' && isUtf8((options as ReaddirOptions).encoding);
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';
}

function isFalse(value: unknown): boolean {
  return value === undefined || value === false;
}
