import type { BigIntStats } from 'node:fs';
import type { DirectoryEntry } from '@core/fs-source';
import type { FileBlocks } from './file-blocks.js';

/** That a name is not there: what node calls ENOENT. */
export const MISSING: unique symbol = Symbol('missing');

export type Answer<T> = T | typeof MISSING;

/**
 * One question about a path, in three forms. A form that throws, or rejects, says only that the cache has no answer: the
 * file system below is then asked, and its error is the one that callers see.
 */
export interface Lookup<T> {
  /** From the cache alone; undefined when it does not know. */
  peek(path: string): Answer<T> | undefined;
  /** @param direct whether a path of which nothing is known may be read as it is: fails with a {@link DirectError} */
  now(path: string, direct?: boolean): Answer<T>;
  /** @param direct by what a path of which nothing, or little, is known may be read: as {@link now} */
  later(path: string, direct?: (path: string) => Promise<Buffer>): Promise<Answer<T>>;
}

/** The error of the file system below, for a call like the caller's own: it need not be made again. */
export class DirectError extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super('the file system below has failed');
    this.error = error;
  }
}

export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** What a change may do to what is cached of a path. */
export interface Change {
  readonly path: string;
  /** Whether it acts on what a symlink points to. */
  readonly follow: boolean;
  /** Whether it may change what is below, too. */
  readonly deep?: boolean;
  /** Whether a file that was there may be gone afterwards, though the call does not remove any. */
  readonly removes?: boolean;
  /** Which file it is, whatever the path is: for what is done by a descriptor. No name is changed by that. */
  readonly file?: FileIdentity;
  /** Whether it may be any file, whatever the path is. */
  readonly anywhere?: boolean;
  /** What the name is once the call has succeeded. */
  readonly result?: NameResult;
}

/** `'new …'`: that there was nothing by the name before; `'file'`: a new one if there was nothing. */
export type NameResult = 'new directory' | 'new symlink' | 'file' | 'nothing';

/** A change of a file that may be any. */
export const ANYWHERE: Change = { path: '/', follow: false, anywhere: true };

/** A change that is being made. */
export interface PendingChange {
  /** Finds out where it is made, while it is made; else `finish` may have to ask, synchronously. Never rejects. */
  readonly prepare?: (() => Promise<void>) | undefined;
  /**
   * After it: nothing that was read before or meanwhile is an answer from here on.
   *
   * @param succeeded whether the call did
   */
  finish(succeeded: boolean): void;
}

/**
 * What is known of the file system below. Paths are absolute, without NUL, and not normalised. What is answered is
 * shared by all who ask: callers of the façade get copies.
 */
export interface FsView {
  readonly stat: Lookup<BigIntStats>;
  readonly lstat: Lookup<BigIntStats>;
  /** Whether a path leads to something, which is known more often than its stats are. */
  readonly exists: Lookup<true>;
  /** Throws where the kind of an entry is not known. */
  readonly readdir: Lookup<readonly DirectoryEntry[]>;
  /** Null for what is no symlink. */
  readonly readlink: Lookup<string | null>;
  readonly realpath: Lookup<string>;
  readonly bytes: Lookup<Buffer>;
  readonly text: Lookup<string>;
  /** Boxed, since any value may be in a file. Throws what `JSON.parse` throws. */
  readonly json: Lookup<{ readonly value: unknown }>;

  /** A file of more bytes is not kept, so that what was read of it is the caller's own. */
  readonly maxKeptBytes: number;
  /** Whether any file with several names has been seen. */
  readonly hasLinks: boolean;
  /** Goes up with each change that is made or told of. */
  readonly changeCount: number;

  /** Of files that are read by descriptor; null where these are not cached. */
  readonly blocks: FileBlocks | null;

  /**
   * Before a change by the façade: what is cached of it is forgotten, as far as it is found without a call.
   *
   * @param mayAsk whether it may be asked for, synchronously; if not, `prepare` does so
   */
  changing(change: Change, mayAsk: boolean): PendingChange;

  /** Forgets what is below `path`, its links' targets and its place in its directory included; all without a path. */
  invalidate(path?: string): void;
  /** Forgets `path` alone, what is below it not. */
  invalidateExact(path: string): void;
}
