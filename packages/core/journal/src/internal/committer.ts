import { assert, reportUncaught, type Scheduled } from '@core/base';

import { JournalError } from '../journal-error.js';
import type { JournalLock } from '../journal-files.js';
import type { CheckedOptions } from '../journal-options.js';
import { Batches } from './batches.js';
import type { PinList } from './pin-list.js';
import { Round } from './round.js';
import type { SegmentFiles } from './segment-files.js';

export interface CommitterParts {
  readonly lock: JournalLock;
  readonly segments: SegmentFiles;
  readonly pins: PinList;
  /** Names this `open` in the records that it writes. */
  readonly life: number;
  /** What was there when the journal was opened. */
  readonly lastSequence: number;
}

const RESOLVED = Promise.resolve();

/**
 * Takes records, and commits them a batch at a time: what is appended in one turn of the event loop, or while a commit is
 * under way, goes with the next write and the next sync. Between commits it syncs when that is due, and drops segments.
 * Nothing else writes to the segments, so none of this meets itself.
 *
 * After a failure it is dead, whatever succeeds later.
 */
export class Committer {
  /** The newest record. */
  last: number;
  /** Every record up to this one is committed. */
  durable: number;
  failure: JournalError | null = null;
  appends = 0;
  appendedBytes = 0;
  largestBatch = 0;
  private readonly options: CheckedOptions;
  private readonly lock: JournalLock;
  private readonly segments: SegmentFiles;
  private readonly pins: PinList;
  private readonly life: number;
  private readonly batches = new Batches();
  private closing: Promise<void> | null = null;
  /** A turn is scheduled or under way. */
  private awake = false;
  private turning: Promise<void> = RESOLVED;
  /** Those who wait for a sync that has not begun, and for the one that is under way. */
  private round: Round | null = null;
  private ending: Round | null = null;
  private timer: Scheduled | null = null;
  private intervalOver = false;
  private readonly onTurn = (): void => {
    if (this.closing === null && this.failure === null) {
      this.turning = this.turn();
    }
  };
  private readonly onInterval = (): void => {
    this.timer = null;
    this.intervalOver = true;
    this.wake();
  };

  constructor(options: CheckedOptions, parts: CommitterParts) {
    this.options = options;
    this.lock = parts.lock;
    this.segments = parts.segments;
    this.pins = parts.pins;
    this.life = parts.life;
    this.last = parts.lastSequence;
    this.durable = parts.lastSequence;
  }

  get oldestPinned(): number {
    return this.pins.oldestSequence || this.last + 1;
  }

  append(payload: Uint8Array): number {
    const sequence = this.last + 1;
    this.batches.add(payload, sequence, this.life);
    this.last = sequence;
    this.appends++;
    this.appendedBytes += payload.length;
    if (!this.awake) {
      this.wake();
    }
    return sequence;
  }

  /** @param sequence of a record that was appended */
  committed(sequence: number): Promise<void> {
    if (sequence <= this.durable) {
      return RESOLVED;
    }
    return this.failure === null ? this.batches.find(sequence).committed() : Promise.reject(this.failure);
  }

  sync(): Promise<void> {
    if (this.failure !== null || this.closing !== null) {
      return Promise.reject(this.failure ?? this.closedError());
    }
    this.round ??= new Round();
    this.round.upTo = this.last;
    this.wake();
    return this.round.promise;
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  /** Throws where nothing can be done any more. */
  refuse(): void {
    if (this.failure !== null) {
      throw this.failure;
    }
    if (this.closing !== null) {
      throw this.closedError();
    }
  }

  checkInvariants(): void {
    assert(this.durable <= this.segments.writtenSequence, 'more is committed than was written');
    assert(
      this.options.durability !== 'every' || this.durable <= this.segments.syncedSequence,
      'committed before it was synced',
    );
    if (this.failure === null) {
      this.batches.checkInvariants(this.durable, this.last);
      assert(this.awake || this.closing !== null || !this.batches.waiting, 'records wait, and nothing will write them');
    }
  }

  /** A pin has moved: what it held may go. */
  wakeToDrop(): void {
    if (!this.awake && this.segments.droppable(this.oldestPinned)) {
      this.wake();
    }
  }

  private wake(): void {
    if (!this.awake && this.closing === null && this.failure === null) {
      this.awake = true;
      // A turn later: all that is appended in this one, by those who were just told of a commit as well, goes together.
      this.options.scheduler.nextTurn(this.onTurn, true);
    }
  }

  /** One commit, and what else is due. Never rejects. */
  private async turn(): Promise<void> {
    try {
      await this.commit();
      await this.syncIfDue();
      while (this.segments.droppable(this.oldestPinned)) {
        await this.segments.dropOldest();
        this.stopIfDead();
      }
      this.ending?.resolve();
      this.ending = null;
    } catch (error) {
      this.die(error);
    }
    this.awake = false;
    if (this.batches.waiting || this.round !== null || this.intervalOver) {
      this.wake();
    }
  }

  private async commit(): Promise<void> {
    const batch = this.batches.take();
    if (batch === null) {
      return;
    }
    await this.segments.write(batch);
    this.stopIfDead();
    this.durable = batch.lastSequence;
    this.largestBatch = Math.max(this.largestBatch, batch.count);
    this.batches.done();
    if (this.options.durability === 'interval' && this.timer === null && this.closing === null) {
      this.timer = this.options.scheduler.after(this.options.intervalMs, this.onInterval);
    }
  }

  private async syncIfDue(): Promise<void> {
    if (this.round !== null && this.round.upTo <= this.segments.writtenSequence) {
      // Who asks from here on may have appended what this sync is too early for, and has a round of his own.
      this.ending = this.round;
      this.round = null;
    } else if (!this.intervalOver) {
      return;
    }
    this.intervalOver = false;
    await this.segments.sync();
    this.stopIfDead();
  }

  /** What is done ahead may have failed while something else succeeded: that does not count any more either. */
  private stopIfDead(): void {
    if (this.failure !== null) {
      throw this.failure;
    }
  }

  /** Ends all that waits, and all that comes. */
  die(cause: unknown): void {
    if (this.failure !== null) {
      return;
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.failure = new JournalError(
      'ERR_JOURNAL_DEAD',
      `Cannot go on with the journal in "${this.options.directory}": ${reason}; close it and open it again`,
      { cause },
    );
    this.timer?.cancel();
    this.batches.reject(this.failure);
    this.round?.reject(this.failure);
    this.ending?.reject(this.failure);
    this.round = null;
    this.ending = null;
    try {
      this.options.onError?.(this.failure);
    } catch (error) {
      reportUncaught(error);
    }
  }

  private async shut(): Promise<void> {
    this.timer?.cancel();
    await this.turning;
    while (this.failure === null && (this.batches.waiting || this.round !== null)) {
      await this.turn();
    }
    try {
      this.stopIfDead();
      if (this.options.durability !== 'none') {
        await this.segments.sync();
        await this.segments.mark();
      }
    } catch (error) {
      this.die(error);
    }
    for (const release of [() => this.segments.close(), () => this.lock.release()]) {
      try {
        await release();
      } catch (error) {
        this.die(error);
      }
    }
    this.stopIfDead();
  }

  private closedError(): JournalError {
    return new JournalError(
      'ERR_JOURNAL_CLOSED',
      `Cannot use the journal in "${this.options.directory}": it is closed; open it again`,
    );
  }
}
