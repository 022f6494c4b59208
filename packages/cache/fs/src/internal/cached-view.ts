import type { BigIntStats } from 'node:fs';
import { basename, join } from 'node:path';
import { type Clock, type Scheduler, systemClock } from '@core/base';
import { type Dentry, DentryCache, KIND_DIRECTORY } from '@cache/dentry';
import { type Inode, InodeCache, type RevalidationPolicy, SuperBlock } from '@cache/inode';
import type { FileSystemSource } from '@core/fs-source';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup } from '@core/shrinker';
import { AccessTimes } from './access-times.js';
import type { Backing } from './backing.js';
import { ContentBudget, derivedOf } from './content-budget.js';
import { contentsOf, type FileReader } from './contents.js';
import { FileBlocks } from './file-blocks.js';
import type { Change, FileIdentity, FsView, Lookup, PendingChange } from './fs-view.js';
import { LargeFiles } from './large-files.js';
import { readlinkLookup } from './links.js';
import { existsLookup, NAME, LINK_NAME, readdirLookup, realpathLookup, statLookup } from './names.js';
import { NameChanges } from './name-changes.js';
import { parentOf } from './path-of.js';
import { SteppingClock } from './stepping-clock.js';
import { YoungContents } from './young-contents.js';

export interface CachedViewOptions {
  readonly backing: Backing;
  readonly source: FileSystemSource;
  readonly reader: FileReader;
  readonly policy: RevalidationPolicy;
  /** For how long names are believed. */
  readonly nameMs: number;
  /** For how long the content of a file is believed whose attributes nobody has asked for. */
  readonly youngMs: number;
  readonly maxNames: number;
  /** Bytes of contents. */
  readonly maxBytes: number;
  readonly name: string;
  readonly group: MemoryGroup | null;
  readonly clock: Clock | undefined;
  readonly scheduler: Scheduler | undefined;
  readonly rcu: RcuFlavor | undefined;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** Of all contents, what one file may take, and what files may take whose attributes nobody has asked for. */
const SHARE_OF_FILE = 4;
const SHARE_OF_YOUNG = 8;
/** And what blocks of files may take that are read by descriptor. */
const SHARE_OF_BLOCKS = 2;

/** `'certain'`: it has succeeded, and nothing else can have happened to the name by the façade. */
type Outcome = 'failed' | 'done' | 'certain';

/** Of all names, those that lead to nothing and that no listing tells of. */
const SHARE_OF_NEGATIVE = 8;
/** Entries of listings, and whole paths, that are kept for each name. A resolver asks by two paths for each that is there. */
const LISTED_PER_NAME = 4;
const PATHS_PER_NAME = 2;

const NO_INODES: readonly Inode[] = [];
/** What a name is, once it has been made. */
const MADE = {
  'new directory': { kind: 'directory' },
  'new symlink': { kind: 'symlink' },
  file: { kind: 'file' },
} as const;

/**
 * What is known of a file system: names by dentries, attributes and contents by inodes.
 *
 * What the façade changes is forgotten by its path: the names there, the attributes of what is there, and how the
 * directory looks. A file may have other names; so its inode is doubted too, which all of them share.
 */
export class CachedView implements FsView, AsyncDisposable {
  readonly stat: Lookup<BigIntStats>;
  readonly lstat: Lookup<BigIntStats>;
  readonly exists: FsView['exists'];
  readonly readdir: FsView['readdir'];
  readonly readlink: FsView['readlink'];
  readonly realpath: FsView['realpath'];
  readonly bytes: FsView['bytes'];
  readonly text: FsView['text'];
  readonly json: FsView['json'];
  readonly maxKeptBytes: number;
  changeCount = 0;
  hasLinks = false;
  readonly dentries: DentryCache<Inode>;
  readonly inodes: InodeCache;
  readonly superBlock: SuperBlock;
  readonly blocks: FileBlocks | null;
  private readonly isCaseSensitive: boolean;
  private readonly nameChanges = new NameChanges();
  private readonly accessTimes: AccessTimes;
  private readonly young: YoungContents<Dentry<Inode>>;
  private readonly direct: YoungContents<string>;

  constructor(options: CachedViewOptions) {
    const { source, reader, nameMs, group, maxBytes } = options;
    const clock = new SteppingClock(options.clock ?? systemClock);
    const shared = {
      source,
      group,
      ...(options.rcu === undefined ? {} : { rcu: options.rcu }),
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    };
    const inodes = new InodeCache({
      ...shared,
      name: `${options.name}-inode`,
      policy: options.policy,
      maxUnused: options.maxNames,
      maxDerivedBytes: maxBytes,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.scheduler === undefined ? {} : { scheduler: options.scheduler }),
    });
    const dentries = new DentryCache<Inode>({
      ...shared,
      name: `${options.name}-dentry`,
      max: options.maxNames,
      // In proportion, so that all that is known of names is bounded by how many of them may be kept.
      maxNegative: Math.ceil(options.maxNames / SHARE_OF_NEGATIVE),
      maxListedTotal: options.maxNames * LISTED_PER_NAME,
      maxPaths: options.maxNames * PATHS_PER_NAME,
      clock,
      policy: { validUntil: (_, nowMs) => nowMs + nameMs },
      inodes: {
        instantiate: (stats, path) => this.instantiate(stats, path),
        release: (inode) => inodes.release(inode),
      },
    });
    this.inodes = inodes;
    this.dentries = dentries;
    this.isCaseSensitive = source.caseSensitive;
    this.young = new YoungContents(Math.floor(maxBytes / SHARE_OF_YOUNG));
    this.direct = new YoungContents(Math.floor(maxBytes / SHARE_OF_YOUNG));
    this.blocks = FileBlocks.of({
      backing: options.backing,
      maxBytes: Math.floor(maxBytes / SHARE_OF_BLOCKS),
      ageMs: options.youngMs,
      onGrow: () => budget?.makeRoom(0),
      name: `${options.name}-buf`,
      clock,
      group,
      scheduler: options.scheduler,
      rcu: options.rcu,
      onError: options.onError,
    });
    const budget = this.blocks === null ? null : new ContentBudget(maxBytes, derivedOf(inodes), this.blocks);
    this.superBlock = new SuperBlock({
      name: options.name,
      dentries,
      inodes,
      contents: [inodes.derivedValues, this.young, this.direct, ...(this.blocks === null ? [] : [this.blocks])],
      groupAware: group !== null,
    });
    const changes = (): number => this.changeCount;
    this.accessTimes = new AccessTimes(inodes);
    this.stat = statLookup(dentries, inodes, this.accessTimes, true);
    this.lstat = statLookup(dentries, inodes, this.accessTimes, false);
    this.exists = existsLookup(dentries);
    this.readdir = readdirLookup(dentries);
    this.realpath = realpathLookup(dentries);
    this.readlink = readlinkLookup({ dentries, source, clock, trustMs: nameMs, changes });
    this.maxKeptBytes = Math.floor(maxBytes / SHARE_OF_FILE);
    const contents = contentsOf({
      accessTimes: this.accessTimes,
      dentries,
      young: this.young,
      direct: this.direct,
      reader,
      clock,
      maxFileBytes: this.maxKeptBytes,
      youngMs: options.youngMs,
      changes,
      large: this.blocks === null ? null : { reader: new LargeFiles(this.blocks), maxBytes: this.blocks.maxBytes },
      makeRoom: (bytes) => budget?.makeRoom(bytes),
    });
    this.bytes = contents.bytes;
    this.text = contents.text;
    this.json = contents.json;
  }

  changing(change: Change, mayAsk: boolean): PendingChange {
    if (change.anywhere === true) {
      this.invalidate();
      return { finish: () => this.invalidate() };
    }
    this.count(change.file);
    if (change.file !== undefined) {
      return this.changingFile(change.file);
    }
    const { path, follow } = change;
    const options = follow ? NAME : LINK_NAME;
    const dentry = this.dentries.peek(path, options);
    const name = this.dentries.peek(path, LINK_NAME);
    const isFree = name?.missing === 'ENOENT';
    // By then the same dentry may stand for something else, or for nothing.
    const isFile = dentry !== undefined && dentry.missing === null && dentry.kind !== KIND_DIRECTORY;
    const keptName = isFile && follow && change.removes !== true ? dentry : null;
    const inodes = this.inodesOf(change, dentry, mayAsk);
    const place = this.placeOf(path);
    const mayBeYoung = !isFree && (follow || change.deep === true) && this.mayHaveNames(dentry?.inode);
    const { hasLinks } = this;
    const ticket = this.nameChanges.begin(this.nameOf(path));
    this.doubtAll(inodes);
    return {
      prepare: mayAsk ? undefined : () => this.prepare(change, name, dentry),
      finish: (succeeded) => {
        const isCertain = ticket.isAlone() && this.nameOf(path) === ticket.at;
        ticket.end();
        const late = mayAsk ? NO_INODES : this.inodesOf(change, this.dentries.peek(path, options), true);
        this.changed(change, keptName, isFree, succeeded ? (isCertain ? 'certain' : 'done') : 'failed');
        if (mayBeYoung) {
          this.young.clear();
        }
        if (place !== path) {
          this.dentries.invalidate(place);
        }
        // Who has looked meanwhile, by whatever name, has seen it half done.
        this.doubtAll(hasLinks === this.hasLinks ? inodes : null);
        this.doubtAll(late);
        this.doubtAt(path);
      },
    };
  }

  /** Has walked to where the change is made, so that nothing need be asked when it is done. */
  private async prepare(
    { path, follow, result }: Change,
    name: Dentry<Inode> | undefined,
    dentry: Dentry<Inode> | undefined,
  ): Promise<void> {
    const isNew = result === 'new directory' || result === 'new symlink' || name?.missing === 'ENOENT';
    try {
      if (this.hasLinks && !isNew && !dentry?.inode) {
        await this.dentries.walk(path, { follow });
      } else if (follow && name === undefined) {
        await this.dentries.walk(path, NAME);
      } else if (this.nameOf(path) === undefined) {
        await this.dentries.walk(parentOf(path), NAME);
      }
    } catch {
      // Then it is asked for once more, or all is doubted.
    }
  }

  /** The path of a name without symlinks, where names are known by their spelling, and the directory is cached. */
  private nameOf(path: string): string | undefined {
    const parent = parentOf(path);
    const name = path.slice(parent === '/' ? 1 : parent.length + 1);
    // With a slash behind it, a symlink is not what the call is about.
    if (!this.isCaseSensitive || name === '' || name === '.' || name === '..' || name.includes('/')) {
      return undefined;
    }
    const directory = this.dentries.peek(parent, NAME);
    return directory?.kind === KIND_DIRECTORY ? `${this.dentries.pathOf(directory)}/${name}` : undefined;
  }

  /** No name is changed, nor what is known of any directory. Whose contents are young is told by names alone. */
  private changingFile(file: FileIdentity): PendingChange {
    this.doubtFile(file);
    return {
      finish: () => {
        this.count(file);
        this.young.clear();
        this.doubtFile(file);
      },
    };
  }

  invalidate(path?: string): void {
    this.count();
    this.nameChanges.interrupt();
    // What is above may lead elsewhere by now, or nowhere.
    if (path === undefined || path.includes('/../')) {
      this.dentries.invalidate();
      this.inodes.invalidate();
      this.young.clear();
      return;
    }
    this.doubtAt(path);
    this.dentries.invalidate(this.aboveMissing(path));
  }

  invalidateExact(path: string): void {
    this.count();
    this.nameChanges.interrupt();
    this.doubtAt(path);
    this.dentries.invalidate(this.aboveMissing(path), { exact: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.accessTimes.clear();
    this.young.clear();
    this.direct.clear();
    await this.blocks?.close();
    await this.dentries.close();
    await this.inodes.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    for (const books of [this.dentries, this.inodes, this.blocks, this.young, this.direct]) {
      books?.checkInvariants();
    }
  }

  /** @param file the one that has changed, if it is but one */
  private count(file?: FileIdentity): void {
    this.changeCount++;
    this.direct.clear();
    this.blocks?.doubt(file);
  }

  private instantiate(stats: BigIntStats, path: string): Inode {
    const inode = this.inodes.instantiate(stats, path);
    this.hasLinks ||= stats.nlink > 1n && !inode.isDirectory;
    return inode;
  }

  /**
   * @param kept the file that has kept its name, if that is still there
   * @param isFree whether there was nothing by this name, not even a symlink
   */
  private changed(change: Change, kept: Dentry<Inode> | null, isFree: boolean, outcome: Outcome): void {
    this.count();
    const { path, follow, result } = change;
    if (kept !== null && this.dentries.peek(path, NAME) === kept) {
      this.young.delete(kept);
      return;
    }
    const above = this.aboveMissing(path);
    if (above !== path && outcome !== 'failed') {
      // Somebody has made a directory above meanwhile, or the call would have failed.
      this.dentries.invalidate(above);
      return;
    }
    if (outcome === 'certain' && result === 'nothing') {
      this.dentries.unlink(path, { certain: true });
    } else if (outcome === 'certain' && result !== undefined && (result !== 'file' || isFree)) {
      this.dentries.created(path, { ...MADE[result as keyof typeof MADE], certain: true, isNew: true });
    } else if (isFree || !follow) {
      // Where a symlink leads, if it is one, is as it was.
      this.dentries.unlink(path);
    } else {
      this.dentries.invalidate(path);
    }
  }

  /** The path without `..`, which may lead elsewhere once the change is made: it may take away what it goes through. */
  private placeOf(path: string): string {
    if (!path.includes('/../')) {
      return path;
    }
    try {
      const parent = this.dentries.walkSync(parentOf(path), NAME);
      return parent.missing === null ? join(this.dentries.pathOf(parent), basename(path)) : path;
    } catch {
      return path;
    }
  }

  /** The files that the change is about; null for any that is cached. */
  private inodesOf(
    { path, follow, deep }: Change,
    dentry: Dentry<Inode> | undefined,
    mayAsk: boolean,
  ): readonly Inode[] | null {
    if (deep === true && this.hasLinks) {
      return null;
    }
    const inodes: Inode[] = [];
    let inode = dentry?.inode ?? null;
    if (inode === null && mayAsk && this.hasLinks && (dentry === undefined || dentry.missing === null)) {
      // A file whose attributes nobody has asked for by this name may be cached by another.
      try {
        ({ inode } = this.dentries.walkSync(path, { follow }));
      } catch {
        return null;
      }
    }
    if (inode !== null) {
      inodes.push(inode);
    }
    return inodes;
  }

  private doubtAll(inodes: readonly Inode[] | null): void {
    if (inodes === null) {
      this.inodes.invalidate();
      return;
    }
    for (const inode of inodes) {
      this.doubt(inode);
    }
  }

  private doubt(inode: Inode): void {
    if (inode.isStale) {
      // It was evicted, and may have been found again.
      this.doubtFile(inode);
    } else {
      this.inodes.invalidate(inode);
    }
  }

  private doubtFile({ dev, ino }: FileIdentity): void {
    const inode = this.inodes.get(dev, ino);
    if (inode !== undefined) {
      this.inodes.invalidate(inode);
    }
  }

  /** Whether what is kept by a name, without attributes, may be of the file. */
  private mayHaveNames(inode: Inode | null | undefined): boolean {
    return !inode || !this.inodes.isFresh(inode) || inode.stats.nlink > 1n;
  }

  /** Whoever tells of a path in a directory that is not there, tells that the directory may be there. */
  private aboveMissing(path: string): string {
    let top = path;
    for (let above = parentOf(path); above !== '/'; above = parentOf(above)) {
      const missing = this.dentries.peek(above, LINK_NAME)?.missing ?? null;
      if (missing === null) {
        break;
      }
      top = above;
    }
    return top;
  }

  private doubtAt(path: string): void {
    for (const options of [NAME, LINK_NAME]) {
      const inode = this.dentries.peek(path, options)?.inode;
      if (inode) {
        this.doubt(inode);
      }
    }
  }
}
