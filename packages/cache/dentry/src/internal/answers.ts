import type { BigIntStats } from 'node:fs';
import type { Clock } from '@core/base';
import type { DirectoryEntry } from '@core/fs-source';
import { KIND_DIRECTORY, KIND_NONE } from '../dentry.js';
import type { DentryPolicy, InodePort } from '../options.js';
import { type Answer, Stale, statsOf, unwrap } from './answer.js';
import { childPath, type DentryNode, IN_LOOKUP, pathOf, SEARCHED, STALE, UNHASHED, UNLISTABLE } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { kindOfEntry, kindOfStats } from './kinds.js';
import { isAmbiguous } from './names.js';

/** Bytes that an entry takes in a directory, about, where a directory's size tells them at all. */
const ENTRY_BYTES = 64;
/** Of a directory's mode: everybody may look names up in it. */
const SEARCH_BY_ALL = 0o111;

export interface AnswerPorts<I extends object> {
  readonly inodes: InodePort<I>;
  readonly policy: DentryPolicy<I> | null;
  readonly clock: Clock;
  readonly maxListed: number;
}

/** Makes of what the source has said what the tree then says. Each takes the count of events when it was asked. */
export class Answers<I extends object> {
  private readonly tree: DentryTree<I>;
  private readonly ports: AnswerPorts<I>;

  constructor(tree: DentryTree<I>, ports: AnswerPorts<I>) {
    this.tree = tree;
    this.ports = ports;
  }

  /** What the policy says of a dentry whose time is over. @returns whether that is enough */
  judge(node: DentryNode<I>, serial: number): boolean {
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

  /** All entries of a directory. */
  listed(directory: DentryNode<I>, entries: readonly DirectoryEntry[], serial: number): void {
    const { tree } = this;
    if (directory.parent !== null) {
      directory.parent.flags |= SEARCHED;
    }
    if (entries.length > this.ports.maxListed || this.ports.maxListed === 0) {
      directory.flags |= UNLISTABLE;
      return;
    }
    tree.addListing(directory, entries, serial, this.validUntil(directory));
    this.reconcile(directory);
  }

  /** A directory that nothing can be in yet, and that whoever made it may look names up in. */
  made(parent: DentryNode<I>, name: string, serial: number): void {
    const { tree } = this;
    parent.flags |= SEARCHED;
    const node = tree.attach(parent, name);
    tree.become(node, KIND_DIRECTORY, serial, Infinity);
    node.validUntil = this.validUntil(node);
    node.flags |= SEARCHED;
    this.listed(node, [], serial);
    tree.release(node);
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

  /** What the source said of a name of which nothing was known. */
  lookedUp(directory: DentryNode<I>, name: string, answer: Answer<BigIntStats>, serial: number): void {
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
      const proof = (Number(stats.mode) & SEARCH_BY_ALL) === SEARCH_BY_ALL ? SEARCHED : this.tree.directoryFlags;
      const isLarge = Number(stats.size) > this.ports.maxListed * ENTRY_BYTES;
      node.flags = (node.flags & ~SEARCHED) | proof | (isLarge ? UNLISTABLE : 0);
    }
  }

  /** What the source said of a dentry that was there. */
  checked(node: DentryNode<I>, answer: Answer<BigIntStats>, serial: number): void {
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
      // A symlink that was made in its place may look the same, down to its number and its times.
      node.target = null;
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
      return inodes.update(inode, stats, pathOf(node));
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

  searched(directory: DentryNode<I>, answer: Answer<BigIntStats>): void {
    unwrap(answer);
    directory.flags |= SEARCHED;
  }

  tookLink(node: DentryNode<I>, answer: Answer<string>): void {
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
}

/** Whether a listing and a dentry say the same of a name. */
function agrees(node: DentryNode<object>, entry: DirectoryEntry | undefined): boolean {
  if (entry === undefined || node.kind === KIND_NONE) {
    return (entry === undefined) === (node.kind === KIND_NONE) || isAmbiguous(node.name);
  }
  return entry.kind === 'unknown' || kindOfEntry(entry.kind) === node.kind;
}
