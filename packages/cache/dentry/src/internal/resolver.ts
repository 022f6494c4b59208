import type { BigIntStats } from 'node:fs';
import type { Clock } from '@core/base';
import { type DirectoryEntry, type FileSystemSource, systemError } from '@core/fs-source';
import { KIND_DIRECTORY, KIND_NONE } from '../dentry.js';
import { DentryError } from '../dentry-error.js';
import type { DentryPolicy, InodePort } from '../options.js';
import { childPath, type DentryNode, IN_LOOKUP, pathOf, SEARCHED, STALE, UNHASHED, UNLISTABLE } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { kindOfEntry, kindOfStats } from './kinds.js';
import { isAmbiguous } from './names.js';
import { Request } from './request.js';
import { CHECK, DONE, LINK, LOOKUP, LOOP, type Need, SEARCH, type Walker } from './walker.js';

/** How often a walk begins anew since what it relied on has changed meanwhile, before it goes alone. */
const OVERTAKEN_MAX = 8;
/** How often it begins anew since the source contradicts what is cached, before that is its error. */
const CONTRADICTED_MAX = 4;
/** Bytes that an entry takes in a directory, about, where a directory's size tells them at all. */
const ENTRY_BYTES = 64;
/** Of a directory's mode: everybody may look names up in it. */
const SEARCH_BY_ALL = 0o111;

export interface ResolverPorts<I extends object> {
  readonly source: FileSystemSource;
  readonly inodes: InodePort<I>;
  readonly policy: DentryPolicy<I> | null;
  readonly clock: Clock;
  readonly maxListed: number;
  readonly listAfter: number;
}

/** What the source said: a value, or its error. */
type Answer<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Walks with the source's help: finds out what a {@link Walker} stops at, and makes dentries of the answers.
 *
 * While the source is asked, and while inodes are made, anything may happen to the tree: eviction always, and in an
 * asynchronous walk every change. So the dentry in question is held meanwhile; and an answer is kept only if nothing
 * has changed what it was about, which whoever changes it says by unhashing the dentry or cancelling the request.
 */
export class Resolver<I extends object> {
  restarts = 0;
  private readonly tree: DentryTree<I>;
  private readonly ports: ResolverPorts<I>;
  private readonly source: FileSystemSource;
  private readonly requests = new Set<Request<I>>();

  constructor(tree: DentryTree<I>, ports: ResolverPorts<I>) {
    this.tree = tree;
    this.ports = ports;
    this.source = ports.source;
  }

  now(): number {
    return this.ports.policy === null ? 0 : this.ports.clock.now();
  }

  /** Answers about anything below the dentry are out of date. */
  cancelBelow(top: DentryNode<I>): void {
    for (const request of this.requests) {
      for (let node: DentryNode<I> | null = request.node; node !== null; node = node.parent) {
        if (node === top) {
          request.cancelled = true;
          break;
        }
      }
    }
  }

  /** Where the symlink leads; null if the path names none; undefined if the source cannot tell now. */
  targetOf(path: string): string | null | undefined {
    try {
      return this.source.readlinkSync(path);
    } catch (error) {
      return isGone(error) || (error as { code?: unknown }).code === 'EINVAL' ? null : undefined;
    }
  }

  /** Goes on with a walk until it is over; see its `result`. */
  walkSync(walker: Walker<I>): void {
    const { tree } = this;
    let contradicted = 0;
    for (;;) {
      const need = walker.step();
      if (need === DONE) {
        return;
      }
      const node = subjectOf(need, walker);
      tree.hold(node);
      try {
        this.answerSync(need, walker, node);
      } catch (error) {
        this.contradict(walker, node, error, ++contradicted);
      } finally {
        tree.release(node);
      }
      if ((walker.directory.flags & UNHASHED) !== 0) {
        restart(walker);
      }
    }
  }

  /** As {@link walkSync}. */
  async walk(walker: Walker<I>): Promise<void> {
    const { tree } = this;
    let contradicted = 0;
    let overtaken = 0;
    for (;;) {
      const need = walker.step();
      if (need === DONE) {
        return;
      }
      const node = subjectOf(need, walker);
      const { directory } = walker;
      tree.hold(node);
      tree.hold(directory);
      try {
        overtaken += (await this.answer(need, walker, node)) ? 0 : 1;
      } catch (error) {
        this.contradict(walker, node, error, ++contradicted);
      } finally {
        tree.release(node);
        tree.release(directory);
      }
      if (overtaken > OVERTAKEN_MAX && walker.root === tree.root) {
        walker.goAlone(tree.makeRoot());
      } else if ((directory.flags & UNHASHED) !== 0) {
        this.restarts++;
        restart(walker);
      }
    }
  }

  /** Ends a walk that went alone: its dentries go, but for what the result needs until the grace period is over. */
  leave(root: DentryNode<I>): void {
    this.tree.drop(root);
    this.tree.release(root);
  }

  listSync(directory: DentryNode<I>): readonly DirectoryEntry[] {
    const { tree } = this;
    const serial = ++tree.serial;
    tree.hold(directory);
    try {
      const entries = this.source.readdirSync(pathOf(directory));
      if ((directory.flags & UNHASHED) === 0) {
        this.listed(directory, entries, serial);
      }
      return entries;
    } finally {
      tree.release(directory);
    }
  }

  /** The directory's entries; those that another call asks for already, if they are not kept, are asked for again. */
  async list(directory: DentryNode<I>): Promise<readonly DirectoryEntry[] | null> {
    const { tree } = this;
    let found = null as readonly DirectoryEntry[] | null;
    if (directory.listRequest !== null) {
      await directory.listRequest.promise;
      return null;
    }
    const request = new Request(directory, ++tree.serial);
    directory.listRequest = request;
    tree.hold(directory);
    request.promise = this.ask(
      request,
      () => this.source.readdir(pathOf(directory)),
      (answer, isCurrent) => {
        directory.listRequest = null;
        found = unwrap(answer);
        if (isCurrent) {
          this.listed(directory, found, request.serial);
        }
      },
    );
    try {
      await request.promise;
    } finally {
      tree.release(directory);
    }
    return found;
  }

  /** Answers what a walk needs to know. */
  private answerSync(need: Need, walker: Walker<I>, node: DentryNode<I>): void {
    const serial = ++this.tree.serial;
    if (need === LOOKUP) {
      if (this.shouldList(walker, node)) {
        walker.triedList = node;
        try {
          this.listSync(node);
        } catch (error) {
          this.unlistable(node, error);
        }
        return;
      }
      const name = walker.name();
      const answer = attempt(() => this.source.lstatSync(childPath(node, name)));
      if ((node.flags & UNHASHED) === 0) {
        this.lookedUp(node, name, answer, serial);
      }
    } else if (need === LINK) {
      this.tookLink(
        node,
        attempt(() => this.source.readlinkSync(pathOf(node))),
      );
    } else if (need === SEARCH) {
      this.searched(
        node,
        attempt(() => this.source.lstatSync(childPath(node, '..'))),
      );
    } else if (need !== CHECK || walker.fresh || !this.judge(node, serial)) {
      const answer = attempt(() => this.source.lstatSync(pathOf(node)));
      if ((node.flags & UNHASHED) === 0) {
        this.checked(node, answer, serial);
      }
    }
  }

  /** As {@link answerSync}. @returns false when the answer came too late to be kept */
  private async answer(need: Need, walker: Walker<I>, node: DentryNode<I>): Promise<boolean> {
    if (need === LOOKUP) {
      if (!this.shouldList(walker, node)) {
        return this.lookUp(node, walker.name());
      }
      walker.triedList = node;
      try {
        await this.list(node);
      } catch (error) {
        this.unlistable(node, error);
      }
      return true;
    }
    if (need === CHECK && !walker.fresh && this.judge(node, ++this.tree.serial)) {
      return true;
    }
    const current = node.request;
    if (current !== null) {
      // Its answer may be another one than is needed here, or too old: the walk looks for itself.
      await current.promise;
      return !current.cancelled;
    }
    const request = new Request(node, ++this.tree.serial);
    node.request = request;
    if (need === LINK) {
      request.promise = this.askOf(
        request,
        () => this.source.readlink(pathOf(node)),
        (answer) => this.tookLink(node, answer),
      );
    } else if (need === SEARCH) {
      request.promise = this.askOf(
        request,
        () => this.source.lstat(childPath(node, '..')),
        (answer) => this.searched(node, answer),
      );
    } else {
      request.promise = this.askOf(
        request,
        () => this.source.lstat(pathOf(node)),
        (answer) => this.checked(node, answer, request.serial),
      );
    }
    await request.promise;
    return !request.cancelled;
  }

  /** Asks about a name, once for all who want to know. @returns false when the answer came too late to be kept */
  private async lookUp(directory: DentryNode<I>, name: string): Promise<boolean> {
    const { tree } = this;
    const other = tree.find(directory, name);
    if (other !== null) {
      const { request } = other;
      if (request === null) {
        // Somebody has made it while this walk was on its way here.
        return true;
      }
      await request.promise;
      return !request.cancelled;
    }
    const node = tree.attach(directory, name);
    node.flags |= IN_LOOKUP;
    const request = new Request(node, ++tree.serial);
    node.request = request;
    request.promise = this.ask(
      request,
      () => this.source.lstat(childPath(directory, name)),
      (answer, isCurrent) => {
        node.request = null;
        try {
          // A synchronous walk may have been here meanwhile.
          if (isCurrent && (node.flags & IN_LOOKUP) !== 0) {
            this.lookedUp(directory, name, answer, request.serial);
          }
        } finally {
          if ((node.flags & (IN_LOOKUP | UNHASHED)) === IN_LOOKUP) {
            tree.unhash(node);
          }
          tree.release(node);
        }
      },
    );
    await request.promise;
    return !request.cancelled;
  }

  /** Asks about a dentry, and goes on with the answer if it is still about what it was asked about. */
  private askOf<T>(request: Request<I>, call: () => Promise<T>, end: (answer: Answer<T>) => void): Promise<void> {
    return this.ask(request, call, (answer, isCurrent) => {
      request.node.request = null;
      if (isCurrent) {
        end(answer);
      }
    });
  }

  /** Asks the source, and says in the end whether the answer is still about what it was asked about. */
  private async ask<T>(
    request: Request<I>,
    call: () => Promise<T>,
    end: (answer: Answer<T>, isCurrent: boolean) => void,
  ): Promise<void> {
    this.requests.add(request);
    let answer: Answer<T>;
    try {
      answer = { value: await call() };
    } catch (error) {
      answer = { error };
    }
    this.requests.delete(request);
    const isUnhashed = (request.node.flags & UNHASHED) !== 0;
    request.cancelled ||= isUnhashed;
    end(answer, !request.cancelled);
  }

  /** What the policy says of a dentry whose time is over. @returns whether that is enough */
  private judge(node: DentryNode<I>, serial: number): boolean {
    const { policy } = this.ports;
    // One that was invalidated by name must be asked for, whatever its age would be.
    const verdict = node.validUntil === -Infinity ? 'check' : (policy?.revalidate?.(node) ?? 'check');
    if (verdict === 'valid') {
      node.serial = serial;
      node.validUntil = this.validUntil(node);
      return true;
    }
    if (verdict === 'gone') {
      this.remove(node);
      return true;
    }
    return false;
  }

  private validUntil(node: DentryNode<I>): number {
    const { policy } = this.ports;
    return policy === null ? Infinity : policy.validUntil(node, this.ports.clock.now());
  }

  private shouldList({ triedList }: Walker<I>, directory: DentryNode<I>): boolean {
    return (
      directory.listing === null &&
      (directory.flags & UNLISTABLE) === 0 &&
      directory !== triedList &&
      ++directory.lookups >= this.ports.listAfter
    );
  }

  private listed(directory: DentryNode<I>, entries: readonly DirectoryEntry[], serial: number): void {
    const { tree } = this;
    if (directory.parent !== null) {
      directory.parent.flags |= SEARCHED;
    }
    if (entries.length > this.ports.maxListed) {
      directory.flags |= UNLISTABLE;
      return;
    }
    tree.addListing(directory, entries, serial, this.validUntil(directory));
    this.reconcile(directory);
  }

  /** Makes a new listing and the dentries that are there agree: whichever is newer is right. */
  private reconcile(directory: DentryNode<I>): void {
    const { tree } = this;
    let next = directory.firstChild;
    while (next !== null) {
      const node: DentryNode<I> = next;
      next = node.nextSibling;
      const { listing } = directory;
      if (listing === null || (node.flags & IN_LOOKUP) !== 0) {
        continue;
      }
      if (node.serial > listing.serial) {
        tree.setListed(directory, node.name, node.kind);
        continue;
      }
      const entry = listing.entries.get(node.key);
      if (!agrees(node, entry)) {
        tree.drop(node);
      }
    }
  }

  private unlistable(directory: DentryNode<I>, error: unknown): void {
    if (isGone(error)) {
      throw error;
    }
    // It may still be possible to look names up.
    directory.flags |= UNLISTABLE;
  }

  /** What the source said of a name of which nothing was known. */
  private lookedUp(directory: DentryNode<I>, name: string, answer: Answer<BigIntStats>, serial: number): void {
    const { tree } = this;
    const stats = statsOf(answer);
    directory.flags |= SEARCHED;
    const inode = stats === null ? null : this.ports.inodes.instantiate(stats, childPath(directory, name));
    const found = tree.find(directory, name);
    if ((directory.flags & UNHASHED) !== 0 || (found !== null && (found.flags & IN_LOOKUP) === 0)) {
      // While the port made the inode, it has walked here itself, or changed something.
      this.discard(inode);
      return;
    }
    const node = found ?? tree.attach(directory, name);
    this.fill(node, stats, inode, serial);
    tree.setListed(directory, node.name, node.kind);
    if (found === null) {
      tree.release(node);
    }
  }

  private fill(node: DentryNode<I>, stats: BigIntStats | null, inode: I | null, serial: number): void {
    const { tree } = this;
    node.inode = inode;
    tree.become(node, stats === null ? KIND_NONE : kindOfStats(stats), serial, Infinity);
    node.validUntil = this.validUntil(node);
    if (stats !== null) {
      this.learn(node, stats);
    }
  }

  /** What attributes tell of a directory, beyond the inode. */
  private learn(node: DentryNode<I>, stats: BigIntStats): void {
    node.flags &= ~STALE;
    if (node.kind === KIND_DIRECTORY) {
      const mayBeSearched = (Number(stats.mode) & SEARCH_BY_ALL) === SEARCH_BY_ALL;
      const isLarge = Number(stats.size) > this.ports.maxListed * ENTRY_BYTES;
      node.flags = (node.flags & ~SEARCHED) | (mayBeSearched ? SEARCHED : 0) | (isLarge ? UNLISTABLE : 0);
    }
  }

  /** What the source said of a dentry that was there. */
  private checked(node: DentryNode<I>, answer: Answer<BigIntStats>, serial: number): void {
    const { tree } = this;
    const stats = statsOf(answer);
    const { parent } = node;
    if (parent !== null) {
      parent.flags |= SEARCHED;
    }
    if (stats === null ? node.kind === KIND_NONE : this.isSame(node, stats)) {
      if (stats !== null) {
        this.learn(node, stats);
      }
      node.serial = serial;
      node.validUntil = this.validUntil(node);
      return;
    }
    if (parent === null) {
      // The root cannot be another dentry, but all below it is another tree.
      tree.dropChildren(node);
      tree.dropListing(node);
      this.adopt(node, stats as BigIntStats);
      this.learn(node, stats as BigIntStats);
      node.serial = serial;
      node.validUntil = this.validUntil(node);
      return;
    }
    this.remove(node);
    if ((parent.flags & UNHASHED) === 0) {
      this.lookedUp(parent, node.name, answer, serial);
    }
  }

  /** Whether the stats are of what the dentry has; then it has them now. */
  private isSame(node: DentryNode<I>, stats: BigIntStats): boolean {
    const { inodes } = this.ports;
    if (node.kind !== kindOfStats(stats)) {
      return false;
    }
    const { inode } = node;
    if (inode === null) {
      this.adopt(node, stats);
      return true;
    }
    if (inodes.update !== undefined) {
      return inodes.update(inode, stats);
    }
    const fresh = inodes.instantiate(stats, pathOf(node));
    this.discard(fresh);
    return fresh === inode;
  }

  private adopt(node: DentryNode<I>, stats: BigIntStats): void {
    this.tree.setInode(node, this.ports.inodes.instantiate(stats, pathOf(node)));
  }

  /** Gives back an inode that no dentry has come to have. */
  private discard(inode: I | null): void {
    if (inode !== null) {
      this.tree.retire(inode);
    }
  }

  private searched(directory: DentryNode<I>, answer: Answer<BigIntStats>): void {
    unwrap(answer);
    directory.flags |= SEARCHED;
  }

  private tookLink(node: DentryNode<I>, answer: Answer<string>): void {
    if ('error' in answer) {
      const { code } = answer.error as { code?: unknown };
      if (code !== 'EINVAL' && code !== 'ENOENT') {
        throw answer.error;
      }
      // It is no symlink any more.
      throw new Stale(answer.error);
    }
    node.target = answer.value;
    if (node.parent !== null) {
      node.parent.flags |= SEARCHED;
    }
  }

  /** A dentry is not what is there. */
  private remove(node: DentryNode<I>): void {
    const { parent } = node;
    if (parent !== null && (node.flags & UNHASHED) === 0) {
      this.tree.forgetListed(parent, node.name);
      this.tree.drop(node);
    }
  }

  /**
   * Where the source's error says that what is cached is wrong, all on the way is looked at again, from the top; any
   * other error is thrown.
   */
  private contradict(walker: Walker<I>, node: DentryNode<I>, error: unknown, times: number): void {
    if (times > CONTRADICTED_MAX || !(error instanceof Stale || isGone(error))) {
      throw error instanceof Stale ? error.cause : error;
    }
    for (let at: DentryNode<I> | null = node; at !== null; at = at.parent) {
      this.tree.distrust(at);
    }
    walker.distrust(++this.tree.serial);
  }
}

/** The source says that a dentry is something else by now. */
class Stale extends Error {
  constructor(cause: unknown) {
    super('stale dentry', { cause });
  }
}

function restart<I extends object>(walker: Walker<I>): void {
  if (walker.isRelative && (walker.base.flags & UNHASHED) !== 0) {
    throw staleBase(walker.given);
  }
  walker.restart();
}

export function staleBase(path: string): DentryError {
  return new DentryError(
    'ERR_DENTRY_STALE',
    `Cannot walk '${path}': its base has left the cache; walk to the base again`,
  );
}

function subjectOf<I extends object>(need: Need, walker: Walker<I>): DentryNode<I> {
  if (need === LOOP) {
    throw systemError('ELOOP', walker.syscall, walker.given);
  }
  return need === LOOKUP ? walker.directory : walker.node;
}

function attempt<T>(call: () => T): Answer<T> {
  try {
    return { value: call() };
  } catch (error) {
    return { error };
  }
}

function unwrap<T>(answer: Answer<T>): T {
  if ('error' in answer) {
    throw answer.error;
  }
  return answer.value;
}

/** The stats, or null when there is no such name. */
function statsOf(answer: Answer<BigIntStats>): BigIntStats | null {
  if ('error' in answer && (answer.error as { code?: unknown } | null)?.code === 'ENOENT') {
    return null;
  }
  return unwrap(answer);
}

/** Whether the error says that the way to what was asked for is not what it was. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOTDIR' || code === 'ENOENT' || code === 'ELOOP';
}

/** Whether a listing and a dentry say the same of a name. */
function agrees(node: DentryNode<object>, entry: DirectoryEntry | undefined): boolean {
  if (entry === undefined || node.kind === KIND_NONE) {
    return (entry === undefined) === (node.kind === KIND_NONE) || isAmbiguous(node.name);
  }
  return entry.kind === 'unknown' || kindOfEntry(entry.kind) === node.kind;
}
