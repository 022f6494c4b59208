import { isThenable } from '@core/base';
import type { JournalPort } from '@core/journal';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { Key, Update } from '../options.js';
import type { Activity } from './activity.js';
import type { Admission } from './admission.js';
import { type CachedKey, NO_VALUE } from './cached-key.js';
import type { Core } from './core.js';
import type { Flusher } from './flusher.js';
import type { KeySpace } from './key-space.js';
import type { Reader } from './reader.js';
import { RecordWriter } from './records.js';
import type { SizeLimits } from './size-limits.js';

type Value = Uint8Array | undefined;

/** About so many records count for the mean of their bytes. */
const RECORDS_OF_MEAN = 1000;

/** One key of a batch, with what is to be done with it, one after the other. */
export interface PlannedKey {
  readonly space: KeySpace;
  /** Canonical. */
  readonly key: string;
  readonly steps: (Update | Value)[];
}

export interface WriterOptions {
  readonly core: Core;
  readonly reader: Reader;
  readonly flusher: Flusher;
  readonly admission: Admission;
  readonly limits: SizeLimits;
  readonly journal: JournalPort;
  readonly activity: Activity;
}

/**
 * Changes keys: lock, compute, journal, then the value, in this order. From the journal's record to the last value of a
 * batch nothing waits, so that nobody sees a part of it.
 *
 * Whoever finds no room lets go of all its locks before it waits, and begins again: what it waits for may need them.
 */
export class Writer {
  updates = 0;
  private readonly options: WriterOptions;
  private readonly core: Core;
  private readonly journal: JournalPort;
  private readonly record = new RecordWriter();
  private readonly admission: Admission;
  private readonly limits: SizeLimits;
  private readonly onCommitFailed = (error: unknown): never => {
    throw this.admission.fail(error);
  };

  constructor(options: WriterOptions) {
    this.options = options;
    this.core = options.core;
    this.journal = options.journal;
    this.admission = options.admission;
    this.limits = options.limits;
  }

  /**
   * One key. With `update` it is asked for the next value, else this is `value`, and the old one need not be known.
   *
   * @returns the value, once the journal has it
   */
  write(space: KeySpace, key: Key, update: Update | null, value: Value, durable: boolean): Promise<Value> {
    const { core } = this;
    const locked = core.mustWait || this.admission.failure !== null ? null : this.lockNow(space, key, update, value);
    if (locked === null) {
      return this.writeSlowly(space, space.canonical(key), update, value, durable);
    }
    let next: Value | PromiseLike<Value>;
    let sequence: number;
    try {
      next = update === null ? value : update(locked.copy());
      if (isThenable(next)) {
        return this.finishLater(locked, next, space, update as Update, durable);
      }
      sequence = this.store(locked, space, locked.key, next);
    } catch (error) {
      core.release(locked);
      throw error;
    }
    core.release(locked);
    if (sequence < 0) {
      return this.writeSlowly(space, space.canonical(key), update, value, durable);
    }
    this.options.flusher.kick();
    return durable ? this.committed(sequence, next) : Promise.resolve(next);
  }

  /** Several keys, sorted, in one record: all of them or none. */
  async writeBatch(plan: readonly PlannedKey[], durable: boolean): Promise<void> {
    const { activity, flusher } = this.options;
    // At least this much, before any of it is locked: there might never be room.
    this.limits.checkBatch(plan, plan.map(lastPut));
    activity.begin();
    try {
      for (let attempts = 1; ; attempts++) {
        await this.admission.enter();
        const sequence = await this.tryBatch(plan);
        flusher.kick();
        if (sequence >= 0) {
          await (durable ? this.committed(sequence, undefined) : undefined);
          return;
        }
        await this.admission.room(attempts);
      }
    } finally {
      activity.end();
    }
  }

  private async writeSlowly(
    space: KeySpace,
    key: string,
    update: Update | null,
    value: Value,
    durable: boolean,
  ): Promise<Value> {
    const { core } = this;
    const { activity, flusher } = this.options;
    this.limits.checkValue(value);
    // The caller may use the bytes again before it is their turn.
    const put = value === undefined ? undefined : new Uint8Array(value);
    activity.begin();
    try {
      for (let attempts = 1; ; attempts++) {
        await this.admission.enter();
        const locked = await this.lock(space, key, update !== null, put?.length ?? 0);
        if (locked !== null && core.mustWait && !locked.dirty) {
          // Many were let in together.
          core.release(locked);
          continue;
        }
        if (locked !== null) {
          let next: Value;
          let sequence: number;
          try {
            next = update === null ? put : await update(locked.copy());
            sequence = this.store(locked, space, key, next);
          } finally {
            core.release(locked);
          }
          flusher.kick();
          if (sequence >= 0) {
            return await (durable ? this.committed(sequence, next) : next);
          }
        }
        await this.admission.room(attempts);
      }
    } finally {
      activity.end();
    }
  }

  /** As the end of {@link write}, when the next value is a promise. The lock is held until it settles. */
  private async finishLater(
    locked: CachedKey,
    promise: PromiseLike<Value>,
    space: KeySpace,
    update: Update,
    durable: boolean,
  ): Promise<Value> {
    const { activity, flusher } = this.options;
    const { key } = locked;
    activity.begin();
    try {
      let next: Value;
      let sequence: number;
      try {
        next = await promise;
        sequence = this.store(locked, space, key, next);
      } finally {
        this.core.release(locked);
      }
      flusher.kick();
      if (sequence < 0) {
        return await this.writeSlowly(space, key, update, undefined, durable);
      }
      return await (durable ? this.committed(sequence, next) : next);
    } finally {
      activity.end();
    }
  }

  private async tryBatch(plan: readonly PlannedKey[]): Promise<number> {
    const { limits } = this;
    const locked: CachedKey[] = [];
    try {
      for (const { space, key, steps } of plan) {
        const next = await this.lock(space, key, typeof steps[0] === 'function', 0);
        if (next === null) {
          return -1;
        }
        locked.push(next);
      }
      if (this.core.mustWait) {
        return -1;
      }
      const values: Value[] = [];
      for (const [at, { steps }] of plan.entries()) {
        let value: Value = (locked[at] as CachedKey).copy();
        for (const step of steps) {
          value = typeof step === 'function' ? await step(value) : step;
          limits.checkValue(value);
        }
        values.push(value);
      }
      return this.storeAll(plan, locked, values);
    } finally {
      for (const key of locked) {
        this.core.release(key);
      }
    }
  }

  private storeAll(plan: readonly PlannedKey[], locked: readonly CachedKey[], values: readonly Value[]): number {
    const { core, record } = this;
    this.limits.checkBatch(plan, values);
    for (const [at, key] of locked.entries()) {
      if (!core.grow(key, values[at]?.length ?? 0)) {
        return -1;
      }
    }
    record.begin(plan.length);
    for (const [at, { space, key }] of plan.entries()) {
      record.add(space.prefix, key, values[at]);
    }
    const sequence = this.append(record.finish());
    for (const [at, key] of locked.entries()) {
      core.apply(key, values[at], sequence);
    }
    this.updates += plan.length;
    return sequence;
  }

  /** Journals the next value of a key and then takes it over. @returns its sequence, or -1 without room */
  private store(locked: CachedKey, space: KeySpace, key: string, next: Value): number {
    const { core, record, limits } = this;
    limits.checkValue(next);
    if (next === undefined && locked.filled && locked.length === NO_VALUE) {
      // Nothing is as it was. Only who has deleted it must have been heard.
      return locked.sequence;
    }
    if (!core.grow(locked, next?.length ?? 0)) {
      return -1;
    }
    record.begin(1);
    record.add(space.prefix, key, next);
    const sequence = this.append(record.finish());
    core.apply(locked, next, sequence);
    this.updates++;
    return sequence;
  }

  private append(payload: Uint8Array): number {
    if (this.admission.failure !== null) {
      throw this.admission.failure;
    }
    try {
      const sequence = this.journal.append(payload);
      const { core } = this;
      core.recordBytes += (payload.length - core.recordBytes) / RECORDS_OF_MEAN;
      return sequence;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_JOURNAL_RECORD_TOO_LARGE') {
        throw new BtreeKeyError('ERR_BTREE_KEY_TOO_LARGE', `Cannot update: ${reasonOf(error)}`, { cause: error });
      }
      throw this.admission.fail(error);
    }
  }

  private committed(sequence: number, value: Value): Promise<Value> {
    if (sequence <= this.journal.durableSequence) {
      return Promise.resolve(value);
    }
    // One promise and one closure; an async function would keep three times as much until the commit.
    return this.journal.committed(sequence).then(() => value, this.onCommitFailed);
  }

  /** Finds or adds a key and locks it, if nothing has to be waited for. With `update` its value is known then. */
  private lockNow(space: KeySpace, key: Key, update: Update | null, value: Value): CachedKey | null {
    const { core } = this;
    const fill = update !== null;
    const { reader } = this.options;
    const found = core.find(space, key);
    if (found !== null) {
      return found.filled && found.tryLock() ? found : null;
    }
    if (fill && !reader.fillsNow) {
      return null;
    }
    const canonical = space.canonical(key);
    const added = core.insert(space, canonical, value?.length ?? 0);
    return added === null || (fill && !reader.fillNow(space, canonical, added)) ? null : added;
  }

  /**
   * Finds or adds a key and locks it.
   *
   * @param fill whether its value must be known
   * @returns null when there is no room
   */
  private async lock(space: KeySpace, key: string, fill: boolean, valueBytes: number): Promise<CachedKey | null> {
    const { core } = this;
    for (;;) {
      const found = core.findCanonical(space, key);
      if (found === null) {
        const added = core.insert(space, key, valueBytes);
        if (added !== null) {
          if (!fill || (await this.options.reader.fill(space, key, added)).cached) {
            return added;
          }
          return null;
        }
        if (core.findCanonical(space, key) === null) {
          return null;
        }
      } else if (found.tryLock() || (await found.waitForLock())) {
        // Whoever has waited must look again: it may be another key by now, or have lost its value.
        if (found.is(space, key) && found.filled) {
          return found;
        }
        core.release(found);
      }
    }
  }
}

function lastPut({ steps }: PlannedKey): Value {
  const last = steps.at(-1);
  return typeof last === 'function' ? undefined : last;
}
