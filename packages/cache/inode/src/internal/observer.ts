import type { BigIntStats } from 'node:fs';
import { type Inode, NEVER } from '../inode.js';
import type { LookOutcome, RevalidationPolicy } from '../revalidation-policy.js';
import type { AgeClock } from './age-clock.js';
import { Attributes } from './attributes.js';
import { sameAttributes, sameStamp } from './change.js';
import type { DerivedValues } from './derived-values.js';
import type { Sighting } from './looks.js';
import { DOUBTED, FREEING, UNHASHED } from './state.js';

export interface ObserverOptions {
  readonly policy: RevalidationPolicy;
  readonly clock: AgeClock;
  readonly values: DerivedValues;
  /** Somebody else has changed what the file holds. Must not throw. */
  readonly onForeignChange: (inode: Inode) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Puts what looks bring into inodes, and decides how long it is believed.
 *
 * Looks overlap, so what comes later may be older. Each look has a number from when it began. What a look brings that
 * began before the inode's attributes were got, or before somebody told of a change, is believed for no time; and if it
 * differs, the later ctime wins until the next look.
 */
export class Observer {
  /** Times that an inode was found to have changed. */
  changed = 0;
  private readonly policy: RevalidationPolicy;
  private readonly clock: AgeClock;
  private readonly values: DerivedValues;
  private readonly onForeignChange: (inode: Inode) => void;
  private readonly onError: (error: unknown) => void;

  constructor(options: ObserverOptions) {
    this.policy = options.policy;
    this.clock = options.clock;
    this.values = options.values;
    this.onForeignChange = options.onForeignChange;
    this.onError = options.onError;
  }

  /** Of a new inode. @param isCurrent false when a change may have been missed */
  first(inode: Inode, { id, begunMs }: Sighting, isCurrent: boolean): void {
    inode.lookId = id;
    inode.stampSeenMs = this.clock.exactNow();
    if (isCurrent) {
      this.trust(inode, 'first', id, begunMs);
    } else {
      doubt(inode);
    }
  }

  /** What a look has brought. */
  look(inode: Inode, stats: BigIntStats, { id, begunMs }: Sighting): 'unchanged' | 'changed' {
    const outcome = sameAttributes(inode.stats, stats) ? 'unchanged' : 'changed';
    if (id < inode.lookId) {
      if (outcome === 'changed') {
        if (stats.ctimeNs > inode.stats.ctimeNs) {
          this.take(inode, stats);
        }
        doubt(inode);
      }
      return outcome;
    }
    inode.lookId = id;
    inode.state &= ~DOUBTED;
    this.take(inode, stats);
    this.values.confirm(inode, id);
    this.trust(inode, outcome, id, begunMs);
    return outcome;
  }

  /** What somebody else's look has brought, of which nobody knows when it began. */
  handedIn(inode: Inode, stats: BigIntStats, { id, begunMs }: Sighting): void {
    const outcome = sameAttributes(inode.stats, stats) ? 'unchanged' : 'changed';
    inode.lookId = id;
    if (stats.ctimeNs < inode.stats.ctimeNs) {
      // Older than what is known, or the clock was set back: the next look will tell.
      doubt(inode);
      return;
    }
    this.take(inode, stats);
    if ((inode.state & DOUBTED) === 0) {
      this.trust(inode, outcome, id, begunMs);
    }
  }

  /** What the one who has changed the file tells. @param id of now */
  change(inode: Inode, stats: BigIntStats, id: number): void {
    const isOlder = stats.ctimeNs < inode.stats.ctimeNs;
    inode.lookId = id;
    if (!isOlder) {
      inode.stats = new Attributes(stats);
    }
    this.renew(inode);
    // Two who write at the same time may tell of it in the wrong order.
    if (isOlder) {
      doubt(inode);
    } else {
      inode.state &= ~DOUBTED;
      this.trust(inode, 'changed', id, this.clock.exactNow());
    }
  }

  /** Nobody believes it from now on. */
  doubt(inode: Inode, id: number): void {
    inode.lookId = id;
    inode.version++;
    doubt(inode);
  }

  forget(inode: Inode): void {
    try {
      this.policy.forget?.(inode);
    } catch (error) {
      this.onError(error);
    }
  }

  close(): void {
    try {
      this.policy.close?.();
    } catch (error) {
      this.onError(error);
    }
  }

  private take(inode: Inode, stats: BigIntStats): void {
    const before = inode.stats;
    if (sameStamp(before, stats)) {
      if (before.atimeNs !== stats.atimeNs || !sameAttributes(before, stats)) {
        inode.stats = new Attributes(stats);
      }
      return;
    }
    inode.stats = new Attributes(stats);
    this.renew(inode);
    this.onForeignChange(inode);
  }

  /** The file holds something else from now on. */
  private renew(inode: Inode): void {
    this.changed++;
    inode.version++;
    inode.stampSeenMs = this.clock.exactNow();
    this.values.dropAll(inode);
  }

  /** Believes what a look has brought, unless what is called meanwhile knows better, or has done away with the inode. */
  private trust(inode: Inode, outcome: LookOutcome, id: number, begunMs: number): void {
    let ms = 0;
    try {
      ms = this.policy.trustMs(inode, outcome, begunMs);
    } catch (error) {
      this.onError(error);
    }
    if (inode.lookId === id && (inode.state & (DOUBTED | FREEING | UNHASHED)) === 0) {
      inode.validUntilMs = ms > 0 ? begunMs + ms : NEVER;
    }
  }
}

function doubt(inode: Inode): void {
  inode.state |= DOUBTED;
  inode.validUntilMs = NEVER;
}
