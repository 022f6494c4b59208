import { assert } from '@core/base';

import type { JournalPin } from '../journal-port.js';

/** A pin is its own list node. */
export class Pin implements JournalPin {
  sequence = 0;
  readonly list: PinList;
  /** Held by the journal itself for a replay: nobody can write back what it stands for. */
  readonly ofReplay: boolean;
  older: Pin | null = null;
  newer: Pin | null = null;

  constructor(list: PinList, ofReplay: boolean) {
    this.list = list;
    this.ofReplay = ofReplay;
  }
}

/** The pins that hold something, ordered by sequence; of equal ones the one that was pinned first is older. */
export class PinList {
  count = 0;
  private oldest: Pin | null = null;
  private newest: Pin | null = null;

  /** The sequence of the oldest pin, 0 without any. */
  get oldestSequence(): number {
    return this.oldest === null ? 0 : this.oldest.sequence;
  }

  /** O(1) for a sequence that is not below the newest pin's; else as many steps as there are newer pins. */
  pin(pin: Pin, sequence: number): void {
    if (pin.sequence !== 0) {
      this.unlink(pin);
    }
    let older = this.newest;
    while (older !== null && older.sequence > sequence) {
      older = older.older;
    }
    const newer = older === null ? this.oldest : older.newer;
    pin.sequence = sequence;
    pin.older = older;
    pin.newer = newer;
    if (older === null) {
      this.oldest = pin;
    } else {
      older.newer = pin;
    }
    if (newer === null) {
      this.newest = pin;
    } else {
      newer.older = pin;
    }
    this.count++;
  }

  unpin(pin: Pin): void {
    if (pin.sequence !== 0) {
      this.unlink(pin);
      pin.sequence = 0;
    }
  }

  /**
   * Oldest first. Pins may be moved and taken off meanwhile.
   *
   * @param upTo the last sequence to go to, so that this ends while others go on pinning
   */
  *pins(upTo: number): Generator<Pin> {
    let pin = this.oldest;
    while (pin !== null && pin.sequence <= upTo) {
      const { sequence } = pin;
      yield pin;
      // One that is no more where it was knows nothing of its old neighbours.
      pin = pin.sequence === sequence ? pin.newer : this.firstFrom(sequence);
    }
  }

  checkInvariants(): void {
    let count = 0;
    let older: Pin | null = null;
    for (let pin = this.oldest; pin !== null; pin = pin.newer) {
      assert(pin.older === older, 'a pin is linked one way only');
      assert(pin.sequence > 0 && pin.sequence >= (older?.sequence ?? 0), 'the pins are out of order');
      older = pin;
      count++;
    }
    assert(this.newest === older, 'the newest pin is not the last');
    assert(this.count === count, () => `${count} pins are counted as ${this.count}`);
  }

  private firstFrom(sequence: number): Pin | null {
    let pin = this.oldest;
    while (pin !== null && pin.sequence < sequence) {
      pin = pin.newer;
    }
    return pin;
  }

  private unlink(pin: Pin): void {
    const { older, newer } = pin;
    if (older === null) {
      this.oldest = newer;
    } else {
      older.newer = newer;
    }
    if (newer === null) {
      this.newest = older;
    } else {
      newer.older = older;
    }
    pin.older = null;
    pin.newer = null;
    this.count--;
  }
}
