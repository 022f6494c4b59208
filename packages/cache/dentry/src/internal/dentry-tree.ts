import type { DirectoryEntry } from '@core/fs-source';
import { ListLru, type LruStatus, REMOVED, ROTATE } from '@core/list-lru';
import type { RcuHead, RcuPending } from '@core/rcu-pending';
import type { MemoryGroup, ShrinkControl } from '@core/shrinker';
import { type DentryKind, KIND_DIRECTORY, KIND_NONE, KIND_SYMLINK } from '../dentry.js';
import { DentryHash, hashName } from './dentry-hash.js';
import { DEAD, DentryNode, IN_LOOKUP, SEARCHED, UNHASHED } from './dentry-node.js';
import { Listing } from './listing.js';
import { isAmbiguous } from './names.js';

/** To list a directory costs about as much as to look up one name for so many that it has. */
const LOOKUPS_PER_LISTED = 16;

/** An inode that no walk finds any more: a dead dentry, or what a dentry had before. */
export interface Retired<I extends object> extends RcuHead {
  inode: I | null;
}

export interface TreePorts<I extends object> {
  readonly caseSensitive: boolean;
  /** Whether every directory that can be listed can be searched. */
  readonly trustListings: boolean;
  readonly group: MemoryGroup | null;
  readonly pending: RcuPending<Retired<I>>;
}

/** Whose dentries are meant. */
export type Place = Pick<ShrinkControl, 'zone' | 'group'>;

/**
 * The dentries: who is whose child, who is in use, who is old, and how they leave.
 *
 * A dentry with references stays; children, waiting walks and users have one each. One without is on a list of its age.
 * `unhash` takes it out of sight, `kill` frees it once nobody has it, with the ancestors that it alone kept, in a loop
 * and not by recursion.
 */
export class DentryTree<I extends object> {
  readonly root: DentryNode<I>;
  /** Answers for which there is no dentry: a listing lacks the name; a name is needed below something else. */
  readonly notFound: DentryNode<I>;
  readonly notDirectory: DentryNode<I>;
  readonly caseSensitive: boolean;
  /** The flags of a directory of which nothing is known. */
  readonly directoryFlags: number;
  readonly positives: ListLru<DentryNode<I>> = new ListLru<DentryNode<I>>();
  readonly negatives: ListLru<DentryNode<I>> = new ListLru<DentryNode<I>>();
  readonly listings: ListLru<Listing<I>> = new ListLru<Listing<I>>();
  /** Dentries that are not dead, without the root. */
  count = 0;
  negativeCount = 0;
  listedNames = 0;
  evictions = 0;
  /** Symlinks and directories that have left or moved. */
  bends = 0;
  /** How often a directory has moved, or could be another one: a walk that is under way in it has to begin anew. */
  epoch = 0;
  /** Counts events; what has a larger number came later. */
  serial = 0;
  private readonly hash = new DentryHash<I>();
  private readonly group: MemoryGroup | null;
  private readonly pending: RcuPending<Retired<I>>;
  private readonly disposing: DentryNode<I>[] = [];
  private lastId = 0;

  constructor(ports: TreePorts<I>) {
    this.caseSensitive = ports.caseSensitive;
    this.directoryFlags = ports.trustListings ? SEARCHED : 0;
    this.group = ports.group;
    this.pending = ports.pending;
    this.root = this.makeRoot();
    this.notFound = this.makeRoot();
    this.notFound.kind = KIND_NONE;
    this.notFound.missing = 'ENOENT';
    this.notDirectory = this.makeRoot();
    this.notDirectory.kind = KIND_NONE;
    this.notDirectory.missing = 'ENOTDIR';
  }

  /** Dentries that a walk can find, without the root. */
  get hashed(): number {
    return this.hash.count;
  }

  makeRoot(): DentryNode<I> {
    this.lastId = (this.lastId + 1) | 0;
    const root = new DentryNode<I>(null, '', '', 0, this.lastId);
    root.kind = KIND_DIRECTORY;
    root.flags = this.directoryFlags;
    root.refs = 1;
    return root;
  }

  /** The name as the source compares it. */
  keyOf(name: string): string {
    return this.caseSensitive ? name : name.normalize('NFC').toLowerCase();
  }

  /** The dentry of a part of `text`, whose hash is known. Only where case counts. */
  findPart(parent: DentryNode<I>, hash: number, text: string, start: number, end: number): DentryNode<I> | null {
    return this.hash.find(parent, hash, text, start, end);
  }

  find(parent: DentryNode<I>, name: string): DentryNode<I> | null {
    const key = this.keyOf(name);
    return this.hash.find(parent, hashName(key), key, 0, key.length);
  }

  /** Makes a dentry that walks find, with one reference for the caller. */
  attach(parent: DentryNode<I>, name: string): DentryNode<I> {
    const key = this.keyOf(name);
    this.lastId = (this.lastId + 1) | 0;
    const node = new DentryNode<I>(parent, name, key, hashName(key), this.lastId);
    node.refs = 1;
    this.count++;
    this.link(parent, node);
    return node;
  }

  /** One more has it. */
  hold(node: DentryNode<I>): void {
    node.refs++;
  }

  /** One less has it. The last one leaves it to age, or kills it if nobody can find it. */
  release(node: DentryNode<I>): void {
    if (--node.refs > 0) {
      return;
    }
    if ((node.flags & UNHASHED) !== 0) {
      this.kill(node, false);
    } else {
      this.age(node);
    }
  }

  /** What a name is has become known. */
  become(node: DentryNode<I>, kind: DentryKind, serial: number, validUntil: number): void {
    if (kind === KIND_NONE) {
      this.negativeCount++;
      node.missing = 'ENOENT';
    }
    node.kind = kind;
    node.serial = serial;
    node.validUntil = validUntil;
    node.flags &= ~IN_LOOKUP;
    if (kind === KIND_DIRECTORY) {
      node.flags |= this.directoryFlags;
    }
    node.seq += 2;
  }

  /** Gives a dentry another inode; the old one is released when nobody can be using it. */
  setInode(node: DentryNode<I>, inode: I | null): void {
    const old = node.inode;
    node.inode = inode;
    node.seq += 2;
    if (old !== null) {
      this.retire(old);
    }
  }

  /** Releases an inode when nobody can be using it. */
  retire(inode: I): void {
    this.pending.enqueue({ inode, rcuNext: null });
  }

  /** Takes a dentry out of sight. What is asked about it does not count any more. */
  unhash(node: DentryNode<I>): void {
    node.flags |= UNHASHED;
    node.seq += 2;
    this.cancel(node);
    (node.kind === KIND_NONE ? this.negatives : this.positives).del(node);
    if (node.kind === KIND_DIRECTORY || node.kind === KIND_SYMLINK) {
      this.bends++;
    }
    if (node.parent !== null) {
      this.unlink(node);
    }
  }

  /** Puts a dentry in another place, with all that is below it. */
  move(node: DentryNode<I>, parent: DentryNode<I>, name: string): void {
    const old = node.parent as DentryNode<I>;
    this.unlink(node);
    node.parent = parent;
    node.name = name;
    node.key = this.keyOf(name);
    node.hash = hashName(node.key);
    this.link(parent, node);
    node.seq += 2;
    if (node.kind === KIND_DIRECTORY || node.kind === KIND_SYMLINK) {
      this.bends++;
    }
    this.release(old);
  }

  /** Takes a dentry and all below it out of sight, and frees what nobody has. */
  drop(top: DentryNode<I>): void {
    let node = top;
    for (;;) {
      while (node.firstChild !== null) {
        node = node.firstChild;
      }
      const parent = node.parent;
      this.unhash(node);
      if (node.refs === 0) {
        this.kill(node, false);
      } else {
        this.dropListing(node);
      }
      if (node === top) {
        return;
      }
      node = parent as DentryNode<I>;
    }
  }

  /** Takes all that is below a dentry out of sight. */
  dropChildren(node: DentryNode<I>): void {
    while (node.firstChild !== null) {
      this.drop(node.firstChild);
    }
  }

  addListing(directory: DentryNode<I>, entries: readonly DirectoryEntry[], serial: number, validUntil: number): void {
    this.dropListing(directory);
    const keyOf = this.caseSensitive ? identity : (name: string) => this.keyOf(name);
    const listing = new Listing<I>(directory, entries, keyOf, serial, validUntil);
    directory.listing = listing;
    this.listedNames += listing.entries.size;
    this.listings.add(listing, this.group);
  }

  dropListing(directory: DentryNode<I>): void {
    const { listing } = directory;
    directory.lookups = 0;
    if (listing !== null) {
      directory.listing = null;
      directory.seq += 2;
      this.listedNames -= listing.entries.size;
      this.listings.del(listing);
    }
  }

  /** What the directory has by this name is not known any more. */
  forgetListed(directory: DentryNode<I>, name: string): void {
    const { listing } = directory;
    if (listing !== null) {
      const size = listing.entries.size;
      const keep = listing.forget(this.keyOf(name));
      this.listedNames += listing.entries.size - size;
      directory.seq += 2;
      if (!keep) {
        this.dropListing(directory);
      }
    }
  }

  /** What the directory has by this name is known now. */
  setListed(directory: DentryNode<I>, name: string, kind: DentryKind): void {
    const { listing } = directory;
    if (listing !== null && !isAmbiguous(name)) {
      const size = listing.entries.size;
      const key = this.keyOf(name);
      if (kind === KIND_NONE ? listing.lacks(key) : listing.has(key, name, kind)) {
        directory.seq += 2;
        this.listedNames += listing.entries.size - size;
      }
    }
  }

  /** The next walk that meets the dentry has to ask the source whether it is still the same. */
  distrust(node: DentryNode<I>): void {
    node.validUntil = -Infinity;
    node.seq += 2;
    this.cancel(node);
  }

  /** What the source is being asked about the dentry is out of date. */
  cancel(node: DentryNode<I>): void {
    if (node.request !== null) {
      node.request.cancelled = true;
    }
    if (node.listRequest !== null) {
      node.listRequest.cancelled = true;
    }
  }

  /** Dentries and listings that are on the lists of their age: some of them may turn out to be in use. */
  freeable(place?: Place): number {
    return this.positives.count(place) + this.negatives.count(place) + this.listings.count(place);
  }

  /**
   * Frees old dentries and listings, of each sort in proportion.
   *
   * @param nr how many to look at
   * @returns how many were freed
   */
  prune(nr: number, place?: Place): number {
    const before = this.evictions;
    let left = nr;
    let others = this.freeable(place);
    const share = (lru: { count(of?: Place): number }): number => {
      const count = lru.count(place);
      const part = others === 0 ? 0 : Math.round((left * count) / others);
      others -= count;
      left -= part;
      return part;
    };
    this.pruneDentries(this.negatives, share(this.negatives), place);
    this.pruneListings(share(this.listings), place);
    this.pruneDentries(this.positives, left, place);
    return this.evictions - before;
  }

  pruneNegatives(nr: number): void {
    this.pruneDentries(this.negatives, nr);
  }

  pruneListings(nr: number, place?: Place): void {
    this.listings.walk(place === undefined ? nr : { ...place, nrToScan: nr, nrScanned: 0 }, this.isolateListing);
  }

  private pruneDentries(lru: ListLru<DentryNode<I>>, nr: number, place?: Place): void {
    lru.walk(place === undefined ? nr : { ...place, nrToScan: nr, nrScanned: 0 }, this.isolate);
    for (const node of this.disposing) {
      this.unhash(node);
      this.kill(node, true);
    }
    this.disposing.length = 0;
  }

  private readonly isolate = (node: DentryNode<I>): LruStatus => {
    if (node.refs > 0) {
      // It comes back when the last one lets go.
      return REMOVED;
    }
    if (node.referenced) {
      node.referenced = false;
      return ROTATE;
    }
    this.disposing.push(node);
    return REMOVED;
  };

  private readonly isolateListing = (listing: Listing<I>): LruStatus => {
    if (listing.referenced) {
      listing.referenced = false;
      return ROTATE;
    }
    this.evictions++;
    const { directory } = listing;
    // Which takes it off the list.
    this.dropListing(directory);
    // It was not worth its memory: so many names are looked up one by one before it is tried again.
    directory.lookups = -1 - Math.floor(listing.entries.size / LOOKUPS_PER_LISTED);
    return REMOVED;
  };

  /** Frees a dentry that nobody has or finds, and then each ancestor of which that is true too. */
  private kill(first: DentryNode<I>, pruning: boolean): void {
    let node = first;
    for (;;) {
      this.bury(node);
      this.evictions += pruning ? 1 : 0;
      const { parent } = node;
      if (parent === null || --parent.refs > 0) {
        return;
      }
      if ((parent.flags & UNHASHED) === 0) {
        if (!pruning || parent.referenced) {
          parent.referenced &&= !pruning;
          this.age(parent);
          return;
        }
        // Left to age it would only be looked at again, once for each level, before it could go.
        this.unhash(parent);
      }
      node = parent;
    }
  }

  private bury(node: DentryNode<I>): void {
    node.flags |= DEAD;
    this.dropListing(node);
    if (node.parent !== null) {
      this.count--;
      this.negativeCount -= node.kind === KIND_NONE && (node.flags & IN_LOOKUP) === 0 ? 1 : 0;
    }
    if (node.inode !== null) {
      this.pending.enqueue(node);
    }
  }

  private age(node: DentryNode<I>): void {
    (node.kind === KIND_NONE ? this.negatives : this.positives).add(node, this.group);
  }

  private link(parent: DentryNode<I>, node: DentryNode<I>): void {
    parent.refs++;
    this.hash.add(node);
    const first = parent.firstChild;
    node.nextSibling = first;
    if (first !== null) {
      first.previousSibling = node;
    }
    parent.firstChild = node;
  }

  /** The reference to the parent stays: with the node until it is dead. */
  private unlink(node: DentryNode<I>): void {
    this.hash.remove(node);
    const { previousSibling, nextSibling } = node;
    if (previousSibling === null) {
      (node.parent as DentryNode<I>).firstChild = nextSibling;
    } else {
      previousSibling.nextSibling = nextSibling;
    }
    if (nextSibling !== null) {
      nextSibling.previousSibling = previousSibling;
    }
    node.previousSibling = null;
    node.nextSibling = null;
  }
}

function identity(name: string): string {
  return name;
}
