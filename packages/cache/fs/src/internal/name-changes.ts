/** What is under way at one place. */
interface Place {
  changes: number;
  /** Whether there were several at a time since the first of them began. */
  isCrowded: boolean;
}

/** One change of a name, until it is known to be done. */
export interface NameChange {
  /** The path without symlinks; undefined if nobody knows. */
  readonly at: string | undefined;
  /** Whether nothing else can have happened to the name by the façade since this one began. */
  isAlone(): boolean;
  end(): void;
}

/**
 * Names that are being changed. Of two changes of one name that are under way at a time nobody can tell which the system
 * made last: then nothing is known of the name when they are done.
 */
export class NameChanges {
  private readonly places = new Map<string, Place>();
  /** Changes under way of which nobody knows where they are made. */
  private lost = 0;
  private interruptions = 0;

  /** @param at the path without symlinks; undefined if nobody knows */
  begin(at: string | undefined): NameChange {
    if (at === undefined) {
      this.lost++;
      this.interrupt();
      const end = (): void => {
        this.lost--;
      };
      return { at, isAlone: () => false, end };
    }
    const place = this.places.get(at) ?? { changes: 0, isCrowded: this.lost > 0 };
    place.changes++;
    place.isCrowded ||= place.changes > 1 || this.lost > 0;
    this.places.set(at, place);
    const since = this.interruptions;
    const end = (): void => {
      place.changes--;
      if (place.changes === 0) {
        this.places.delete(at);
      }
    };
    return { at, isAlone: () => !place.isCrowded && this.interruptions === since, end };
  }

  /** Somebody says that anything may have changed. */
  interrupt(): void {
    this.interruptions++;
  }
}
