import type { BigIntStats } from 'node:fs';
import type { Clock } from '@core/base';
import { type Dentry, type DentryCache, KIND_FILE } from '@cache/dentry';
import { DerivedKind, type Inode, type MakeContext } from '@cache/inode';
import type { AccessTimes } from './access-times.js';
import { DirectError, type Lookup, MISSING } from './fs-view.js';
import { NAME, noAnswer, peeked } from './names.js';
import type { YoungContents } from './young-contents.js';

/** Bytes of the heap that parsed JSON takes for each byte of its file, about. */
const JSON_BYTES_PER_BYTE = 4;
const STRING_BYTES = 32;

/** Whole files, by the file system below: in one call where `open`, `read` and `close` would be several. */
export interface FileReader {
  read(path: string): Promise<Buffer>;
  readSync(path: string): Buffer;
}

export interface ContentPorts {
  readonly accessTimes: AccessTimes;
  readonly dentries: DentryCache<Inode>;
  readonly young: YoungContents<Dentry<Inode>>;
  /** By path, where nothing else is known of it; emptied by each change. */
  readonly direct: YoungContents<string>;
  readonly reader: FileReader;
  readonly clock: Clock;
  /** Larger files are not kept. */
  readonly maxFileBytes: number;
  readonly youngMs: number;
  /** Goes up with each change: what was read meanwhile may be of before. */
  readonly changes: () => number;
  /** For files up to so many bytes that are too large to be kept; null: there are none. */
  readonly large: { readonly reader: FileReader; readonly maxBytes: number } | null;
  /** Called before so many bytes are kept. */
  readonly makeRoom: (bytes: number) => void;
}

/** What is made of a file's bytes. */
interface Form<T> {
  readonly kind: DerivedKind<T>;
  readonly make: (bytes: Buffer) => T;
}

export interface Contents {
  readonly bytes: Lookup<Buffer>;
  readonly text: Lookup<string>;
  readonly json: Lookup<{ readonly value: unknown }>;
}

export function contentsOf(ports: ContentPorts): Contents {
  const trustMs = ports.youngMs;
  return {
    bytes: lookupOf(ports, {
      kind: new DerivedKind<Buffer>('bytes', { sizeOf: (buffer) => buffer.length, zone: 'external', trustMs }),
      make: (buffer) => buffer,
    }),
    text: lookupOf(ports, {
      kind: new DerivedKind<string>('text', { sizeOf: (text) => text.length + STRING_BYTES, trustMs }),
      make: (buffer) => buffer.toString(),
    }),
    json: lookupOf(ports, {
      kind: new DerivedKind<Parsed>('json', {
        sizeOf: ({ bytes }) => bytes * JSON_BYTES_PER_BYTE + STRING_BYTES,
        trustMs,
      }),
      make: (buffer) => ({ value: JSON.parse(buffer.toString()) as unknown, bytes: buffer.length }),
    }),
  };
}

interface Parsed {
  readonly value: unknown;
  readonly bytes: number;
}

/** Carries what was made out of a maker, and says that it must not be kept. */
class Unkept<T> extends Error {
  readonly value: T;

  constructor(value: T) {
    super('not to be kept');
    this.value = value;
  }
}

function lookupOf<T>(ports: ContentPorts, form: Form<T>): Lookup<T> {
  const { dentries, young, direct, reader, clock, changes, accessTimes } = ports;
  const { kind } = form;

  const known = (dentry: Dentry<Inode>): T | undefined => {
    const { inode } = dentry;
    const value = inode?.derived(kind);
    return value ?? young.get(dentry, kind, clock.now());
  };

  const make = (buffer: Buffer, { size }: BigIntStats): T => {
    const value = form.make(buffer);
    // Some files hold other than their attributes say, such as those of /proc: they may change unseen. And a file may have
    // grown since it was found to be small enough.
    if (BigInt(buffer.length) !== size || buffer.length > ports.maxFileBytes) {
      throw new Unkept(value);
    }
    ports.makeRoom(buffer.length);
    return value;
  };

  const keepYoung = (dentry: Dentry<Inode>, buffer: Buffer, before: number, nowMs: number): T => {
    const value = form.make(buffer);
    if (changes() === before) {
      young.set(dentry, kind, value, nowMs + ports.youngMs);
    }
    return value;
  };

  /** Whether it is read without a look at its attributes: once, and not again until its dentry is another one. */
  const isYoung = (dentry: Dentry<Inode>): boolean => dentry.inode === null && !young.has(dentry);

  const keepDirect = (path: string, buffer: Buffer, before: number, nowMs: number): T => {
    const value = form.make(buffer);
    if (changes() === before) {
      direct.set(path, kind, value, nowMs + ports.youngMs);
    }
    return value;
  };

  const isUnknown = (path: string): boolean => dentries.peek(path, NAME) === undefined;

  return {
    peek: (path) => {
      const dentry = dentries.peek(path, NAME);
      return dentry === undefined ? direct.get(path, kind, clock.now()) : peeked(dentry, known);
    },
    now: (path, isDirect) => {
      if (isDirect === true && isUnknown(path)) {
        const kept = direct.get(path, kind, clock.now());
        return kept ?? keepDirect(path, readNow(reader, path), changes(), clock.now());
      }
      let dentry = dentries.walkSync(path, NAME);
      if (dentry.missing === 'ENOENT') {
        return MISSING;
      }
      const value = known(checkFile(dentry));
      if (value !== undefined) {
        return value;
      }
      if (isYoung(dentry)) {
        return keepYoung(dentry, reader.readSync(dentries.pathOf(dentry)), changes(), clock.now());
      }
      dentry = dentry.inode === null ? checkFile(dentries.walkSync(path)) : dentry;
      const real = dentries.pathOf(dentry);
      const large = largeReader(dentry, ports);
      if (large !== undefined) {
        return form.make(large.readSync(real));
      }
      try {
        const inode = inodeOf(dentry, ports);
        const makeSync = ({ stats }: MakeContext): T => {
          accessTimes.note(inode);
          return make(reader.readSync(real), stats);
        };
        return inode.deriveSync(kind, makeSync, real);
      } catch (error) {
        return unkept(error);
      }
    },
    later: async (path, read) => {
      if (read !== undefined && isUnknown(path)) {
        const [before, nowMs] = [changes(), clock.now()];
        return keepDirect(path, await readLater(read, path), before, nowMs);
      }
      let dentry = await dentries.walk(path, NAME);
      if (dentry.missing === 'ENOENT') {
        return MISSING;
      }
      const value = known(checkFile(dentry));
      if (value !== undefined) {
        return value;
      }
      if (isYoung(dentry)) {
        const [before, nowMs] = [changes(), clock.now()];
        const real = dentries.pathOf(dentry);
        return keepYoung(dentry, read === undefined ? await reader.read(real) : await read(real), before, nowMs);
      }
      dentry = dentry.inode === null ? checkFile(await dentries.walk(path)) : dentry;
      const real = dentries.pathOf(dentry);
      const large = largeReader(dentry, ports);
      if (large !== undefined) {
        return form.make(await large.read(real));
      }
      try {
        const inode = inodeOf(dentry, ports);
        const makeLater = async ({ stats }: MakeContext): Promise<T> => {
          accessTimes.note(inode);
          return make(await reader.read(real), stats);
        };
        return await inode.derive(kind, makeLater, real);
      } catch (error) {
        return unkept(error);
      }
    },
  };
}

function readNow(reader: FileReader, path: string): Buffer {
  try {
    return reader.readSync(path);
  } catch (error) {
    throw new DirectError(error);
  }
}

async function readLater(read: (path: string) => Promise<Buffer>, path: string): Promise<Buffer> {
  try {
    return await read(path);
  } catch (error) {
    throw new DirectError(error);
  }
}

function unkept<T>(error: unknown): T {
  if (error instanceof Unkept) {
    return error.value as T;
  }
  throw error;
}

function checkFile(dentry: Dentry<Inode>): Dentry<Inode> {
  if (dentry.kind !== KIND_FILE) {
    throw noAnswer('it is no file');
  }
  return dentry;
}

function inodeOf({ inode }: Dentry<Inode>, { maxFileBytes }: ContentPorts): Inode {
  if (inode === null || inode.stats.size > maxFileBytes || inode.stats.size === 0n) {
    throw noAnswer('its contents are not kept');
  }
  return inode;
}

/** Who reads a file that is too large to be kept as a whole, if somebody does. */
function largeReader({ inode }: Dentry<Inode>, { large, maxFileBytes }: ContentPorts): FileReader | undefined {
  return large !== null && inode !== null && inode.stats.size > maxFileBytes && inode.stats.size <= large.maxBytes
    ? large.reader
    : undefined;
}
