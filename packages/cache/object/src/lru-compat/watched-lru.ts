import { Lru } from '../policy/lru.js';

/** Says which slot it is about to evict. */
export class WatchedLru extends Lru {
  private readonly evicted: (slot: number) => void;

  constructor(evicted: (slot: number) => void) {
    super();
    this.evicted = evicted;
  }

  override evict(slot: number): void {
    this.evicted(slot);
    super.evict(slot);
  }

  override replace(slot: number): void {
    this.evicted(slot);
    super.replace(slot);
  }
}
