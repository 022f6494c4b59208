import type { Clock, Scheduler } from '@core/base';
import type { RcuFlavor } from '@core/rcu';
import { type RcuHead, RcuPending } from '@core/rcu-pending';
import type { Zone } from '@core/shrinker';

/** Something that has left the cache, and that a reader may still look at. */
export interface Retired extends RcuHead {
  /** Must not change while it waits. */
  readonly bytes: number;
  readonly zone: Zone;
  /** Called once, after the grace period. */
  destroy(): void;
}

export interface GraveyardOptions {
  readonly rcu: RcuFlavor;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly onError: (error: unknown) => void;
}

/** What has left, for a grace period. */
export class Graveyard {
  private readonly pending: RcuPending<Retired>;
  private readonly waiting: Record<Zone, number> = { heap: 0, external: 0, shared: 0 };

  constructor(options: GraveyardOptions) {
    this.pending = new RcuPending<Retired>({
      rcu: options.rcu,
      process: (object) => this.bury(object),
      clock: options.clock,
      scheduler: options.scheduler,
      onError: options.onError,
    });
  }

  get count(): number {
    return this.pending.count;
  }

  bytes(zone: Zone): number {
    return this.waiting[zone];
  }

  retire(object: Retired): void {
    this.waiting[object.zone] += object.bytes;
    this.pending.enqueue(object);
  }

  /** Resolves when all that was retired before is destroyed. */
  barrier(): Promise<void> {
    return this.pending.barrier();
  }

  /** As {@link barrier}, and nothing may come after it. */
  exit(): Promise<void> {
    return this.pending.exit();
  }

  private bury(object: Retired): void {
    this.waiting[object.zone] -= object.bytes;
    object.destroy();
  }
}
