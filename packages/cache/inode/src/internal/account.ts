import { GroupLimitError, type MemoryGroup, type Zone } from '@core/shrinker';

/** What a cache has charged to its group, if it has one. */
export class Account {
  /** Bytes that are charged now. */
  charged = 0;
  /** Charges that the group had no room for. */
  refused = 0;
  private readonly group: MemoryGroup | null;
  private readonly onError: (error: unknown) => void;

  constructor(group: MemoryGroup | null, onError: (error: unknown) => void) {
    this.group = group;
    this.onError = onError;
  }

  /**
   * Calls back: a group that is full is reclaimed first, this cache included. Never throws.
   *
   * @param bytes a safe integer of 0 or more
   * @returns false when there is no room; nothing was charged then
   */
  charge(bytes: number, zone: Zone): boolean {
    if (this.group !== null) {
      try {
        this.group.heir.charge(bytes, zone);
      } catch (error) {
        this.refused++;
        if (!GroupLimitError.is(error)) {
          this.onError(error);
        }
        return false;
      }
    }
    this.charged += bytes;
    return true;
  }

  uncharge(bytes: number, zone: Zone): void {
    this.group?.heir.uncharge(bytes, zone);
    this.charged -= bytes;
  }
}
