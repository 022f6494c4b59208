import type { JournalPin, JournalRecord } from '@core/journal';
import type { ReplayableJournal } from '../../src/index.js';

class TestPin implements JournalPin {
  sequence = 0;
}

interface Kept {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/**
 * A journal in memory that keeps no record longer than it must: what is not pinned and is on disk is gone at once. So a
 * pin that is dropped too early loses something.
 */
export class TestJournal implements ReplayableJournal {
  lastSequence = 0;
  durableSequence = 0;
  /** Commits wait for {@link commit}. */
  manual = false;
  /** Set: the next commit fails with it, and the journal is dead. */
  failure: Error | null = null;
  syncs = 0;
  private dead: Error | null = null;
  private records: Kept[] = [];
  private readonly held = new Set<TestPin>();
  private waiting: { readonly sequence: number; readonly resolve: () => void; readonly reject: (e: Error) => void }[] =
    [];
  private scheduled = false;
  private replayed = false;

  /** What a crash leaves on the disk, as another life finds it: maybe some records more than were acknowledged. */
  crash(unacknowledged = 0): TestJournal {
    const next = new TestJournal();
    const last = Math.min(this.durableSequence + unacknowledged, this.lastSequence);
    next.records = this.records.filter(({ sequence }) => sequence <= last);
    next.lastSequence = last;
    next.durableSequence = last;
    this.dead = new Error('crashed');
    this.waiting = [];
    return next;
  }

  get kept(): number {
    return this.records.length;
  }

  get oldestPinned(): number {
    let oldest = this.lastSequence + 1;
    for (const { sequence } of this.held) {
      oldest = Math.min(oldest, sequence);
    }
    return oldest;
  }

  append(payload: Uint8Array): number {
    if (this.dead !== null) {
      throw this.dead;
    }
    this.lastSequence++;
    this.records.push({ sequence: this.lastSequence, payload: new Uint8Array(payload) });
    this.schedule();
    return this.lastSequence;
  }

  committed(sequence: number): Promise<void> {
    if (sequence <= this.durableSequence) {
      return Promise.resolve();
    }
    if (this.dead !== null) {
      return Promise.reject(this.dead);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ sequence, resolve, reject });
    });
  }

  /** Everything that was appended is on disk now, or the journal is dead. */
  commit(): void {
    const { waiting } = this;
    this.waiting = [];
    if (this.failure !== null) {
      this.dead = this.failure;
      this.failure = null;
    }
    if (this.dead !== null) {
      for (const { reject } of waiting) {
        reject(this.dead);
      }
      return;
    }
    this.durableSequence = this.lastSequence;
    for (const { resolve } of waiting) {
      resolve();
    }
    this.drop();
  }

  pins(): Iterable<JournalPin> {
    return [...this.held].sort((a, b) => a.sequence - b.sequence);
  }

  createPin(): JournalPin {
    return new TestPin();
  }

  pin(pin: JournalPin, sequence: number): void {
    const own = pin as TestPin;
    const least = Math.max(own.sequence, this.oldestKept);
    if (sequence < least || sequence > this.lastSequence + 1) {
      throw new RangeError(`Cannot pin ${sequence}: it must be from ${least} to ${this.lastSequence + 1}`);
    }
    own.sequence = sequence;
    this.held.add(own);
    this.drop();
  }

  unpin(pin: JournalPin): void {
    (pin as TestPin).sequence = 0;
    this.held.delete(pin as TestPin);
    this.drop();
  }

  async sync(): Promise<void> {
    this.syncs++;
    await this.committed(this.lastSequence);
    this.drop();
  }

  async close(): Promise<void> {
    this.dead ??= new Error('closed');
  }

  *replay(from: number): IterableIterator<JournalRecord> {
    for (const record of this.records) {
      if (record.sequence >= from) {
        yield record;
      }
    }
    this.replayed = true;
    this.drop();
  }

  private get oldestKept(): number {
    return this.records[0]?.sequence ?? this.lastSequence + 1;
  }

  private drop(): void {
    const { oldestPinned } = this;
    while (this.replayed && this.oldestKept < oldestPinned && this.oldestKept <= this.durableSequence) {
      this.records.shift();
    }
  }

  private schedule(): void {
    if (!this.manual && !this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        if (!this.manual) {
          this.commit();
        }
      });
    }
  }
}
