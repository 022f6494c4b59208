import { type FSWatcher, watch as watchPath } from 'node:fs';
import { checkOptionNames } from '@core/base';
import type { Inode } from './inode.js';
import { type AgeOptions, byAge, checkAge, type LookOutcome, type RevalidationPolicy } from './revalidation-policy.js';

/** Something that can be told to stop. */
export interface Watch {
  close(): void;
}

/**
 * Watches the entries of one directory, not those below. Throws when it cannot; an error later goes to `onError`, once,
 * and ends it. Must not keep the process alive.
 *
 * @param onEvent told the name of the entry that has changed, or null when the name is not known, or events were lost
 */
export type WatchDirectory = (
  directory: string,
  onEvent: (name: string | null) => void,
  onError: (error: unknown) => void,
) => Watch;

export interface WatcherOptions extends AgeOptions {
  /** Milliseconds for which a file that is watched is believed, whatever the events say. Default 60,000. */
  readonly maxAgeMs?: number;
  /** Directories that are watched at most. Default 512. */
  readonly maxWatches?: number;
  /** Default: `fs.watch`. */
  readonly watch?: WatchDirectory;
}

const OPTION_NAMES = ['maxAgeMs', 'maxWatches', 'watch', 'acregminMs', 'acregmaxMs', 'acdirminMs', 'acdirmaxMs'];
const DEFAULT_MAX_AGE_MS = 60_000;
const DEFAULT_MAX_WATCHES = 512;
/** The system has no more watches: asked again only after a while. */
const EXHAUSTED: ReadonlySet<unknown> = new Set(['ENOSPC', 'EMFILE', 'ENFILE']);

/**
 * Believes attributes until the directory's watch tells of a change, and for `maxAgeMs` at the most: events get lost. A
 * file is believed so only from a look that began when its directory was watched already. What is not watched goes by
 * age: files with several names, which may be changed by one in another directory; directories, whose own entries are
 * not watched from above; what is beyond `maxWatches`, or cannot be watched.
 *
 * For one cache.
 *
 * @throws {TypeError} an option is unknown, or of the wrong type
 * @throws {RangeError} a number is out of range
 */
export function byWatcher(options: WatcherOptions = {}): RevalidationPolicy {
  checkOptionNames(options, OPTION_NAMES, 'a policy by watcher');
  const { maxAgeMs = DEFAULT_MAX_AGE_MS, maxWatches = DEFAULT_MAX_WATCHES, watch = nodeWatch, ...ages } = options;
  checkAge('maxAgeMs', maxAgeMs);
  if (typeof watch !== 'function') {
    throw new TypeError('Cannot watch files: watch must be a function');
  }
  if (!(Number.isInteger(maxWatches) && maxWatches >= 0)) {
    throw new RangeError(`Cannot watch ${String(maxWatches)} directories: maxWatches must be an integer of 0 or more`);
  }
  return new ByWatcher(byAge(ages), maxAgeMs, maxWatches, watch);
}

/** A directory that is watched, or that could not be. */
interface Directory {
  readonly path: string;
  watch: Watch | null;
  /** Inodes by the names that they had when they were seen first. */
  readonly inodes: Map<string, Set<Inode>>;
}

/** Where an inode is watched. */
interface Post {
  readonly directory: Directory;
  readonly name: string;
  readonly path: string;
}

class ByWatcher implements RevalidationPolicy {
  private readonly ages: RevalidationPolicy;
  private readonly maxAgeMs: number;
  private readonly maxWatches: number;
  private readonly watch: WatchDirectory;
  private readonly directories = new Map<string, Directory>();
  private readonly posts = new Map<Inode, Post>();
  private isClosed = false;
  private refusedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(ages: RevalidationPolicy, maxAgeMs: number, maxWatches: number, watch: WatchDirectory) {
    this.ages = ages;
    this.maxAgeMs = maxAgeMs;
    this.maxWatches = maxWatches;
    this.watch = watch;
  }

  trustMs(inode: Inode, outcome: LookOutcome, nowMs: number): number {
    const byAgeMs = this.ages.trustMs(inode, outcome, nowMs);
    if (inode.isDirectory || inode.stats.nlink > 1n) {
      this.forget(inode);
      return Math.min(byAgeMs, this.maxAgeMs);
    }
    const post = this.posts.get(inode);
    if (post?.path === inode.path && post.directory.watch !== null) {
      return this.maxAgeMs;
    }
    this.forget(inode);
    // From now on. What has changed between the look and this is seen by the look after the next age.
    this.post(inode, nowMs);
    return Math.min(byAgeMs, this.maxAgeMs);
  }

  forget(inode: Inode): void {
    const post = this.posts.get(inode);
    if (post === undefined) {
      return;
    }
    this.posts.delete(inode);
    const { directory, name } = post;
    const inodes = directory.inodes.get(name);
    inodes?.delete(inode);
    if (inodes?.size === 0) {
      directory.inodes.delete(name);
    }
    if (directory.inodes.size === 0) {
      this.end(directory);
    }
  }

  close(): void {
    this.isClosed = true;
    this.posts.clear();
    for (const directory of this.directories.values()) {
      this.end(directory);
    }
  }

  private post(inode: Inode, nowMs: number): void {
    const end = inode.path.lastIndexOf('/');
    const directory = this.isClosed ? null : this.directory(inode.path.slice(0, Math.max(end, 1)), nowMs);
    if (directory === null) {
      return;
    }
    const name = inode.path.slice(end + 1);
    let inodes = directory.inodes.get(name);
    if (inodes === undefined) {
      inodes = new Set();
      directory.inodes.set(name, inodes);
    }
    inodes.add(inode);
    this.posts.set(inode, { directory, name, path: inode.path });
  }

  private directory(path: string, nowMs: number): Directory | null {
    const present = this.directories.get(path);
    if (present !== undefined) {
      return present;
    }
    if (this.directories.size >= this.maxWatches || nowMs < this.refusedUntilMs) {
      return null;
    }
    const directory: Directory = { path, watch: null, inodes: new Map() };
    try {
      directory.watch = this.watch(
        path,
        (name) => this.heard(directory, name),
        () => this.fail(directory),
      );
    } catch (error) {
      // Its files go by age.
      if (EXHAUSTED.has((error as { code?: unknown }).code)) {
        this.refusedUntilMs = nowMs + this.maxAgeMs;
      }
      return null;
    }
    this.directories.set(path, directory);
    return directory;
  }

  private heard(directory: Directory, name: string | null): void {
    const names = name === null ? [...directory.inodes.values()] : [directory.inodes.get(name) ?? []];
    for (const inodes of names) {
      for (const inode of inodes) {
        if (!inode.isStale) {
          inode.invalidate();
        }
      }
    }
  }

  private fail(directory: Directory): void {
    this.heard(directory, null);
    this.end(directory);
    for (const inodes of directory.inodes.values()) {
      for (const inode of inodes) {
        this.posts.delete(inode);
      }
    }
    directory.inodes.clear();
  }

  private end(directory: Directory): void {
    if (this.directories.get(directory.path) === directory) {
      this.directories.delete(directory.path);
    }
    const { watch } = directory;
    directory.watch = null;
    watch?.close();
  }
}

function nodeWatch(
  directory: string,
  onEvent: (name: string | null) => void,
  onError: (error: unknown) => void,
): FSWatcher {
  const watcher = watchPath(directory, { persistent: false }, (_, name) => onEvent(name));
  watcher.on('error', onError);
  return watcher;
}
