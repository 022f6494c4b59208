import { assert, reportUncaught, type Scheduled, type Scheduler } from '@core/base';

import { Batches } from './internal/batches.js';
import { underLock } from './internal/open-directory.js';
import { Pin, PinList } from './internal/pin-list.js';
import { recover } from './internal/recover.js';
import { replaySegment } from './internal/replay-segment.js';
import { Round } from './internal/round.js';
import { SegmentFiles } from './internal/segment-files.js';
import { JournalError } from './journal-error.js';
import type { JournalFiles, JournalLock } from './journal-files.js';
import { checkJournalOptions, type CheckedOptions, type JournalOptions, MAX_RECORD_BYTES } from './journal-options.js';
import type { Durability, JournalPin, JournalPort, JournalRecord } from './journal-port.js';
import { salvageJournal, type SalvageOptions, type SalvageReport } from './salvage.js';

/** Counted since `open`, but for what is there now. */
export interface JournalStats {
  readonly appends: number;
  /** Of payloads. */
  readonly appendedBytes: number;
  /** Writes of a frame; each holds what was appended while the one before was under way. */
  readonly commits: number;
  readonly syncs: number;
  /** Records in the largest frame. */
  readonly largestBatch: number;
  readonly segments: number;
  /** Of all segments that are there. */
  readonly segmentBytes: number;
  readonly droppedSegments: number;
  /** Pins that hold something; a replay that is due or under way holds one. */
  readonly pinned: number;
  /** Torn bytes that `open` cut off: of a commit that nobody was told of. */
  readonly cutBytes: number;
  /** Every record up to this one is on disk, whatever `durability` says. */
  readonly syncedSequence: number;
}

/** What `open` got ready. */
interface Parts {
  readonly lock: JournalLock;
  readonly segments: SegmentFiles;
  /** Names this `open` in the records that it writes. */
  readonly life: number;
  readonly lastSequence: number;
  readonly cutBytes: number;
}

const RESOLVED = Promise.resolve();

/**
 * An append-only journal in a directory: checksummed, committed in groups, dropped from its old end as pins allow.
 *
 * Records stay until no pin needs them, and until the replay that is due after `open` was read to its end. One journal
 * has a directory at a time. Nothing here is safe to be shared between threads.
 */
export class Journal implements JournalPort, AsyncDisposable {
  private readonly directory: string;
  private readonly durability: Durability;
  private readonly intervalMs: number;
  private readonly scheduler: Scheduler;
  private readonly files: JournalFiles;
  private readonly onError: ((error: JournalError) => void) | null;
  private readonly lock: JournalLock;
  private readonly segments: SegmentFiles;
  private readonly life: number;
  private readonly cutBytes: number;
  private readonly batches = new Batches();
  private readonly pinList = new PinList();
  /** Keeps what was there at `open` until it was replayed. */
  private readonly replayDue: Pin = new Pin(this.pinList, true);
  private last: number;
  /** Every record up to this one is committed. */
  private durable: number;
  private failure: JournalError | null = null;
  private closing: Promise<void> | null = null;
  /** A turn is scheduled or under way. */
  private awake = false;
  private turning: Promise<void> = RESOLVED;
  /** Those who wait for a sync that has not begun, and for the one that is under way. */
  private round: Round | null = null;
  private ending: Round | null = null;
  private timer: Scheduled | null = null;
  private intervalOver = false;
  private appends = 0;
  private appendedBytes = 0;
  private largestBatch = 0;
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

  private constructor(options: CheckedOptions, parts: Parts) {
    this.directory = options.directory;
    this.durability = options.durability;
    this.intervalMs = options.intervalMs;
    this.scheduler = options.scheduler;
    this.files = options.files;
    this.onError = options.onError;
    this.lock = parts.lock;
    this.segments = parts.segments;
    this.life = parts.life;
    this.cutBytes = parts.cutBytes;
    this.last = parts.lastSequence;
    this.durable = parts.lastSequence;
    if (this.segments.firstSequence <= this.last) {
      this.pinList.pin(this.replayDue, this.segments.firstSequence);
    }
  }

  /**
   * Opens the journal in a directory, or begins one. What a power loss tore is cut off; what is there is checked, every
   * byte of it, and on disk when this resolves. Then comes the replay: see {@link replay}.
   *
   * @throws {TypeError} @throws {RangeError} an option is wrong
   * @throws JournalError ERR_JOURNAL_LOCKED, ERR_JOURNAL_CORRUPT, ERR_JOURNAL_FORMAT, ERR_JOURNAL_OPEN
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const checked = checkJournalOptions(options);
    const { files, directory, segmentBytes, rng } = checked;
    return underLock(files, directory, async (lock) => {
      const recovered = await recover(files, directory);
      const words = Uint32Array.from({ length: 5 }, () => rng.next() * 2 ** 32);
      const identity = recovered.segments[0]?.header.identity ?? Buffer.from(words.buffer, 0, 16);
      const life = words[4] as number;
      // Called at the earliest when the journal, which is made below, writes for the first time.
      const onError = (error: unknown): void => journal.die(error);
      const segments = await SegmentFiles.open({ files, directory, identity, segmentBytes, life, onError }, recovered);
      const journal = new Journal(checked, {
        lock,
        segments,
        life,
        lastSequence: recovered.lastSequence,
        cutBytes: recovered.cut?.bytes ?? 0,
      });
      return journal;
    });
  }

  /**
   * Makes a journal that can be opened again of one that is corrupt: keeps every record before the damage, and with
   * `pastDamage` also those after it that can be read. The old files are moved aside, none is removed. Sequences stay as
   * they were, and none is given twice: after a gap the next record has the sequence after the highest that was seen.
   *
   * Can be called again if it was interrupted; until it has finished, `open` refuses.
   *
   * @throws JournalError ERR_JOURNAL_LOCKED, ERR_JOURNAL_OPEN
   */
  static async salvage(options: SalvageOptions): Promise<SalvageReport> {
    return salvageJournal(options);
  }

  get lastSequence(): number {
    return this.last;
  }

  /** With `every` on disk, else handed to the system. */
  get durableSequence(): number {
    return this.durable;
  }

  /** The oldest sequence that is kept, or `lastSequence + 1`. */
  get firstSequence(): number {
    return Math.min(this.segments.firstSequence, this.last + 1);
  }

  append(payload: Uint8Array): number {
    if (!(payload instanceof Uint8Array)) {
      throw new TypeError('Cannot append to the journal: the payload must be a Uint8Array');
    }
    this.refuse();
    if (payload.length > MAX_RECORD_BYTES) {
      throw new JournalError(
        'ERR_JOURNAL_RECORD_TOO_LARGE',
        `Cannot append ${payload.length} bytes to the journal: a record has ${MAX_RECORD_BYTES} at most; split it`,
      );
    }
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

  committed(sequence: number): Promise<void> {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence > this.last) {
      return Promise.reject(
        new RangeError(`Cannot wait for sequence ${sequence}: the newest record has sequence ${this.last}`),
      );
    }
    if (sequence <= this.durable) {
      return RESOLVED;
    }
    return this.failure === null ? this.batches.find(sequence).committed() : Promise.reject(this.failure);
  }

  /**
   * Reads what is kept, oldest first, up to what is committed now; more may be appended meanwhile. Nothing is dropped
   * before one replay after `open` was read to its end, so whoever needs the records pins them as they come.
   *
   * After a salvage past damage sequences that are lost are missing.
   *
   * @param from the first sequence to read; what is older than the oldest kept is passed over
   * @throws JournalError ERR_JOURNAL_CORRUPT the bytes are not any more what `open` read; ERR_JOURNAL_CLOSED
   */
  async *replay(from = 1): AsyncGenerator<JournalRecord, void, undefined> {
    if (!Number.isInteger(from) || from < 0) {
      throw new RangeError(`Cannot replay from ${from}: pass a sequence`);
    }
    this.refuse();
    const upTo = this.segments.writtenSequence;
    let position = Math.max(from, this.firstSequence);
    const pin = new Pin(this.pinList, true);
    try {
      while (position <= upTo) {
        this.pinList.pin(pin, position);
        const segment = this.segments.find(position);
        if (segment === null) {
          break;
        }
        yield* replaySegment(this.files, segment, position, upTo);
        this.refuse();
        position = segment.lastSequence + 1;
      }
    } finally {
      this.pinList.unpin(pin);
    }
    this.unpin(this.replayDue);
  }

  createPin(): JournalPin {
    return new Pin(this.pinList, false);
  }

  /**
   * @throws {TypeError} a pin of another journal
   * @throws {RangeError} the sequence is before where the pin is, is not kept any more, or is not appended yet
   */
  pin(pin: JournalPin, sequence: number): void {
    const own = this.own(pin);
    if (sequence === own.sequence && sequence !== 0) {
      return;
    }
    const least = Math.max(own.sequence, this.firstSequence);
    if (!Number.isInteger(sequence) || sequence < least || sequence > this.last + 1) {
      throw new RangeError(`Cannot pin sequence ${sequence}: it must be from ${least} to ${this.last + 1}`);
    }
    this.pinList.pin(own, sequence);
    this.wakeToDrop();
  }

  unpin(pin: JournalPin): void {
    this.pinList.unpin(this.own(pin));
    this.wakeToDrop();
  }

  get oldestPinned(): number {
    return this.pinList.oldestSequence || this.last + 1;
  }

  pins(): Iterable<JournalPin> {
    return this.pinsOf(this.last);
  }

  sync(): Promise<void> {
    if (this.failure !== null || this.closing !== null) {
      return Promise.reject(this.failure ?? closedError(this.directory));
    }
    this.round ??= new Round();
    this.round.upTo = this.last;
    this.wake();
    return this.round.promise;
  }

  /**
   * Commits what was appended, syncs it unless `durability` is `none`, and lets the directory go. Further calls are
   * harmless and give the same promise.
   *
   * @throws JournalError ERR_JOURNAL_DEAD if not all of it could be done; the directory is let go nevertheless
   */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  stats(): JournalStats {
    const { segments } = this;
    return {
      appends: this.appends,
      appendedBytes: this.appendedBytes,
      commits: segments.commits,
      syncs: segments.syncs,
      largestBatch: this.largestBatch,
      segments: segments.count,
      segmentBytes: segments.bytes,
      droppedSegments: segments.dropped,
      pinned: this.pinList.count,
      cutBytes: this.cutBytes,
      syncedSequence: segments.syncedSequence,
    };
  }

  /** For tests. @throws {AssertionError} */
  checkInvariants(): void {
    this.pinList.checkInvariants();
    this.segments.checkInvariants();
    assert(this.durable <= this.segments.writtenSequence, 'more is committed than was written');
    assert(
      this.durability !== 'every' || this.durable <= this.segments.syncedSequence,
      'committed before it was synced',
    );
    assert(this.oldestPinned >= this.firstSequence, 'a pin holds what was dropped');
    if (this.failure === null) {
      this.batches.checkInvariants(this.durable, this.last);
      assert(this.awake || this.closing !== null || !this.batches.waiting, 'records wait, and nothing will write them');
    }
  }

  private own(pin: JournalPin): Pin {
    if (!(pin instanceof Pin) || pin.list !== this.pinList) {
      throw new TypeError('Cannot use this pin: it is of another journal; make one with createPin()');
    }
    return pin;
  }

  /** Those of users only: a replay's own pin is nothing that could be written back. */
  private *pinsOf(upTo: number): Generator<JournalPin> {
    for (const pin of this.pinList.pins(upTo)) {
      if (!pin.ofReplay) {
        yield pin;
      }
    }
  }

  private refuse(): void {
    if (this.failure !== null) {
      throw this.failure;
    }
    if (this.closing !== null) {
      throw closedError(this.directory);
    }
  }

  private wakeToDrop(): void {
    if (!this.awake && this.segments.droppable(this.oldestPinned)) {
      this.wake();
    }
  }

  private wake(): void {
    if (!this.awake && this.closing === null && this.failure === null) {
      this.awake = true;
      // A turn later: all that is appended in this one, by those who were just told of a commit as well, goes together.
      this.scheduler.nextTurn(this.onTurn, true);
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
    if (this.durability === 'every') {
      await this.segments.sync();
      this.stopIfDead();
    }
    this.durable = batch.lastSequence;
    this.largestBatch = Math.max(this.largestBatch, batch.count);
    this.batches.done();
    if (this.durability === 'interval' && this.timer === null && this.closing === null) {
      this.timer = this.scheduler.after(this.intervalMs, this.onInterval);
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

  private die(cause: unknown): void {
    if (this.failure !== null) {
      return;
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.failure = new JournalError(
      'ERR_JOURNAL_DEAD',
      `Cannot go on with the journal in "${this.directory}": ${reason}; close it and open it again`,
      { cause },
    );
    this.timer?.cancel();
    this.batches.reject(this.failure);
    this.round?.reject(this.failure);
    this.ending?.reject(this.failure);
    this.round = null;
    this.ending = null;
    try {
      this.onError?.(this.failure);
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
      if (this.durability !== 'none') {
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
}

function closedError(directory: string): JournalError {
  return new JournalError(
    'ERR_JOURNAL_CLOSED',
    `Cannot use the journal in "${directory}": it is closed; open it again`,
  );
}
