import type { Ages } from './ages.js';
import type { Entry } from './entry.js';

/** What a timer of Node waits for at most; with more it ends at once. */
const LONGEST_MS = 2 ** 31 - 1;

interface PurgeTimer<K, V> {
  entry: Entry<K, V>;
  readonly handle: ReturnType<typeof setTimeout>;
}

/** A timer for each entry that is to leave when its time is over. */
export class PurgeTimers<K, V> {
  private readonly timers: Map<Entry<K, V>, PurgeTimer<K, V>> = new Map();
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
    const handle = setTimeout(() => this.ring(timer.entry), Math.min(afterMs + 1, LONGEST_MS));
    handle.unref();
    const timer = { entry, handle };
    this.timers.set(entry, timer);
  }

  stop(entry: Entry<K, V>): void {
    const timer = this.timers.get(entry);
    if (timer !== undefined) {
      clearTimeout(timer.handle);
      this.timers.delete(entry);
    }
  }

  /** The timer of an entry is that of another one from now on. */
  hand(from: Entry<K, V>, to: Entry<K, V>): void {
    const timer = this.timers.get(from);
    if (timer !== undefined) {
      timer.entry = to;
      this.timers.delete(from);
      this.timers.set(to, timer);
    }
  }

  private ring(entry: Entry<K, V>): void {
    this.timers.delete(entry);
    if (this.ages.isStale(entry)) {
      this.expire(entry);
    } else {
      this.start(entry, this.ages.remaining(entry));
    }
  }
}
