import { assert } from '@core/base';
import type { JournalPort } from '@core/journal';
import { type CachedKey, PinEpoch } from './cached-key.js';

/** So many sequences share a pin of the journal, which drops whole segments anyway. */
const SPAN = 256;
const MAX_SPARES = 16;

/**
 * Which dirty key needs which records of the journal, the oldest first. One pin of the journal for all keys of an
 * epoch; every operation is O(1), but to pin at an old sequence, which looks for its epoch from the newest.
 *
 * @see fs/bcachefs/journal_reclaim.c
 */
export class Pins {
  oldest: PinEpoch | null = null;
  private newest: PinEpoch | null = null;
  private readonly journal: JournalPort;
  private readonly spares: PinEpoch[] = [];

  constructor(journal: JournalPort) {
    this.journal = journal;
  }

  /** The oldest sequence that a key needs, or Infinity. Never too high. */
  get low(): number {
    return this.oldest === null ? Infinity : this.oldest.low;
  }

  /** The key has become dirty by this record, the newest there is. */
  add(key: CachedKey, sequence: number): void {
    this.epochOf(sequence).push(key);
  }

  /** The key needs no record older than this one any more. The new pin is held before the old one goes. */
  move(key: CachedKey, sequence: number): void {
    const from = key.pinned as PinEpoch;
    if (from.number === epochNumber(sequence)) {
      return;
    }
    const to = this.epochOf(sequence);
    if (sequence < to.low) {
      // Meanwhile the older pin of the key holds for all that is younger.
      this.journal.unpin(to.pin);
      this.journal.pin(to.pin, sequence);
      to.low = sequence;
    }
    from.remove(key);
    to.push(key);
    this.dropIfEmpty(from);
  }

  remove(key: CachedKey): void {
    const epoch = key.pinned as PinEpoch;
    epoch.remove(key);
    this.dropIfEmpty(epoch);
  }

  /** Forgets all keys, and lets go of no record: the journal must have them for the next start. */
  abandon(): void {
    for (let epoch = this.oldest; epoch !== null; epoch = epoch.next) {
      while (epoch.first !== null) {
        epoch.remove(epoch.first);
      }
    }
    this.oldest = null;
    this.newest = null;
  }

  checkInvariants(): void {
    let before: PinEpoch | null = null;
    for (let epoch = this.oldest; epoch !== null; epoch = epoch.next) {
      assert(epoch.previous === before && (before === null || before.number < epoch.number), 'Epochs are out of order');
      assert(epoch.pin.sequence === epoch.low && epochNumber(epoch.low) === epoch.number, 'An epoch pins another one');
      let count = 0;
      for (let key = epoch.first; key !== null; key = key.pinNext) {
        assert(key.pinned === epoch && key.dirty && key.sequence >= epoch.low, 'A pin is held for a clean key');
        count++;
      }
      assert(count > 0 && count === epoch.count, 'An epoch has other keys than it counts');
      before = epoch;
    }
    assert(this.newest === before, 'The newest epoch is not the last');
  }

  private epochOf(sequence: number): PinEpoch {
    const number = epochNumber(sequence);
    let before = this.newest;
    while (before !== null && before.number > number) {
      before = before.previous;
    }
    return before !== null && before.number === number ? before : this.insert(before, number, sequence);
  }

  private insert(before: PinEpoch | null, number: number, sequence: number): PinEpoch {
    const epoch = this.spares.pop() ?? new PinEpoch(this.journal.createPin());
    const next = before === null ? this.oldest : before.next;
    epoch.number = number;
    epoch.low = sequence;
    epoch.previous = before;
    epoch.next = next;
    if (before === null) {
      this.oldest = epoch;
    } else {
      before.next = epoch;
    }
    if (next === null) {
      this.newest = epoch;
    } else {
      next.previous = epoch;
    }
    this.journal.pin(epoch.pin, sequence);
    return epoch;
  }

  private dropIfEmpty(epoch: PinEpoch): void {
    if (epoch.count > 0) {
      return;
    }
    const { previous, next } = epoch;
    if (previous === null) {
      this.oldest = next;
    } else {
      previous.next = next;
    }
    if (next === null) {
      this.newest = previous;
    } else {
      next.previous = previous;
    }
    this.journal.unpin(epoch.pin);
    if (this.spares.length < MAX_SPARES) {
      this.spares.push(epoch);
    }
  }
}

function epochNumber(sequence: number): number {
  return Math.floor(sequence / SPAN);
}
