import type { Scheduler } from '@core/base';
import type { RcuFlavor } from '@core/rcu';

import type { PendingHooks, PendingObject, PendingUnderTest } from '../pending-under-test.js';
import { guardReader, type ReaderGuards, turnReader } from '../reader-protocol.js';
import type { TortureSubject } from '../torture.js';
import type { PendingCheck } from '../torture-pending-report.js';
import type { TortureCheck } from '../torture-report.js';
import { AwaitSrcu, ImpatientSrcu, MicrotaskRcu, NoFlipSrcu, WrongEpochSrcu } from './early-flavors.js';
import {
  EagerCallRcu,
  EndlessRcu,
  FlickeringPollRcu,
  ForgetfulCallRcu,
  HastyBarrierRcu,
  LateCookieRcu,
  ManyCookiesRcu,
  PollLastRcu,
  RejectingRcu,
  RepeatedCallRcu,
  SilentSrcu,
  StartingGetStateRcu,
  UncountedRcu,
  UnequalRcu,
} from './faulty-flavors.js';
import {
  CarelessClaimPending,
  EarlyPending,
  FirstOfBatchPending,
  ForgetfulPending,
  HastyBarrierPending,
  HastyExpiredPending,
  ImmediatePending,
  KeptDequeuePending,
  OpenPending,
  UncountedDequeuePending,
  UnweighedDequeuePending,
} from './pendings.js';

/** A flavour with one fault. */
export interface BustedFlavor {
  readonly name: string;
  /** The check of the torture that fails; others may fail with it. */
  readonly check: TortureCheck;
  /** Whether it shows only when the time can be moved: on a simulated loop. */
  readonly needsClock: boolean;
  make(scheduler: Scheduler): TortureSubject;
}

/** A pending with one fault. */
export interface BustedPending {
  readonly name: string;
  /** The check of the torture that fails; others may fail with it. */
  readonly check: PendingCheck;
  make(rcu: RcuFlavor, hooks: PendingHooks<PendingObject>): PendingUnderTest<PendingObject>;
}

const STALL_MS = 1_000;

type RcuClass = new (options: { scheduler: Scheduler }) => RcuFlavor;
type SrcuClass = new (options: { scheduler: Scheduler; stallMs: number }) => RcuFlavor & ReaderGuards<number>;
type PendingClass = new (rcu: RcuFlavor, hooks: PendingHooks<PendingObject>) => PendingUnderTest<PendingObject>;

function turns(name: string, check: TortureCheck, Flavor: RcuClass): BustedFlavor {
  return {
    name,
    check,
    needsClock: false,
    make: (scheduler) => ({ flavor: new Flavor({ scheduler }), reader: turnReader }),
  };
}

function guards(name: string, check: TortureCheck, Flavor: SrcuClass, needsClock = false): BustedFlavor {
  return {
    name,
    check,
    needsClock,
    make: (scheduler) => {
      const flavor = new Flavor({ scheduler, stallMs: STALL_MS });
      return { flavor, reader: guardReader(flavor), stallMs: STALL_MS };
    },
  };
}

function pending(name: string, check: PendingCheck, Pending: PendingClass): BustedPending {
  return { name, check, make: (rcu, hooks) => new Pending(rcu, hooks) };
}

/** Each must fail the torture: a torture that passes one of them proves nothing. */
export const BUSTED_FLAVORS: readonly BustedFlavor[] = [
  turns('microtask', 'reader-age', MicrotaskRcu),
  guards('no-flip', 'reader-age', NoFlipSrcu),
  guards('wrong-epoch', 'reader-age', WrongEpochSrcu),
  guards('await', 'reader-age', AwaitSrcu),
  guards('impatient', 'stuck-reader-freed', ImpatientSrcu, true),
  guards('silent', 'stall-report', SilentSrcu, true),
  turns('endless', 'hang', EndlessRcu),
  turns('eager-call', 'call-stack', EagerCallRcu),
  turns('forgetful-call', 'barrier', ForgetfulCallRcu),
  turns('repeated-call', 'call-once', RepeatedCallRcu),
  turns('hasty-barrier', 'barrier', HastyBarrierRcu),
  turns('starting-get-state', 'quiet-get-state', StartingGetStateRcu),
  turns('flickering-poll', 'poll-monotone', FlickeringPollRcu),
  turns('poll-last', 'poll-first', PollLastRcu),
  turns('unequal', 'equal', UnequalRcu),
  turns('many-cookies', 'live-cookies', ManyCookiesRcu),
  turns('late-cookie', 'cookie-late', LateCookieRcu),
  turns('rejecting', 'threw', RejectingRcu),
  turns('uncounted', 'vacuous-grace-periods', UncountedRcu),
];

/** Each must fail the torture of pendings. */
export const BUSTED_PENDINGS: readonly BustedPending[] = [
  pending('early', 'cookie-early', EarlyPending),
  pending('immediate', 'process-early', ImmediatePending),
  pending('uncounted-dequeue', 'count', UncountedDequeuePending),
  pending('unweighed-dequeue', 'bytes', UnweighedDequeuePending),
  pending('first-of-batch', 'process-once', FirstOfBatchPending),
  pending('forgetful', 'count', ForgetfulPending),
  pending('hasty-barrier', 'barrier', HastyBarrierPending),
  pending('kept-dequeue', 'dequeue-once', KeptDequeuePending),
  pending('hasty-expired', 'dequeue-early', HastyExpiredPending),
  pending('careless-claim', 'claim', CarelessClaimPending),
  pending('open', 'exit', OpenPending),
];
