import type { Ages } from './ages.js';
import type { Entry } from './entry.js';

/** What a timer of Node waits for at most; with more it ends at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** A timer for each entry that is to leave when its time is over. */
export class PurgeTimers<K, V> {
  private readonly timers: Map<Entry<K, V>, ReturnType<typeof setTimeout>> = new Map();
  private readonly ages: Ages;
  private readonly expire: (entry: Entry<K, V>) => void;

  constructor(ages: Ages, expire: (entry: Entry<K, V>) => void) {
    this.ages = ages;
    this.expire = expire;
  }

  get size(): number {
    return this.timers.size;
  }

  start(entry: Entry<K, V>, afterMs: number): void {
    this.stop(entry);
    const timer = setTimeout(
      () => {
        this.timers.delete(entry);
        if (this.ages.isStale(entry)) {
          this.expire(entry);
        } else {
          this.start(entry, this.ages.remaining(entry));
        }
      },
      Math.min(afterMs + 1, LONGEST_MS),
    );
    timer.unref();
    this.timers.set(entry, timer);
  }

  stop(entry: Entry<K, V>): void {
    const timer = this.timers.get(entry);
    if (timer !== undefined) {
      clearTimeout(timer);
      this.timers.delete(entry);
    }
  }
}
