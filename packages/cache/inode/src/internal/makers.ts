import { isThenable } from '@core/base';
import type { DerivedKind } from '../derived-kind.js';
import type { Inode, Make, MakeSync } from '../inode.js';
import { InodeError } from '../inode-error.js';
import type { Revalidation } from '../options.js';
import { type Derived, Making } from './derived.js';
import type { DerivedValues } from './derived-values.js';
import { staleError } from './errors.js';

/** Makers that run at most for one value while the file keeps changing. */
const MAX_TRIES = 3;

/** What makers need of the cache. */
export interface MakerHost {
  /** Whether who asks must not be answered with what was so before. */
  readonly isStrict: boolean;
  /** Whether the attributes are believed now. */
  isFresh(inode: Inode): boolean;
  /** As coarse as for attributes. */
  nowMs(): number;
  /** Whether somebody has told of a change since the last look. */
  isDoubted(inode: Inode): boolean;
  /** Whether the last of all looks was at this one, and nobody has told of a change since. */
  wasSeenLast(inode: Inode): boolean;
  /** Whether a change from now on would be seen in the change stamp. */
  isSettled(inode: Inode): boolean;
  /** Looks at the file, whatever is believed. The look begins now, or is one that began above `after`. */
  look(inode: Inode, path: string, after: number): Promise<Revalidation>;
  lookSync(inode: Inode, path: string): Revalidation;
  /** The number of the last look that has begun. */
  lastLookId(): number;
  /** Takes a hold. @throws {InodeError} `ERR_INODE_STALE`, `ERR_INODE_CLOSED` */
  take(inode: Inode): void;
  release(inode: Inode): void;
}

/**
 * Makes derived values, one maker for each at a time.
 *
 * The stamp before is that of the inode's attributes, which is of an earlier time than the maker. The stamp after is got
 * by a look that begins when the maker has returned. If both are equal, and a change in between could not have left the
 * stamp as it was, the value is of that stamp.
 *
 * Kinds may put off the look after: then the value is on trial, and believed for a time, until any look at the file
 * shows its stamp. See {@link Trial}.
 */
export class Makers {
  hits = 0;
  made = 0;
  /** Values that were made again, since the file had changed under the maker. */
  remade = 0;
  /** Values that were handed out and not kept, since the file had changed too recently to tell. */
  unsettled = 0;
  /** Values that were kept before anybody has looked. */
  deferred = 0;
  /** Callers who joined a maker at work. */
  joined = 0;
  private readonly host: MakerHost;
  private readonly values: DerivedValues;

  constructor(host: MakerHost, values: DerivedValues) {
    this.host = host;
    this.values = values;
  }

  async derive<T>(inode: Inode, kind: DerivedKind<T>, make: Make<T>, path: string): Promise<T> {
    const { host } = this;
    checkNotNested(inode, kind);
    host.take(inode);
    try {
      for (;;) {
        const after = this.needsLook(inode, kind, path);
        if (after !== null) {
          checkThere(inode, await host.look(inode, path, after));
        }
        const kept = this.kept(inode, kind);
        if (kept !== null) {
          return kept.value;
        }
        const making = this.underWay(inode, kind);
        if (making === null) {
          return await this.start(inode, kind, make, path);
        }
        this.joined++;
        if (this.isGoodFor(inode, making)) {
          return await (making.promise as Promise<T>);
        }
        await settled(making.promise as Promise<T>);
      }
    } finally {
      host.release(inode);
    }
  }

  deriveSync<T>(inode: Inode, kind: DerivedKind<T>, make: MakeSync<T>, path: string): T {
    const { host } = this;
    checkNotNested(inode, kind);
    host.take(inode);
    try {
      if (this.needsLook(inode, kind, path) !== null) {
        checkThere(inode, host.lookSync(inode, path));
      }
      const kept = this.kept(inode, kind);
      if (kept !== null) {
        return kept.value;
      }
      return this.makeSync(inode, kind, make, path);
    } finally {
      host.release(inode);
    }
  }

  /**
   * Whether to look before anything else: the number above which the look must be; null for no look. There is none if
   * there is nothing yet that it could show to be good, and nobody has looked anywhere since: the look after the maker
   * tells as much. Nor before a maker whose value is on trial afterwards, unless the attributes are known to be wrong.
   */
  private needsLook<T>(inode: Inode, kind: DerivedKind<T>, path: string): number | null {
    const { host, values } = this;
    const kept = values.find(inode, kind);
    const trial = kept?.trial ?? null;
    if (trial !== null && kept?.isBelieved(host.nowMs()) === true) {
      return null;
    }
    if (trial !== null && kept?.isConfirmable === true) {
      return trial.lookId;
    }
    if (host.isFresh(inode)) {
      return null;
    }
    const isNothing = (kept === null || trial !== null) && this.underWay(inode, kind) === null;
    const isKnown =
      isNothing && (this.isDeferred(inode, kind, path) ? !host.isDoubted(inode) : host.wasSeenLast(inode));
    return isKnown ? null : inode.lookId;
  }

  /** The value that there is after the look; one that has failed its trial goes. */
  private kept<T>(inode: Inode, kind: DerivedKind<T>): Derived<T> | null {
    const kept = this.values.find(inode, kind);
    if (kept === null) {
      return null;
    }
    if (kept.trial !== null && !kept.isBelieved(this.host.nowMs())) {
      this.values.drop(kept);
      return null;
    }
    this.hits++;
    kept.isReferenced = true;
    return kept;
  }

  /**
   * Whether the look after the maker is put off. Not for a file of several names, or seen elsewhere: if its place is taken
   * by another file meanwhile, that one's value must not be found by the other name.
   */
  private isDeferred<T>(inode: Inode, { trustMs }: DerivedKind<T>, path: string): boolean {
    return trustMs > 0 && !this.host.isStrict && inode.path === path && inode.stats.nlink === 1n;
  }

  /** The asynchronous maker at work. */
  private underWay<T>(inode: Inode, kind: DerivedKind<T>): Making<T> | null {
    for (let making = inode.makings; making !== null; making = making.next) {
      if (making.promise !== null && (making.kind as unknown) === kind) {
        return making as unknown as Making<T>;
      }
    }
    return null;
  }

  /** Whether what the maker at work makes is good for who asks now. */
  private isGoodFor<T>(inode: Inode, making: Making<T>): boolean {
    return !making.isLate && making.version === inode.version && (making.isSettled || !this.host.isStrict);
  }

  private async start<T>(inode: Inode, kind: DerivedKind<T>, make: Make<T>, path: string): Promise<T> {
    const making = new Making<T>(kind, path, inode.version);
    link(inode, making);
    making.promise = this.run(inode, making, make);
    try {
      return await making.promise;
    } finally {
      unlink(inode, making);
    }
  }

  private async run<T>(inode: Inode, making: Making<T>, make: Make<T>): Promise<T> {
    const { host } = this;
    for (let triesLeft = MAX_TRIES; ; triesLeft--) {
      const attempt = this.begin<T>(inode, making);
      try {
        attempt.value = await this.call(inode, making, make);
      } catch (error) {
        attempt.fault = { error };
      }
      making.isLate = true;
      if (!making.isDeferred || attempt.fault !== null) {
        try {
          attempt.outcome = await host.look(inode, making.path, host.lastLookId());
        } catch (error) {
          this.failedLook(inode, making, attempt, error);
        }
      }
      if (this.isLast(inode, making, triesLeft, attempt)) {
        return this.finish(inode, making, attempt);
      }
    }
  }

  private makeSync<T>(inode: Inode, kind: DerivedKind<T>, make: MakeSync<T>, path: string): T {
    const making = new Making<T>(kind, path, inode.version);
    link(inode, making);
    try {
      for (let triesLeft = MAX_TRIES; ; triesLeft--) {
        const attempt = this.begin<T>(inode, making);
        try {
          attempt.value = checkSync(kind, this.call(inode, making, make));
        } catch (error) {
          attempt.fault = { error };
        }
        if (!making.isDeferred || attempt.fault !== null) {
          try {
            attempt.outcome = this.host.lookSync(inode, making.path);
          } catch (error) {
            this.failedLook(inode, making, attempt, error);
          }
        }
        if (this.isLast(inode, making, triesLeft, attempt)) {
          return this.finish(inode, making, attempt);
        }
      }
    } finally {
      unlink(inode, making);
    }
  }

  private begin<T>(inode: Inode, making: Making<T>): Attempt<T> {
    making.version = inode.version;
    making.isLate = false;
    // Asked before the maker reads: what is old enough only afterwards may have changed meanwhile.
    making.isSettled = this.host.isSettled(inode);
    making.begunMs = this.host.nowMs();
    making.isDeferred = this.isDeferred(inode, making.kind, making.path);
    return { value: undefined, fault: null, outcome: 'unchanged' };
  }

  private call<T>(inode: Inode, making: Making<T>, make: Make<T>): T | PromiseLike<T> {
    this.made++;
    making.isRunning = true;
    try {
      return make({ path: making.path, stats: inode.stats });
    } finally {
      making.isRunning = false;
    }
  }

  /** Nothing is known of the file now. What the maker threw says more than what the look did. */
  private failedLook<T>(inode: Inode, making: Making<T>, attempt: Attempt<T>, error: unknown): void {
    if (attempt.fault === null) {
      this.values.discard(inode, making.kind, attempt.value as T);
    }
    throw attempt.fault === null ? error : attempt.fault.error;
  }

  private isLast<T>(inode: Inode, making: Making<T>, triesLeft: number, attempt: Attempt<T>): boolean {
    if (triesLeft === 1 || !isThere(attempt.outcome) || this.isGood(inode, making, attempt)) {
      return true;
    }
    if (attempt.fault === null) {
      this.values.discard(inode, making.kind, attempt.value as T);
    }
    this.remade++;
    return false;
  }

  /** Whether the file was the same all the time, as far as its stamp tells. */
  private isGood<T>(inode: Inode, making: Making<T>, attempt: Attempt<T>): boolean {
    return attempt.outcome === 'unchanged' && making.version === inode.version && !inode.isStale;
  }

  private finish<T>(inode: Inode, making: Making<T>, attempt: Attempt<T>): T {
    const { kind, path, version, isSettled, isDeferred } = making;
    const { fault } = attempt;
    if (fault !== null) {
      throw fault.error;
    }
    const value = attempt.value as T;
    const good = this.isGood(inode, making, attempt);
    this.unsettled += good && !isSettled && !isDeferred ? 1 : 0;
    const kept = good && (isSettled || isDeferred) ? this.values.keep(inode, kind, value, version) : null;
    if (kept?.value !== value) {
      this.values.discard(inode, kind, value);
    } else if (isDeferred) {
      this.deferred++;
      kept.trial = {
        path,
        validUntilMs: making.begunMs + kind.trustMs,
        version,
        isSettled,
        lookId: this.host.lastLookId(),
      };
    }
    return kept === null ? value : kept.value;
  }
}

/** One call of a maker, and what is known of it. */
interface Attempt<T> {
  value: T | undefined;
  fault: { readonly error: unknown } | null;
  /** What the look after it has shown; `unchanged`, too, if there was none. */
  outcome: Revalidation;
}

function checkNotNested(inode: Inode, kind: DerivedKind<never>): void {
  for (let making = inode.makings; making !== null; making = making.next) {
    if (making.isRunning && (making.kind as unknown) === kind) {
      throw new InodeError(
        'ERR_INODE_NESTED',
        `Cannot derive "${kind.name}" of ${inode.path}: its maker is asking for it; let the maker make it`,
      );
    }
  }
}

function checkThere(inode: Inode, revalidation: Revalidation): void {
  if (!isThere(revalidation)) {
    throw staleError('use', inode);
  }
}

function isThere(revalidation: Revalidation): boolean {
  return revalidation !== 'gone' && revalidation !== 'replaced';
}

function checkSync<T>(kind: DerivedKind<T>, value: T | PromiseLike<T>): T {
  if (isThenable(value)) {
    throw new TypeError(`Cannot derive "${kind.name}": its maker answers with a promise; use derive`);
  }
  return value;
}

function link<T>(inode: Inode, making: Making<T>): void {
  making.next = inode.makings;
  inode.makings = making as unknown as Making;
}

function unlink<T>(inode: Inode, making: Making<T>): void {
  const target = making as unknown as Making;
  if (inode.makings === target) {
    inode.makings = target.next;
    return;
  }
  let before = inode.makings as Making;
  while (before.next !== target) {
    before = before.next as Making;
  }
  before.next = target.next;
}

async function settled(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch {
    // Those who wait for it hear of the error.
  }
}
