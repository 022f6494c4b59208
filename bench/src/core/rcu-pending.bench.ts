import { NodePool } from '@core/genradix';
import { Rcu } from '@core/rcu';
import { type RcuHead, RcuPending } from '@core/rcu-pending';
import { type Competitor, type Target, atLeast, atMost } from '../harness/competitor.js';
import { ManualLoop } from '../harness/event-loop.js';
import { type Comparison, race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';
import { scattered } from '../harness/workload.js';

interface Load {
  /** Objects that wait at a time. */
  readonly objects: number;
  /** How often they come and go in one run. */
  readonly repeats: number;
  /** Whether they lie about in memory, and are out of every cache. */
  readonly cold: boolean;
}

type Make = (load: Load) => Competitor;

function operationsOf({ objects, repeats }: Load): number {
  return objects * repeats;
}

function listOf<T>({ objects, cold }: Load, create: () => T): T[] {
  return cold ? scattered(objects, create) : Array.from({ length: objects }, create);
}

/**
 * Everybody processes an object by counting that in the object: real work looks at it and writes to it, and one counter
 * for all would make each object wait for the one before.
 */
function uses(items: readonly { readonly used: number }[]): number {
  return items.reduce((sum, { used }) => sum + used, 0);
}

class Stacked {
  used = 0;
  rcuNext: RcuHead | null = null;
}

/** The floor: a preallocated array. */
function arrayStack(load: Load): Competitor {
  const items = listOf(load, () => new Stacked());
  const stack = Array.from<Stacked | null>({ length: items.length }).fill(null);
  const work = (item: Stacked): void => {
    item.used = (item.used + 1) | 0;
  };
  return {
    name: 'array push, pop',
    operations: operationsOf(load),
    run() {
      for (let repeat = 0; repeat < load.repeats; repeat++) {
        let length = 0;
        for (let index = 0; index < items.length; index++) {
          stack[length] = items[index] as Stacked;
          length++;
        }
        while (length > 0) {
          length--;
          const item = stack[length] as Stacked;
          stack[length] = null;
          work(item);
        }
      }
    },
    hash: () => uses(items),
  };
}

class Linked {
  used = 0;
  rcuNext: Linked | null = null;
}

/** What call_rcu does: a link in the object, first in, first out. */
function intrusiveList(load: Load): Competitor {
  const items = listOf(load, () => new Linked());
  const work = (item: Linked): void => {
    item.used = (item.used + 1) | 0;
  };
  return {
    name: 'intrusive list',
    operations: operationsOf(load),
    run() {
      for (let repeat = 0; repeat < load.repeats; repeat++) {
        let head: Linked | null = null;
        let tail: Linked | null = null;
        for (let index = 0; index < items.length; index++) {
          const item = items[index] as Linked;
          if (tail === null) {
            head = item;
          } else {
            tail.rcuNext = item;
          }
          tail = item;
        }
        while (head !== null) {
          const item: Linked = head;
          head = item.rcuNext;
          item.rcuNext = null;
          work(item);
        }
      }
    },
    hash: () => uses(items),
  };
}

class Waiting {
  used = 0;
  rcuNext: RcuHead | null = null;
}

/** Each object by itself; with nodes, or without any, on the fallback list. */
function pendingOf(nodes: NodePool | undefined): Make {
  return (load) => {
    const items = listOf(load, () => new Waiting());
    const loop = new ManualLoop();
    const pending = new RcuPending<Waiting>({
      rcu: new Rcu({ scheduler: loop }),
      process: (item) => {
        item.used = (item.used + 1) | 0;
      },
      scheduler: loop,
      ...(nodes === undefined ? {} : { nodes }),
    });
    return {
      name: 'RcuPending',
      operations: operationsOf(load),
      run() {
        for (let repeat = 0; repeat < load.repeats; repeat++) {
          for (let index = 0; index < items.length; index++) {
            pending.enqueue(items[index] as Waiting);
          }
          loop.run();
        }
      },
      hash: () => (pending.count === 0 ? uses(items) : Number.NaN),
    };
  };
}

function pendingInBulk(load: Load): Competitor {
  const items = listOf(load, () => new Waiting());
  const loop = new ManualLoop();
  const pending = new RcuPending<Waiting>({
    rcu: new Rcu({ scheduler: loop }),
    process: {
      bulk(objects, count) {
        for (let index = 0; index < count; index++) {
          const item = objects[index] as Waiting;
          item.used = (item.used + 1) | 0;
        }
      },
    },
    scheduler: loop,
  });
  return {
    name: 'RcuPending',
    operations: operationsOf(load),
    run() {
      for (let repeat = 0; repeat < load.repeats; repeat++) {
        for (let index = 0; index < items.length; index++) {
          pending.enqueue(items[index] as Waiting);
        }
        loop.run();
      }
    },
    hash: () => (pending.count === 0 ? uses(items) : Number.NaN),
  };
}

/** Nothing is processed: everything is taken out again before its grace period is over. */
function pendingTaken(load: Load): Competitor {
  const items = listOf(load, () => new Waiting());
  const loop = new ManualLoop();
  const pending = new RcuPending<Waiting>({
    rcu: new Rcu({ scheduler: loop }),
    process() {
      throw new Error('Cannot process: everything is dequeued');
    },
    scheduler: loop,
  });
  return {
    name: 'RcuPending',
    operations: operationsOf(load),
    run() {
      for (let repeat = 0; repeat < load.repeats; repeat++) {
        for (let index = 0; index < items.length; index++) {
          pending.enqueue(items[index] as Waiting);
        }
        for (let item = pending.dequeue(); item !== undefined; item = pending.dequeue()) {
          item.used = (item.used + 1) | 0;
        }
        loop.run();
      }
    },
    hash: () => (pending.count === 0 ? uses(items) : Number.NaN),
  };
}

interface Targets {
  readonly array?: Target;
  readonly list?: Target;
}

function pendingCase(what: string, cold: boolean, make: () => Make, { array, list }: Targets): Case {
  const name = `${what}, ${cold ? 'cold' : 'hot'}`;
  return {
    name,
    run(size) {
      const load: Load = cold
        ? { objects: size === 'real' ? 1_000_000 : 2_000, repeats: 1, cold }
        : { objects: 1_000, repeats: size === 'real' ? 500 : 2, cold };
      const comparisons: Comparison[] = [
        {
          what: name,
          of: 'RcuPending',
          against: 'array push, pop',
          as: 'cost',
          ...(array === undefined ? {} : { target: array }),
        },
        {
          what: name,
          of: 'RcuPending',
          against: 'intrusive list',
          as: 'speedup',
          ...(list === undefined ? {} : { target: list }),
        },
      ];
      return race(
        { competitors: [arrayStack(load), intrusiveList(load), make()(load)], comparisons, rounds: cold ? 7 : 11 },
        size,
      );
    },
  };
}

const noNodes = (): Make => pendingOf(new NodePool({ budgetBytes: 0 }));
const withNodes = (): Make => pendingOf(undefined);

export const rcuPendingQuestion: Question = {
  id: 'rcu-pending',
  asks: 'What does it cost to let an object wait for a grace period?',
  cases: [
    pendingCase('enqueue, process', false, withNodes, { array: atMost(1.6) }),
    pendingCase('enqueue, process', true, withNodes, { array: atMost(2), list: atLeast(3) }),
    pendingCase('enqueue, process in bulk', false, () => pendingInBulk, { array: atMost(1.6) }),
    pendingCase('enqueue, process in bulk', true, () => pendingInBulk, { array: atMost(2), list: atLeast(3) }),
    pendingCase('enqueue, dequeue', false, () => pendingTaken, { array: atMost(2.5) }),
    pendingCase('enqueue, dequeue', true, () => pendingTaken, { array: atMost(2.5) }),
    pendingCase('no nodes: enqueue, process', false, noNodes, {}),
    pendingCase('no nodes: enqueue, process', true, noNodes, {}),
  ],
};
