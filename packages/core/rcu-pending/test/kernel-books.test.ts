import { NodePool } from '@core/genradix';
import { describe, expect, it } from 'vitest';
import { PendingError } from '../src/index.js';
import {
  type Bench,
  Thing,
  type ThingOptions,
  bulkInto,
  dryPool,
  range,
  shardOf,
  sorted,
  srcuBench,
} from './support/bench.js';

const ENTRIES = 8;
const LIST_BATCH = 64;

function code(wanted: string): (error: unknown) => boolean {
  return (error) => PendingError.is(error) && error.code === wanted;
}

describe('P5: bulk processing', () => {
  function freesEachOnce(count: number, nodes: NodePool, bust: (made: Bench) => void = () => {}): void {
    const ids: number[] = [];
    const made = srcuBench({ nodes, process: bulkInto(ids) });
    bust(made);
    made.enqueue(...range(count));
    made.loop.runSync();
    expect(sorted(ids)).toEqual(range(count));
    expect(made.pending.stats().processed).toBe(count);
    expect(nodes.taken).toBe(0);
    nodes.checkInvariants();
  }
  const borders = [1, 2, ENTRIES - 1, ENTRIES, ENTRIES + 1, 2 * ENTRIES, 2 * ENTRIES + 1];

  it.each(borders)('frees each of %i once, in nodes', (count) => {
    freesEachOnce(count, new NodePool({ nodeEntries: ENTRIES }));
    freesEachOnce(count + 1, new NodePool({ nodeEntries: ENTRIES }));
  });

  it.each([1, LIST_BATCH - 1, LIST_BATCH, LIST_BATCH + 1])('frees each of %i once, on the list', (count) => {
    freesEachOnce(count, dryPool());
  });

  it('catches a bulk that frees element 0 as often as there are others', () => {
    const bust = ({ pending }: Bench): void => {
      const { processor } = pending as unknown as {
        processor: { many: (things: readonly Thing[], count: number) => unknown };
      };
      const real = processor.many;
      processor.many = (things, count) =>
        real(
          things.map(() => things[0] as Thing),
          count,
        );
    };
    expect(() => freesEachOnce(ENTRIES, new NodePool({ nodeEntries: ENTRIES }), bust)).toThrow();
    expect(() => freesEachOnce(ENTRIES, dryPool(), bust)).toThrow();
  });

  it('gets no more than 64 from a list at a time', () => {
    const counts: number[] = [];
    const { enqueue, loop } = srcuBench({
      nodes: dryPool(),
      process: { bulk: (_things, count) => counts.push(count) as never },
    });
    enqueue(...range(200));
    loop.runSync();
    expect(counts).toEqual([1, 64, 64, 64, 7]);
  });

  it('hands over no more than `count`, whatever was taken from the node before', () => {
    const ids: number[] = [];
    const { pending, loop, enqueue } = srcuBench({
      nodes: new NodePool({ nodeEntries: ENTRIES }),
      process: bulkInto(ids),
    });
    enqueue(0, ...range(ENTRIES + 3, 1));
    for (const id of [ENTRIES + 3, ENTRIES + 2, ENTRIES + 1, ENTRIES, ENTRIES - 1]) {
      expect([undefined, id, 0]).toContain(pending.dequeueWhere((thing) => thing.id === id)?.id);
    }
    loop.runSync();
    expect(sorted(ids)).toEqual(range(ENTRIES - 1));
  });

  it('keeps the array for a bulk that awaits', async () => {
    const ids: number[] = [];
    const nodes = new NodePool({ nodeEntries: 2 });
    const resume: (() => void)[] = [];
    const { pending, loop, enqueue } = srcuBench({
      nodes,
      process: {
        async bulk(things: readonly Thing[], count: number) {
          await new Promise<void>((resolve) => resume.push(resolve));
          ids.push(...things.slice(0, count).map((thing) => thing.id));
        },
      },
    });
    enqueue(...range(5));
    loop.runSync();
    expect(pending.stats()).toMatchObject({ processed: 5, inFlight: 3 });
    // What was handed over is in use: these need nodes of their own.
    enqueue(...range(5, 10));
    for (const one of resume) {
      one();
    }
    await loop.runAll();
    expect(sorted(ids)).toEqual(range(5));
    for (const one of resume) {
      one();
    }
    await pending.barrier();
    expect(sorted(ids)).toEqual([...range(5), ...range(5, 10)]);
    expect(nodes.taken).toBe(0);
  });
});

describe('P6: a claim predicate', () => {
  function keepsRejected(options: ThingOptions, bust: (made: Bench) => void = () => {}): void {
    const made = srcuBench(options);
    bust(made);
    const { pending, processed, loop, enqueue, srcu } = made;
    const index = srcu.readLock();
    enqueue(...range(10));
    const seen: number[] = [];
    const claimed = pending.dequeueWhere((thing) => {
      seen.push(thing.id);
      return thing.id === 5;
    });
    expect(claimed?.id).toBe(5);
    const again: number[] = [];
    expect(
      pending.dequeueWhere((thing) => {
        again.push(thing.id);
        return false;
      }),
    ).toBeUndefined();
    // Those seen before keep their order, and so do those that were not reached.
    expect(again.filter((id) => seen.includes(id))).toEqual(seen.filter((id) => id !== 5));
    expect(sorted(again)).toEqual(range(10).filter((id) => id !== 5));
    expect(pending.count).toBe(9);
    pending.checkInvariants();
    srcu.readUnlock(index);
    loop.runSync();
    expect(sorted(processed)).toEqual(sorted(again));
  }

  it('leaves those it rejects in order, in nodes', () => {
    for (const nodeEntries of [2, 4, 256]) {
      keepsRejected({ nodes: new NodePool({ nodeEntries }) });
    }
  });

  it('leaves those it rejects in order, on the list', () => keepsRejected({ nodes: dryPool() }));

  it('leaves those it rejects in order, in both', () => keepsRejected({ isBulk: (thing) => thing.id % 3 === 0 }));

  it('catches a pending that fills the gap with the newest', () => {
    const bust = ({ pending }: Bench): void => {
      for (const { vector } of shardOf(pending).sequences.spares) {
        vector.removeAt = (index) => {
          const newest = vector.pop() as Thing;
          if (index === vector.length) {
            return newest;
          }
          const leaf = vector.leafForPop();
          const [removed] = leaf.splice(index, 1, newest);
          return removed as Thing;
        };
      }
    };
    expect(() => keepsRejected({}, bust)).toThrow();
  });

  it.each([
    ['the oldest', 0],
    ['the newest', 4],
  ])('takes %s off a list, and the rest stays in one piece', (_which, id) => {
    const { pending, processed, loop, enqueue } = srcuBench({ nodes: dryPool() });
    enqueue(100);
    enqueue(...range(5));
    expect(pending.dequeueWhere((thing) => thing.id === id)?.id).toBe(id);
    pending.checkInvariants();
    enqueue(5);
    loop.runSync();
    expect(sorted(processed)).toEqual([...range(6).filter((other) => other !== id), 100]);
  });

  it('must not use the pending that asks it', () => {
    const { pending, enqueue, loop, processed } = srcuBench();
    enqueue(1, 2, 3);
    const uses: (() => unknown)[] = [
      () => pending.enqueue(new Thing(9)),
      () => pending.enqueue(new Thing(9), { maySleep: true }),
      () => pending.dequeue(),
      () => pending.dequeueFromAll(),
      () => pending.dequeueWhere(() => true),
      () => pending.dequeueExpired(),
      () => pending.drainExpired(1),
    ];
    for (const use of uses) {
      expect(() =>
        pending.dequeueWhere(() => {
          use();
          return true;
        }),
      ).toThrow(PendingError);
    }
    const message = /tryClaim predicate is running/;
    expect(() => pending.dequeueWhere(() => pending.dequeue() === undefined)).toThrow(message);
    expect(() => pending.dequeueWhere(() => pending.dequeue() === undefined)).toThrow(
      expect.toSatisfy(code('ERR_PENDING_BUSY')),
    );
    // Nothing was taken, and it is usable again.
    expect(pending.count).toBe(3);
    loop.runSync();
    expect(sorted(processed)).toEqual([1, 2, 3]);
  });

  it('that turns the loop has nothing processed under its hands', () => {
    const { pending, enqueue, loop, processed } = srcuBench();
    enqueue(1, 2);
    const taken = pending.dequeueWhere(() => {
      loop.runTurn();
      loop.runTurn();
      expect(processed).toEqual([]);
      return true;
    });
    loop.runSync();
    expect(sorted([...processed, taken?.id ?? 0])).toEqual([1, 2]);
  });
});

describe('P18: an object that is enqueued twice', () => {
  it('is noticed in debug mode', () => {
    const { pending, loop, processed } = srcuBench({ debug: true });
    const thing = new Thing(1);
    pending.enqueue(thing);
    expect(() => pending.enqueue(thing)).toThrow(expect.toSatisfy(code('ERR_PENDING_TWICE')));
    expect(() => pending.enqueue(thing, { maySleep: true })).toThrow(/waiting already/);
    expect(pending.count).toBe(1);
    loop.runSync();
    expect(processed).toEqual([1]);
    pending.enqueue(thing);
    expect(pending.dequeue()).toBe(thing);
    pending.enqueue(thing);
    loop.runSync();
    expect(processed).toEqual([1, 1]);
  });

  it.each([
    ['the first', 0],
    ['one between', 1],
    ['the last', 2],
  ])('is noticed on a list in any mode: %s', (_which, which) => {
    const { pending, loop, processed } = srcuBench({ nodes: dryPool() });
    const things = range(3).map((id) => new Thing(id));
    for (const thing of things) {
      pending.enqueue(thing);
    }
    expect(() => pending.enqueue(things[which] as Thing)).toThrow(expect.toSatisfy(code('ERR_PENDING_TWICE')));
    const other = srcuBench({ nodes: dryPool() });
    expect(() => other.pending.enqueue(things[which] as Thing)).toThrow(/fallback list already, of this pending or/);
    expect(other.pending.count).toBe(0);
    other.pending.checkInvariants();
    pending.checkInvariants();
    loop.runSync();
    expect(sorted(processed)).toEqual([0, 1, 2]);
    expect(things.every((thing) => thing.rcuNext === null)).toBe(true);
  });

  it.each([
    ['one by one', false],
    ['in bulk', true],
  ])('by the callback that has just been given it, is right: %s', (_how, isBulk) => {
    let rounds = 0;
    const one = (thing: Thing): void => {
      if (++rounds < 4) {
        made.pending.enqueue(thing);
      }
    };
    const made = srcuBench({
      debug: true,
      process: isBulk
        ? { bulk: (things: readonly Thing[], count: number) => things.slice(0, count).forEach(one) }
        : one,
    });
    made.enqueue(7);
    made.loop.runSync();
    expect(rounds).toBe(4);
    expect(made.pending.count).toBe(0);
  });
});

describe('P19: order', () => {
  it('dequeue takes the newest of the oldest sequence', () => {
    const { pending, enqueue } = srcuBench();
    enqueue(0, 1, 2, 3);
    // The first object starts a grace period, so those after it have a cookie of their own.
    expect(range(5).map(() => pending.dequeue()?.id)).toEqual([0, 3, 2, 1, undefined]);
  });

  it('on the list the oldest goes first', () => {
    const { pending, enqueue } = srcuBench({ nodes: dryPool() });
    enqueue(0, 1, 2, 3);
    expect(range(5).map(() => pending.dequeue()?.id)).toEqual([0, 1, 2, 3, undefined]);
  });

  it('between dequeues nothing else is promised than that each leaves once', () => {
    const { pending, enqueue, processed, loop } = srcuBench({ nodes: new NodePool({ nodeEntries: 4 }) });
    enqueue(...range(20));
    const taken = range(7).map(() => pending.dequeue()?.id ?? -1);
    enqueue(...range(20, 20));
    taken.push(...range(9).map(() => pending.dequeue()?.id ?? -1));
    loop.runSync();
    expect(sorted([...taken, ...processed])).toEqual(range(40));
  });
});

describe('P22: count and bytes', () => {
  const PROCESSES = {
    'one by one': (look: () => void) => look,
    'in bulk': (look: () => void) => ({ bulk: look }),
  };

  it.each(Object.entries(PROCESSES))('are right inside callbacks, %s', (how, makeProcess) => {
    const seen: string[] = [];
    const nodes = new NodePool({ nodeEntries: 2 });
    const made = srcuBench({
      nodes,
      sizeOf: (thing) => thing.id,
      process: makeProcess(() => {
        seen.push(`${made.pending.count}:${made.pending.bytes}`);
      }),
    });
    made.enqueue(1, 10, 100);
    expect([made.pending.count, made.pending.bytes]).toEqual([3, 111]);
    made.loop.runSync();
    expect(seen).toEqual(how === 'in bulk' ? ['2:110', '0:0'] : ['2:110', '1:100', '0:0']);
  });

  it('are right for one that is entering while others are processed', () => {
    const seen: string[] = [];
    const made = srcuBench({
      sizeOf: (thing) => thing.id,
      process: (thing) => {
        seen.push(`${thing.id} of ${made.pending.count}:${made.pending.bytes}`);
        void made.srcu.synchronizeExpedited();
      },
    });
    made.enqueue(1);
    void made.srcu.synchronizeExpedited();
    made.pending.enqueue(new Thing(50), { maySleep: true });
    // It was expedited in between, so it went at once.
    expect(seen).toEqual(['1 of 0:0', '50 of 0:0']);
    expect([made.pending.count, made.pending.bytes]).toEqual([0, 0]);
  });

  it('fall when an object is taken for reuse', () => {
    const { pending, enqueue } = srcuBench({ sizeOf: (thing) => thing.id });
    enqueue(1, 2, 4, 8);
    pending.expedite();
    enqueue(16);
    pending.dequeueWhere((thing) => thing.id === 4);
    expect([pending.count, pending.bytes]).toEqual([4, 27]);
    pending.dequeueExpired();
    pending.dequeue();
    pending.dequeueFromAll();
    expect(pending.count).toBe(1);
    const last = pending.dequeue();
    expect([pending.count, pending.bytes, pending.dequeue()]).toEqual([0, 0, undefined]);
    expect(last?.id).toBe(16);
    expect(pending.stats().reused).toBe(5);
  });

  it('say how many were handed out, by every way', () => {
    const { pending, enqueue } = srcuBench({ nodes: new NodePool({ nodeEntries: 4 }) });
    enqueue(...range(20));
    for (const reused of range(12, 1)) {
      pending.dequeue();
      expect(pending.stats().reused).toBe(reused);
    }
    for (const reused of range(5, 13)) {
      pending.dequeue();
      enqueue(1);
      expect((pending as unknown as { own: { reused: number } }).own.reused).toBe(reused);
    }
    while (pending.dequeue() !== undefined);
    expect(pending.stats().reused).toBe(25);
    // From a sequence that is not the newest any more.
    enqueue(...range(20));
    pending.expedite();
    enqueue(100);
    range(10).forEach(() => pending.dequeue());
    expect(pending.stats().reused).toBe(35);
  });

  it('catches a pending that forgets those it hands out', () => {
    const dequeuesAll = (made: Bench): void => {
      made.enqueue(1, 2);
      while (made.pending.dequeue() !== undefined);
      expect(made.pending.count).toBe(0);
    };
    dequeuesAll(srcuBench());
    const made = srcuBench();
    const real = made.pending.dequeue.bind(made.pending);
    let calls = 0;
    made.pending.dequeue = () => {
      const thing = real();
      (made.pending as unknown as { own: { settled: number } }).own.settled += thing === undefined ? 0 : 1;
      return calls++ < 5 ? thing : undefined;
    };
    expect(() => dequeuesAll(made)).toThrow();
  });

  it('of fractions end at 0', () => {
    const { pending, enqueue, loop } = srcuBench({ sizeOf: () => 0.1 });
    enqueue(...range(10));
    expect(pending.bytes).toBeCloseTo(1);
    loop.runSync();
    expect(pending.bytes).toBe(0);
  });
});

describe('P23: what waits can be told', () => {
  it('objects, bytes, and the age of the oldest', () => {
    const { pending, enqueue, loop, srcu } = srcuBench({ sizeOf: () => 100 });
    expect(pending.stats().oldestAgeMs).toBe(0);
    const index = srcu.readLock();
    loop.timeMs = 1000;
    enqueue(1);
    loop.timeMs = 1500;
    enqueue(2);
    loop.timeMs = 3000;
    expect(pending.stats()).toEqual({
      oldestAgeMs: 2000,
      buckets: 2,
      nodes: 2,
      listed: 0,
      reused: 0,
      processed: 0,
      expedited: 0,
      errors: 0,
      inFlight: 0,
    });
    expect([pending.count, pending.bytes]).toEqual([2, 200]);
    srcu.readUnlock(index);
    loop.runSync();
    expect(pending.stats()).toMatchObject({ oldestAgeMs: 0, buckets: 0, nodes: 0, processed: 2 });
  });

  it('how many are on a list', () => {
    const { pending, enqueue } = srcuBench({ isBulk: (thing) => thing.id > 2 });
    enqueue(1, 2, 3);
    expect(pending.stats()).toMatchObject({ listed: 2, nodes: 1 });
  });
});

describe('P25: nodes that were used before', () => {
  class LeakyPool extends NodePool {
    override give(node: unknown[]): void {
      super.give(node, true);
    }
  }
  function reusesNodes(nodes: NodePool): void {
    const ids: number[] = [];
    const { pending, loop, enqueue } = srcuBench({ nodes, process: bulkInto(ids) });
    for (let round = 0; round < 3; round++) {
      enqueue(...range(7, round * 7));
      loop.runSync();
      nodes.checkInvariants();
      enqueue(100);
      pending.checkInvariants();
      pending.dequeue();
    }
    expect(sorted(ids)).toEqual(range(21));
  }

  it('come empty', () => reusesNodes(new NodePool({ nodeEntries: 4 })));

  it('catches a pool that wipes nothing', () => {
    expect(() => reusesNodes(new LeakyPool({ nodeEntries: 4 }))).toThrow(/not empty/);
  });

  it('catches a pool that hands out nodes with something in them', () => {
    class DirtyPool extends NodePool {
      override take(): unknown[] | null {
        const node = super.take();
        node?.splice(-1, 1, new Thing(-1));
        return node;
      }
    }
    expect(() => reusesNodes(new DirtyPool({ nodeEntries: 16 }))).toThrow(/outside of the vector|not empty/);
  });
});
