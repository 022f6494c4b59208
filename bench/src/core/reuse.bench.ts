import { Srcu } from '@core/rcu';
import { type RcuHead, RcuPending } from '@core/rcu-pending';
import { type Competitor, atLeast } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import { race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';

/** Everybody lets the event loop turn after so many replacements. */
const A_TURN = 1_000;
/** Grace periods are hurried after so many: there is no reader, so they are over at once. */
const A_GRACE_PERIOD = 64;
const PAGE = 4_096;

/**
 * A ring of what is in use. Each operation replaces the oldest: it makes a new one, or takes one that was retired
 * before, fills it in, and retires the old one. What is in the ring at the end is the same for everybody.
 */
interface Load {
  readonly inUse: number;
  readonly operations: number;
}

class Fresh {
  key = 0;
  first = 0;
  second = 0;
  owner: object | null = null;
}

const OWNER = {};

function newObjects({ inUse, operations }: Load): Competitor {
  const ring = Array.from({ length: inUse }, () => new Fresh());
  const sink = new Int32Array(1);
  let at = 0;
  return {
    name: 'new',
    operations,
    async run() {
      let sum = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          sum = (sum + (ring[at] as Fresh).key) | 0;
          const fresh = new Fresh();
          fresh.key = step;
          fresh.first = sum;
          fresh.second = at;
          fresh.owner = OWNER;
          ring[at] = fresh;
          at = at + 1 === inUse ? 0 : at + 1;
        }
        await nextTurn();
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

class TypeStable {
  key = 0;
  first = 0;
  second = 0;
  owner: object | null = null;
  rcuNext: RcuHead | null = null;
}

/** `dequeue`: at once, since readers look again at what they found. */
function typeStableObjects({ inUse, operations }: Load): Competitor {
  const ring = Array.from({ length: inUse }, () => new TypeStable());
  const spare: TypeStable[] = [];
  const pending = new RcuPending<TypeStable>({ rcu: new Srcu(), process: (object) => spare.push(object) });
  const sink = new Int32Array(1);
  const made = new Int32Array(1);
  let at = 0;
  return {
    name: 'dequeue',
    operations,
    async run() {
      let sum = 0;
      let created = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          const old = ring[at] as TypeStable;
          sum = (sum + old.key) | 0;
          let next = pending.dequeue() ?? spare.pop();
          if (next === undefined) {
            next = new TypeStable();
            created++;
          }
          next.key = step;
          next.first = sum;
          next.second = at;
          next.owner = OWNER;
          ring[at] = next;
          at = at + 1 === inUse ? 0 : at + 1;
          pending.enqueue(old);
        }
        await nextTurn();
      }
      sink[0] = sum;
      made[0] = created;
    },
    hash: () => sink[0] as number,
    facts: () => ({ made: made[0] as number }),
  };
}

class Recycled {
  key = 0;
  first = 0;
  second = 0;
  owner: object | null = null;
  rcuNext: RcuHead | null = null;
}

/** `dequeueExpired`: after a grace period, so nobody can know the object any more. */
function expiredObjects({ inUse, operations }: Load): Competitor {
  const ring = Array.from({ length: inUse }, () => new Recycled());
  const spare: Recycled[] = [];
  const srcu = new Srcu();
  const pending = new RcuPending<Recycled>({ rcu: srcu, process: (object) => spare.push(object) });
  const sink = new Int32Array(1);
  const made = new Int32Array(1);
  let at = 0;
  return {
    name: 'dequeueExpired',
    operations,
    async run() {
      let sum = 0;
      let created = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          const old = ring[at] as Recycled;
          sum = (sum + old.key) | 0;
          let next = spare.pop() ?? pending.dequeueExpired();
          if (next === undefined) {
            next = new Recycled();
            created++;
          }
          next.key = step;
          next.first = sum;
          next.second = at;
          next.owner = OWNER;
          ring[at] = next;
          at = at + 1 === inUse ? 0 : at + 1;
          pending.enqueue(old);
          if (step % A_GRACE_PERIOD === 0) {
            void srcu.synchronizeExpedited();
          }
        }
        await nextTurn();
      }
      sink[0] = sum;
      made[0] = created;
    },
    hash: () => sink[0] as number,
    facts: () => ({ made: made[0] as number }),
  };
}

/** A user of a buffer writes to all of it: here to each page, and no more, since that would be the same for all. */
function fill(data: Buffer, value: number): void {
  for (let offset = 0; offset < data.length; offset += PAGE) {
    data[offset] = value;
  }
}

class FreshBlock {
  readonly data: Buffer;

  constructor(data: Buffer) {
    this.data = data;
  }
}

function newBuffers({ inUse, operations }: Load, bytes: number): Competitor {
  const ring = Array.from({ length: inUse }, () => new FreshBlock(Buffer.alloc(bytes)));
  const sink = new Int32Array(1);
  let at = 0;
  return {
    name: 'new',
    operations,
    async run() {
      let sum = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          sum = (sum + ((ring[at] as FreshBlock).data[0] as number)) | 0;
          const fresh = new FreshBlock(Buffer.allocUnsafeSlow(bytes));
          fill(fresh.data, step & 255);
          ring[at] = fresh;
          at = at + 1 === inUse ? 0 : at + 1;
        }
        await nextTurn();
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

class StableBlock {
  rcuNext: RcuHead | null = null;
  readonly data: Buffer;

  constructor(data: Buffer) {
    this.data = data;
  }
}

function typeStableBuffers({ inUse, operations }: Load, bytes: number): Competitor {
  const ring = Array.from({ length: inUse }, () => new StableBlock(Buffer.alloc(bytes)));
  const spare: StableBlock[] = [];
  const pending = new RcuPending<StableBlock>({ rcu: new Srcu(), process: (block) => spare.push(block) });
  const sink = new Int32Array(1);
  const made = new Int32Array(1);
  let at = 0;
  return {
    name: 'dequeue',
    operations,
    async run() {
      let sum = 0;
      let created = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          const old = ring[at] as StableBlock;
          sum = (sum + (old.data[0] as number)) | 0;
          let next = pending.dequeue() ?? spare.pop();
          if (next === undefined) {
            next = new StableBlock(Buffer.allocUnsafeSlow(bytes));
            created++;
          }
          fill(next.data, step & 255);
          ring[at] = next;
          at = at + 1 === inUse ? 0 : at + 1;
          pending.enqueue(old);
        }
        await nextTurn();
      }
      sink[0] = sum;
      made[0] = created;
    },
    hash: () => sink[0] as number,
    facts: () => ({ made: made[0] as number }),
  };
}

class RecycledBlock {
  rcuNext: RcuHead | null = null;
  readonly data: Buffer;

  constructor(data: Buffer) {
    this.data = data;
  }
}

function expiredBuffers({ inUse, operations }: Load, bytes: number): Competitor {
  const ring = Array.from({ length: inUse }, () => new RecycledBlock(Buffer.alloc(bytes)));
  const spare: RecycledBlock[] = [];
  const srcu = new Srcu();
  const pending = new RcuPending<RecycledBlock>({ rcu: srcu, process: (block) => spare.push(block) });
  const sink = new Int32Array(1);
  const made = new Int32Array(1);
  let at = 0;
  return {
    name: 'dequeueExpired',
    operations,
    async run() {
      let sum = 0;
      let created = 0;
      for (let done = 0; done < operations; done += A_TURN) {
        for (let step = 1; step <= A_TURN; step++) {
          const old = ring[at] as RecycledBlock;
          sum = (sum + (old.data[0] as number)) | 0;
          let next = spare.pop() ?? pending.dequeueExpired();
          if (next === undefined) {
            next = new RecycledBlock(Buffer.allocUnsafeSlow(bytes));
            created++;
          }
          fill(next.data, step & 255);
          ring[at] = next;
          at = at + 1 === inUse ? 0 : at + 1;
          pending.enqueue(old);
          if (step % A_GRACE_PERIOD === 0) {
            void srcu.synchronizeExpedited();
          }
        }
        await nextTurn();
      }
      sink[0] = sum;
      made[0] = created;
    },
    hash: () => sink[0] as number,
    facts: () => ({ made: made[0] as number }),
  };
}

function reuseCase(name: string, load: Load, target: number, make: (load: Load) => readonly Competitor[]): Case {
  return {
    name,
    run(size) {
      const competitors = make(size === 'real' ? load : { inUse: 50, operations: A_TURN });
      const comparisons = ['dequeue', 'dequeueExpired'].map((of) => ({
        what: name,
        of,
        against: 'new',
        as: 'speedup' as const,
        target: atLeast(target),
      }));
      // Collections come now and then: a run must be long enough to have its share of them.
      return race({ competitors, comparisons, rounds: 9, runs: 1 }, size);
    },
  };
}

function buffersCase(name: string, bytes: number, operations: number, target: number): Case {
  return reuseCase(name, { inUse: 1_024, operations }, target, (load) => [
    newBuffers(load, bytes),
    typeStableBuffers(load, bytes),
    expiredBuffers(load, bytes),
  ]);
}

export const reuseQuestion: Question = {
  id: 'reuse',
  asks: 'What does it save to use an object again, garbage collection included?',
  cases: [
    // So many that all survive two young collections.
    reuseCase('small objects that survive', { inUse: 500_000, operations: 2_000_000 }, 1.8, (load) => [
      newObjects(load),
      typeStableObjects(load),
      expiredObjects(load),
    ]),
    buffersCase('Buffers of 4 KiB', PAGE, 100_000, 5),
    buffersCase('Buffers of 64 KiB', 16 * PAGE, 20_000, 15),
  ],
};
