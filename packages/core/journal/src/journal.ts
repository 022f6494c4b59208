import { assert } from '@core/base';

import { Committer, type CommitterParts } from './internal/committer.js';
import { underLock } from './internal/open-directory.js';
import { Pin, PinList } from './internal/pin-list.js';
import { recover } from './internal/recover.js';
import { replaySegment } from './internal/replay-segment.js';
import { SegmentFiles } from './internal/segment-files.js';
import { JournalError } from './journal-error.js';
import type { JournalFiles } from './journal-files.js';
import { checkJournalOptions, type CheckedOptions, type JournalOptions, MAX_RECORD_BYTES } from './journal-options.js';
import type { JournalPin, JournalPort, JournalRecord } from './journal-port.js';
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

/**
 * An append-only journal in a directory: checksummed, committed in groups, dropped from its old end as pins allow.
 *
 * Records stay until no pin needs them, and until the replay that is due after `open` was read to its end. One journal
 * has a directory at a time. Nothing here is safe to be shared between threads.
 */
export class Journal implements JournalPort, AsyncDisposable {
  private readonly files: JournalFiles;
  private readonly segments: SegmentFiles;
  private readonly cutBytes: number;
  private readonly pinList: PinList;
  private readonly committer: Committer;
  /** Keeps what was there at `open` until it was replayed. */
  private readonly replayDue: Pin;

  private constructor(options: CheckedOptions, parts: CommitterParts, cutBytes: number) {
    this.files = options.files;
    this.segments = parts.segments;
    this.cutBytes = cutBytes;
    this.pinList = parts.pins;
    this.committer = new Committer(options, parts);
    this.replayDue = new Pin(this.pinList, true);
    if (this.segments.firstSequence <= parts.lastSequence) {
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
      const onError = (error: unknown): void => journal.committer.die(error);
      const synced = checked.durability === 'every';
      const segments = await SegmentFiles.open(
        { files, directory, identity, segmentBytes, synced, life, onError },
        recovered,
      );
      const { lastSequence, cut } = recovered;
      const parts = { lock, segments, pins: new PinList(), life, lastSequence };
      const journal = new Journal(checked, parts, cut?.bytes ?? 0);
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
   * @throws {TypeError} an option is wrong
   * @throws JournalError ERR_JOURNAL_LOCKED, ERR_JOURNAL_FORMAT, ERR_JOURNAL_OPEN; ERR_JOURNAL_CORRUPT if an interrupted
   *   salvage cannot be taken up again
   */
  static salvage(options: SalvageOptions): Promise<SalvageReport> {
    return salvageJournal(options);
  }

  get lastSequence(): number {
    return this.committer.last;
  }

  /** With `every` on disk, else handed to the system. */
  get durableSequence(): number {
    return this.committer.durable;
  }

  /** The oldest sequence that is kept, or `lastSequence + 1`. */
  get firstSequence(): number {
    return Math.min(this.segments.firstSequence, this.lastSequence + 1);
  }

  append(payload: Uint8Array): number {
    if (!(payload instanceof Uint8Array)) {
      throw new TypeError('Cannot append to the journal: the payload must be a Uint8Array');
    }
    this.committer.refuse();
    if (payload.length > MAX_RECORD_BYTES) {
      throw new JournalError(
        'ERR_JOURNAL_RECORD_TOO_LARGE',
        `Cannot append ${payload.length} bytes to the journal: a record has ${MAX_RECORD_BYTES} at most; split it`,
      );
    }
    return this.committer.append(payload);
  }

  committed(sequence: number): Promise<void> {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence > this.lastSequence) {
      return Promise.reject(
        new RangeError(`Cannot wait for sequence ${sequence}: the newest record has sequence ${this.lastSequence}`),
      );
    }
    return this.committer.committed(sequence);
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
    this.committer.refuse();
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
        this.committer.refuse();
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
    if (!Number.isInteger(sequence) || sequence < least || sequence > this.lastSequence + 1) {
      throw new RangeError(`Cannot pin sequence ${sequence}: it must be from ${least} to ${this.lastSequence + 1}`);
    }
    this.pinList.pin(own, sequence);
    this.committer.wakeToDrop();
  }

  unpin(pin: JournalPin): void {
    this.pinList.unpin(this.own(pin));
    this.committer.wakeToDrop();
  }

  get oldestPinned(): number {
    return this.committer.oldestPinned;
  }

  pins(): Iterable<JournalPin> {
    return this.pinsOf(this.lastSequence);
  }

  sync(): Promise<void> {
    return this.committer.sync();
  }

  /**
   * Commits what was appended, syncs it unless `durability` is `none`, and lets the directory go. Further calls are
   * harmless and give the same promise.
   *
   * @throws JournalError ERR_JOURNAL_DEAD if not all of it could be done; the directory is let go nevertheless
   */
  close(): Promise<void> {
    return this.committer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  stats(): JournalStats {
    const { segments, committer } = this;
    return {
      appends: committer.appends,
      appendedBytes: committer.appendedBytes,
      commits: segments.commits,
      syncs: segments.syncs,
      largestBatch: committer.largestBatch,
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
    this.committer.checkInvariants();
    assert(this.oldestPinned >= this.firstSequence, 'a pin holds what was dropped');
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
}
