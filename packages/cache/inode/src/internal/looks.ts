import type { BigIntStats } from 'node:fs';
import type { FileSystemSource } from '@core/fs-source';
import type { AgeClock } from './age-clock.js';

/** When a look at a file began. */
export interface Sighting {
  /** Looks and notices have ascending numbers, in the order in which they began. */
  readonly id: number;
  readonly begunMs: number;
}

/** An `lstat` that is under way. */
interface Look extends Sighting {
  readonly stats: Promise<BigIntStats>;
}

/** Where looks at files begin, and those that are under way: one for each path, which who asks may join. */
export class Looks {
  readonly isStrict: boolean;
  /** The last number that was given. */
  lastId = 0;
  begun = 0;
  joined = 0;
  private readonly source: FileSystemSource;
  private readonly clock: AgeClock;
  private readonly underWay = new Map<string, Look>();
  private readonly sightings = new WeakMap<BigIntStats, Sighting>();
  /** The last notice of any change: a look that began before may have missed it. */
  private noticedId = 0;

  /** @param isStrict nobody joins */
  constructor(source: FileSystemSource, clock: AgeClock, isStrict: boolean) {
    this.source = source;
    this.clock = clock;
    this.isStrict = isStrict;
  }

  /** A number for what is known now. */
  nextId(): number {
    return ++this.lastId;
  }

  /** As {@link nextId}, of a notice that a file has changed or is changing. */
  notice(): number {
    this.noticedId = this.nextId();
    return this.noticedId;
  }

  /** Whether nobody has told of a change since the look began. */
  isCurrent(id: number): boolean {
    return id > this.noticedId;
  }

  /** As of a look that has been made just now. */
  now(): Sighting {
    return { id: this.nextId(), begunMs: this.clock.now() };
  }

  begin(): Sighting {
    this.begun++;
    return { id: this.nextId(), begunMs: this.clock.exactNow() };
  }

  /** Keeps in mind when the look began that has brought these stats. */
  remember(stats: BigIntStats, sighting: Sighting): void {
    this.sightings.set(stats, sighting);
  }

  /** When the look began that has brought these stats; null if it was somebody else's. */
  sightingOf(stats: BigIntStats): Sighting | null {
    return this.sightings.get(stats) ?? null;
  }

  /** @param after the number that the look must be above */
  at(path: string, after: number): Look {
    const present = this.underWay.get(path);
    if (present !== undefined && !this.isStrict && present.id > after && this.isCurrent(present.id)) {
      this.joined++;
      return present;
    }
    const { id, begunMs } = this.begin();
    const look: Look = { id, begunMs, stats: this.lstat(path, id) };
    this.underWay.set(path, look);
    return look;
  }

  lstatSync(path: string): BigIntStats {
    return this.source.lstatSync(path);
  }

  private async lstat(path: string, id: number): Promise<BigIntStats> {
    try {
      return await this.source.lstat(path);
    } finally {
      // A later look may have taken its place.
      if (this.underWay.get(path)?.id === id) {
        this.underWay.delete(path);
      }
    }
  }
}
