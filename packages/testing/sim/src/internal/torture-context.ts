import type { RcuFlavor } from '@core/rcu';

import type { EventLoop } from '../event-loop.js';
import type { ReaderProtocol } from '../reader-protocol.js';
import { PRIMITIVES, type Primitive, type TortureCheck } from '../torture-report.js';
import { Actors } from './actors.js';
import { CallbackLedger } from './callback-ledger.js';
import { CookieWatch } from './cookie-watch.js';
import { Pipe } from './pipe.js';

/** The options of a torture with their defaults filled in. */
export interface TortureSettings {
  readonly flavor: RcuFlavor;
  readonly reader: ReaderProtocol;
  readonly readers: number;
  readonly fakeWriters: number;
  readonly operations: number;
  readonly seed: number;
  readonly pipeLength: number;
  readonly objects: number;
  readonly maxHops: number;
  readonly stallMs: number | null;
  readonly drainTurns: number;
  readonly quietTurns: number;
  readonly stopOnFailure: boolean;
}

/**
 * The storm in equal parts. In the first ones a grace period is always running and callbacks always wait, so the last
 * ones take one primitive alone: grace periods that nobody but a poller wants, and expedited ones that start from idle.
 */
const STAGES: readonly (readonly Primitive[])[] = [
  PRIMITIVES,
  PRIMITIVES,
  PRIMITIVES,
  ['startPoll+poll'],
  ['synchronizeExpedited'],
  ['synchronize'],
];

/** What the readers and writers of one run share. */
export class TortureContext extends Actors<TortureCheck> {
  readonly settings: TortureSettings;
  readonly flavor: RcuFlavor;
  readonly pipe: Pipe;
  readonly ledger: CallbackLedger;
  readonly cookies: CookieWatch;
  readonly readerAges: number[];
  readonly readerBatches: number[] = [0, 0];
  readonly primitives: Record<Primitive, number>;
  reads = 0;
  readsBegun = 0;
  updates = 0;
  barriers = 0;
  stallReports = -1;
  /** The readers are done: the writers finish what they are at. */
  stopping = false;

  constructor(settings: TortureSettings, loop: EventLoop) {
    super(settings, loop);
    this.settings = settings;
    this.flavor = settings.flavor;
    this.pipe = new Pipe(settings.pipeLength, settings.objects);
    this.ledger = new CallbackLedger(this.flavor, this.log);
    this.cookies = new CookieWatch(this.flavor, this.log, this.rng(0));
    this.readerAges = Array.from({ length: settings.pipeLength + 1 }, () => 0);
    this.primitives = Object.fromEntries(PRIMITIVES.map((name) => [name, 0])) as Record<Primitive, number>;
  }

  /** The primitives that writers use now. */
  get stage(): readonly Primitive[] {
    const stage = Math.floor((STAGES.length * this.readsBegun) / (this.settings.operations + 1));
    // No more reads begin than there are operations, so the last stage is the last one here.
    return STAGES[stage] as readonly Primitive[];
  }

  get operations(): number {
    return this.readsBegun;
  }

  /** Whether readers have no reason to begin another section. */
  get enough(): boolean {
    return this.readsBegun >= this.settings.operations || (this.log.failed && this.settings.stopOnFailure);
  }
}
