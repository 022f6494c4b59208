import { type ReferenceIndex, ReferenceSrcu } from '../reference/reference-srcu.js';
import { ReferenceRcu } from '../reference/reference-rcu.js';

/** Busted: a grace period ends at a microtask, where a reader that awaits within its turn is still to resume. */
export class MicrotaskRcu extends ReferenceRcu {
  override readonly name: string = 'busted-microtask';

  protected override startGracePeriod(): void {
    queueMicrotask(() => {
      this.endGracePeriod();
    });
  }
}

/** Busted: does not flip, and waits for the slot that nobody uses. */
export class NoFlipSrcu extends ReferenceSrcu {
  override readonly name: string = 'busted-no-flip';

  protected override chooseSlots(): void {
    this.draining = this.slot === 0 ? 1 : 0;
  }
}

/** Busted: flips, and waits for the new slot. */
export class WrongEpochSrcu extends ReferenceSrcu {
  override readonly name: string = 'busted-wrong-epoch';

  protected override chooseSlots(): void {
    super.chooseSlots();
    this.draining = this.slot;
  }
}

/** Busted: takes an `await` of a reader for a quiescent state, and no longer waits for that reader. */
export class AwaitSrcu extends ReferenceSrcu {
  override readonly name: string = 'busted-await';

  override readLock(): ReferenceIndex {
    const index = super.readLock();
    queueMicrotask(() => {
      super.readUnlock(index);
    });
    return index;
  }

  override readUnlock(): void {}
}

/** Busted: a grace period that has lasted for `stallMs` ends, whoever still reads. */
export class ImpatientSrcu extends ReferenceSrcu {
  override readonly name: string = 'busted-impatient';

  protected override watchForStall(): void {
    const sequence = this.getState();
    this.scheduler.after(this.stallMs, () => {
      if (this.running && this.equal(sequence, this.getState())) {
        this.stalls++;
        this.endGracePeriod();
      }
    });
  }
}
