import { type DirectoryEntry, type FileSystemSource, systemError } from '@core/fs-source';
import { DentryError } from '../dentry-error.js';
import { type Answer, attempt, isGone, Stale, unwrap } from './answer.js';
import { type AnswerPorts, Answers } from './answers.js';
import { childPath, type DentryNode, IN_LOOKUP, pathOf, UNHASHED, UNLISTABLE } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { Request } from './request.js';
import { CHECK, DONE, LINK, LOOKUP, LOOP, type Need, SEARCH, type Walker } from './walker.js';

/** How often a walk begins anew since what it relied on has changed meanwhile, before it goes alone. */
const OVERTAKEN_MAX = 8;
/** How often it begins anew since the source contradicts what is cached, before that is its error. */
const CONTRADICTED_MAX = 4;
export interface ResolverPorts<I extends object> extends AnswerPorts<I> {
  readonly source: FileSystemSource;
  readonly listAfter: number;
}

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
  private readonly answers: Answers<I>;
  private readonly requests = new Set<Request<I>>();

  constructor(tree: DentryTree<I>, ports: ResolverPorts<I>) {
    this.tree = tree;
    this.ports = ports;
    this.source = ports.source;
    this.answers = new Answers<I>(tree, ports);
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
      // What happens to the tree of all does not touch one that is alone.
      const isAlone = walker.root !== tree.root;
      if ((directory.flags & UNHASHED) !== 0 || (!isAlone && tree.epoch !== walker.epoch)) {
        overtaken++;
        this.restarts++;
        restart(walker);
      }
      if (overtaken > OVERTAKEN_MAX && !isAlone) {
        walker.goAlone(tree.makeRoot());
      }
    }
  }

  /** Ends a walk that went alone: its dentries go, but for what the result needs until the grace period is over. */
  leave(root: DentryNode<I>): void {
    this.tree.drop(root);
    this.tree.release(root);
  }

  /** The caller has made a directory. */
  made(parent: DentryNode<I>, name: string): void {
    this.answers.made(parent, name, ++this.tree.serial);
  }

  listSync(directory: DentryNode<I>): readonly DirectoryEntry[] {
    const { tree } = this;
    const serial = ++tree.serial;
    tree.hold(directory);
    try {
      const entries = this.source.readdirSync(pathOf(directory));
      if ((directory.flags & UNHASHED) === 0) {
        this.answers.listed(directory, entries, serial);
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
          this.answers.listed(directory, found, request.serial);
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

  /** What the symlink says. @throws what the source throws */
  linkSync(node: DentryNode<I>): string {
    this.tree.hold(node);
    try {
      const target = this.source.readlinkSync(pathOf(node));
      this.answers.tookLink(node, { value: target });
      return target;
    } finally {
      this.tree.release(node);
    }
  }

  /** As {@link linkSync}; null when it was asked about already, and has to be asked about again. */
  async link(node: DentryNode<I>): Promise<string | null> {
    if (node.request !== null) {
      await node.request.promise;
      return null;
    }
    let found = null as string | null;
    const request = new Request(node, ++this.tree.serial);
    node.request = request;
    this.tree.hold(node);
    request.promise = this.ask(
      request,
      () => this.source.readlink(pathOf(node)),
      (answer, isCurrent) => {
        node.request = null;
        found = unwrap(answer);
        if (isCurrent) {
          this.answers.tookLink(node, answer);
        }
      },
    );
    try {
      await request.promise;
    } finally {
      this.tree.release(node);
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
          unlistable(node, error);
        }
        return;
      }
      const name = walker.name();
      const answer = attempt(() => this.source.lstatSync(childPath(node, name)));
      if ((node.flags & UNHASHED) === 0) {
        this.answers.lookedUp(node, name, answer, serial);
      }
    } else if (need === LINK) {
      this.answers.tookLink(
        node,
        attempt(() => this.source.readlinkSync(pathOf(node))),
      );
    } else if (need === SEARCH) {
      this.answers.searched(
        node,
        attempt(() => this.source.lstatSync(childPath(node, '..'))),
      );
    } else if (need !== CHECK || walker.fresh || !this.answers.judge(node, serial)) {
      const answer = attempt(() => this.source.lstatSync(pathOf(node)));
      if ((node.flags & UNHASHED) === 0) {
        this.answers.checked(node, answer, serial);
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
        unlistable(node, error);
      }
      return true;
    }
    if (need === CHECK && !walker.fresh && this.answers.judge(node, ++this.tree.serial)) {
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
        (answer) => this.answers.tookLink(node, answer),
      );
    } else if (need === SEARCH) {
      request.promise = this.askOf(
        request,
        () => this.source.lstat(childPath(node, '..')),
        (answer) => this.answers.searched(node, answer),
      );
    } else {
      request.promise = this.askOf(
        request,
        () => this.source.lstat(pathOf(node)),
        (answer) => this.answers.checked(node, answer, request.serial),
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
            this.answers.lookedUp(directory, name, answer, request.serial);
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

  private shouldList({ triedList }: Walker<I>, directory: DentryNode<I>): boolean {
    return (
      directory.listing === null &&
      this.ports.maxListed > 0 &&
      (directory.flags & UNLISTABLE) === 0 &&
      directory !== triedList &&
      ++directory.lookups >= this.ports.listAfter
    );
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

/** A directory that cannot be listed may still let names be looked up. @throws the error of one that is gone */
function unlistable(directory: DentryNode<object>, error: unknown): void {
  if (isGone(error)) {
    throw error;
  }
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'EACCES' || code === 'EPERM') {
    directory.flags |= UNLISTABLE;
  }
}
