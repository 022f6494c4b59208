import { type Scheduled, type Scheduler, assert, systemScheduler } from '@core/base';
import { Rcu } from '@core/rcu';
import { type RcuHead, RcuPending } from '@core/rcu-pending';
import { cpuClock, wallClock } from '../harness/clocks.js';
import { collectGarbage } from '../harness/collect-garbage.js';
import { type Size, type Target, atMost } from '../harness/competitor.js';
import type { Case, CaseResult, Figure, Question, Timing } from '../harness/result.js';
import { median, quantile } from '../harness/statistics.js';
import { scattered } from '../harness/workload.js';

const ROUNDS = 7;
/** The default of RcuPending. */
const BUDGET_MS = 1;
const SWEEPING_MS = 100;

class Item {
  readonly key: string;
  used = 0;
  rcuNext: RcuHead | null = null;

  constructor(index: number) {
    this.key = `item:${index}`;
  }
}

/** The event loop, and how long each slice of work held it up. */
class SliceWatch implements Scheduler {
  readonly slicesNs: number[] = [];

  nextTurn(callback: () => void, keepAlive: boolean): void {
    systemScheduler.nextTurn(() => {
      const cpuBefore = cpuClock();
      const wallBefore = wallClock();
      callback();
      const wall = wallClock() - wallBefore;
      // Wall time counts other processes, CPU time other threads of this one: the truth is no more than either.
      this.slicesNs.push(Math.min(wall, cpuClock() - cpuBefore));
    }, keepAlive);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    return systemScheduler.after(delayMs, callback);
  }
}

/** What is done to each object, and what must be there before. */
interface Work {
  readonly prepare: () => void;
  readonly process: (item: Item) => void;
  /** How many objects were processed since `prepare`. */
  readonly done: () => number;
}

function light(items: readonly Item[]): Work {
  return {
    prepare() {
      for (const item of items) {
        item.used = 0;
      }
    },
    process(item) {
      item.used++;
    },
    done: () => items.reduce((sum, { used }) => sum + used, 0),
  };
}

function heavy(items: readonly Item[]): Work {
  const map = new Map<string, Item>();
  return {
    prepare() {
      for (const item of items) {
        map.set(item.key, item);
      }
    },
    process(item) {
      map.delete(item.key);
    },
    done: () => items.length - map.size,
  };
}

/** One way to process all objects. @returns the CPU time of each slice of it, and of all, in nanoseconds */
type Drain = () => Promise<{ readonly totalNs: number; readonly slicesNs: readonly number[] }>;

/** The garbage of what came before is not ours. */
async function settle(): Promise<void> {
  collectGarbage();
  // Sweeping goes on in other threads.
  await new Promise((resolve) => {
    setTimeout(resolve, SWEEPING_MS);
  });
}

function plainLoop(items: readonly Item[], { prepare, process, done }: Work): Drain {
  return async () => {
    prepare();
    await settle();
    const before = cpuClock();
    for (let index = 0; index < items.length; index++) {
      process(items[index] as Item);
    }
    const totalNs = cpuClock() - before;
    assert(done() === items.length, 'Cannot compare: not everything was processed');
    return { totalNs, slicesNs: [totalNs] };
  };
}

function pendingDrain(items: readonly Item[], { prepare, process, done }: Work, budgetMs: number): Drain {
  return async () => {
    const watch = new SliceWatch();
    const pending = new RcuPending<Item>({ rcu: new Rcu({ scheduler: watch }), process, scheduler: watch, budgetMs });
    prepare();
    await settle();
    for (const item of items) {
      pending.enqueue(item);
    }
    const before = cpuClock();
    await pending.barrier();
    const totalNs = cpuClock() - before;
    assert(done() === items.length && pending.count === 0, 'Cannot compare: not everything was processed');
    await pending.exit();
    return { totalNs, slicesNs: watch.slicesNs };
  };
}

class Tally {
  readonly competitor: string;
  readonly operations: number;
  readonly perItemNs: number[] = [];
  readonly slicesMs: number[] = [];
  readonly p99Ms: number[] = [];
  private readonly drain: Drain;

  constructor(competitor: string, operations: number, drain: Drain) {
    this.competitor = competitor;
    this.operations = operations;
    this.drain = drain;
  }

  async run(counts: boolean): Promise<void> {
    const { totalNs, slicesNs } = await this.drain();
    if (counts) {
      const slicesMs = slicesNs.map((ns) => ns / 1e6);
      this.perItemNs.push(totalNs / this.operations);
      this.slicesMs.push(...slicesMs);
      this.p99Ms.push(quantile(slicesMs, 0.99));
    }
  }

  timing(): Timing {
    const { competitor, operations, perItemNs, slicesMs } = this;
    return {
      competitor,
      operations,
      medianNs: median(perItemNs),
      p25Ns: quantile(perItemNs, 0.25),
      minNs: quantile(perItemNs, 0),
      facts: { slices: Math.round(slicesMs.length / perItemNs.length) },
    };
  }

  /** What it took, in what another took in the same round. */
  cost(what: string, other: Tally, target: Target | null): Figure {
    const ratios = this.perItemNs.map((ns, round) => ns / (other.perItemNs[round] as number));
    return {
      what,
      of: this.competitor,
      against: other.competitor,
      value: median(ratios),
      low: quantile(ratios, 0.25),
      high: quantile(ratios, 0.75),
      unit: 'x',
      target,
    };
  }

  slices(what: string, value: number, spread: readonly number[], target: Target | null): Figure {
    const low = quantile(spread, 0.25);
    const high = quantile(spread, 0.75);
    return { what, of: this.competitor, against: null, value, low, high, unit: 'ms', target };
  }
}

async function drain(name: string, workOf: (items: readonly Item[]) => Work, size: Size): Promise<CaseResult> {
  const count = size === 'real' ? 1_000_000 : 2_000;
  const items = scattered(count, (index) => new Item(index));
  const loop = new Tally('plain loop', count, plainLoop(items, workOf(items)));
  const once = new Tally('at once', count, pendingDrain(items, workOf(items), Infinity));
  const sliced = new Tally('in slices', count, pendingDrain(items, workOf(items), BUDGET_MS));
  const tallies = [loop, once, sliced];
  const warmUps = size === 'real' ? 1 : 0;
  for (let round = 0; round < (size === 'real' ? ROUNDS + warmUps : 1); round++) {
    for (let turn = 0; turn < tallies.length; turn++) {
      await (tallies[(round + turn) % tallies.length] as Tally).run(round >= warmUps);
    }
  }
  const worst = Math.max(...sliced.slicesMs);
  return {
    timings: tallies.map((tally) => tally.timing()),
    figures: [
      sliced.cost(`${name}: total`, once, atMost(1.4)),
      sliced.cost(`${name}: total`, loop, null),
      sliced.slices(`${name}: slice p99`, quantile(sliced.slicesMs, 0.99), sliced.p99Ms, atMost(5)),
      sliced.slices(`${name}: slice max`, worst, [worst], null),
      once.slices(`${name}: slice max`, Math.max(...once.slicesMs), once.p99Ms, null),
    ],
  };
}

function drainCase(name: string, workOf: (items: readonly Item[]) => Work): Case {
  return { name, run: (size) => drain(name, workOf, size) };
}

export const drainQuestion: Question = {
  id: 'drain',
  asks: 'How long is the event loop held up when 1,000,000 objects expire at once?',
  cases: [drainCase('light process', light), drainCase('heavy process', heavy)],
};
