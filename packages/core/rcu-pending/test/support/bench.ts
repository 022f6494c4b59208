import { NodePool, type RadixVector } from '@core/genradix';
import { type RcuFlavor, Srcu } from '@core/rcu';
import { type RcuHead, RcuPending, type RcuPendingOptions } from '../../src/index.js';
import { EpochFlavor, type EpochFlavorOptions } from './epoch-flavor.js';
import { TestLoop } from './test-loop.js';

/** An object that waits. */
export class Thing implements RcuHead {
  rcuNext: RcuHead | null = null;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

export type ThingOptions = Partial<RcuPendingOptions<Thing>>;

/** A pending on a test bench: its loop, and the ids of what it has processed. */
export interface Bench {
  readonly loop: TestLoop;
  readonly pending: RcuPending<Thing>;
  readonly processed: number[];
  /** Enqueues things with these ids. */
  enqueue(...ids: number[]): void;
}

export interface SrcuBench extends Bench {
  readonly srcu: Srcu;
}

export interface EpochBench extends Bench {
  readonly flavor: EpochFlavor;
}

export function srcuBench(options: ThingOptions = {}): SrcuBench {
  const loop = new TestLoop();
  const srcu = new Srcu({ clock: loop, scheduler: loop });
  return { srcu, ...bench(loop, srcu, options) };
}

export function epochBench(options: ThingOptions = {}, epochs: Partial<EpochFlavorOptions> = {}): EpochBench {
  const loop = new TestLoop();
  const flavor = new EpochFlavor({ scheduler: loop, ...epochs });
  return { flavor, ...bench(loop, flavor, options) };
}

export function bench(loop: TestLoop, rcu: RcuFlavor, options: ThingOptions = {}): Bench {
  const processed: number[] = [];
  const pending = new RcuPending<Thing>({
    rcu,
    process: (thing) => {
      processed.push(thing.id);
    },
    clock: loop,
    scheduler: loop,
    ...options,
  });
  return {
    loop,
    pending,
    processed,
    enqueue(...ids) {
      for (const id of ids) {
        pending.enqueue(new Thing(id));
      }
    },
  };
}

/** A bulk process that writes down ids, into the array of the last bench made with it. */
export function bulkInto(ids: number[]): { bulk(things: readonly Thing[], count: number): void } {
  return {
    bulk(things, count) {
      ids.push(...things.slice(0, count).map((thing) => thing.id));
    },
  };
}

/** A pool without a single node. */
export function dryPool(): NodePool {
  return new NodePool({ budgetBytes: 0 });
}

export function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
}

export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** The one shard of a pending that has no shard port, and what busts do to it. */
export interface ShardInsides {
  settled: number;
  readonly sequences: {
    readonly live: { readonly length: number; at(index: number): unknown };
    readonly spares: Iterable<{ readonly vector: RadixVector<Thing> }>;
    collect(): void;
  };
  readonly sleeperBudget: { look(): boolean };
  ensureGracePeriod(): void;
  arm(): void;
  rearm(): void;
  isNewest(sequence: unknown): boolean;
  gracePeriodOver(): void;
}

export function shardOf(pending: object): ShardInsides {
  return (pending as { own: ShardInsides }).own;
}
