import { NodePool } from '@core/genradix';
import { describe, expect, it } from 'vitest';
import {
  type Bench,
  type ThingOptions,
  bulkInto,
  dryPool,
  epochBench,
  range,
  sorted,
  srcuBench,
} from './support/bench.js';
import { FailingPool } from './support/failing-pool.js';

const IDS = range(60);

type Fails = (take: number) => boolean;

/** Every kind of operation, with a pool that fails at times. @returns how often nodes were asked for */
function runWith(fails: Fails, nodeEntries: number, options: ThingOptions, bust: (made: Bench) => void): number {
  const nodes = new FailingPool({ nodeEntries }, fails);
  const bulkIds: number[] = [];
  const made = srcuBench({
    nodes,
    ...options,
    ...('bulk' in (options.process ?? {}) ? { process: bulkInto(bulkIds) } : {}),
  });
  bust(made);
  const { pending, srcu, loop, enqueue, processed } = made;
  const left: number[] = [];
  const take = (how: 'dequeue' | 'dequeueExpired' | 'dequeueFromAll'): void => {
    const thing = pending[how]();
    left.push(...(thing === undefined ? [] : [thing.id]));
  };
  const check = (): void => {
    pending.checkInvariants();
    nodes.checkInvariants();
  };
  let next = 0;
  const enqueueSome = (count: number): void => {
    enqueue(...IDS.slice(next, next + count));
    next += count;
    check();
  };
  const index = srcu.readLock();
  enqueueSome(20);
  range(5).forEach(() => take('dequeue'));
  check();
  const later = srcu.readLock();
  srcu.readUnlock(index);
  loop.runTurn();
  enqueueSome(15);
  left.push(...[pending.dequeueWhere((thing) => thing.id % 5 === 3)].map((thing) => thing?.id ?? -1));
  check();
  srcu.readUnlock(later);
  void srcu.synchronizeExpedited();
  enqueueSome(10);
  range(3).forEach(() => take('dequeueExpired'));
  check();
  pending.drainExpired(4);
  enqueueSome(15);
  range(4).forEach(() => take('dequeueFromAll'));
  check();
  loop.runSync();
  check();
  expect(pending.count).toBe(0);
  expect(sorted([...left, ...processed, ...bulkIds])).toEqual(IDS);
  expect(nodes.taken).toBe(0);
  return nodes.takes;
}

const KINDS: Readonly<Record<string, ThingOptions>> = {
  'one by one': {},
  'in bulk': { process: bulkInto([]) },
  'with sizes': { sizeOf: (thing) => thing.id },
};

describe('a pool that fails', () => {
  describe.each(Object.entries(KINDS))('%s', (_kind, options) => {
    it.each([2, 4, 256])('at any one take loses nothing, nodes of %i', (nodeEntries) => {
      const takes = runWith(
        () => false,
        nodeEntries,
        options,
        () => {},
      );
      expect(takes).toBeGreaterThan(2);
      for (let failing = 1; failing <= takes + 2; failing++) {
        runWith(
          (take) => take === failing,
          nodeEntries,
          options,
          () => {},
        );
      }
    });

    it.each([2, 4, 256])('from any take on loses nothing, nodes of %i', (nodeEntries) => {
      for (let failing = 1; failing <= 60; failing++) {
        runWith(
          (take) => take >= failing,
          nodeEntries,
          options,
          () => {},
        );
      }
    });

    it('at every second or third take loses nothing', () => {
      for (const [modulus, rest] of [
        [2, 0],
        [2, 1],
        [3, 0],
        [3, 1],
        [3, 2],
      ] as const) {
        runWith(
          (take) => take % modulus === rest,
          2,
          options,
          () => {},
        );
      }
    });
  });

  it('catches a pending that drops what it has no node for', () => {
    const bust = ({ pending }: Bench): void => {
      const { own } = pending as unknown as { own: { sequences: { spares: Iterable<{ link(): void }> } } };
      for (const sequence of own.sequences.spares) {
        sequence.link = () => {};
      }
    };
    expect(() => runWith((take) => take === 2, 2, {}, bust)).toThrow();
  });
});

describe('P9: an allocation that fails while the cookie is not over', () => {
  it('puts the object on the list in one step', () => {
    // The kernel drops a lock around a second attempt here; there is no second attempt.
    const nodes = new FailingPool({ nodeEntries: 2 }, () => true);
    const { srcu, pending, enqueue, loop, processed } = srcuBench({ nodes });
    const index = srcu.readLock();
    for (const id of range(5)) {
      const { takes } = nodes;
      enqueue(id);
      expect(nodes.takes).toBeLessThanOrEqual(takes + 2);
      expect(pending.stats().listed).toBe(id + 1);
      pending.checkInvariants();
    }
    srcu.readUnlock(index);
    loop.runSync();
    expect(sorted(processed)).toEqual(range(5));
  });
});

describe('a budget of 0', () => {
  it('works through the list', () => {
    const { srcu, pending, enqueue, loop, processed } = srcuBench({ nodes: dryPool() });
    enqueue(...range(1000));
    expect(pending.stats()).toMatchObject({ listed: 1000, nodes: 0 });
    expect(pending.dequeue()?.id).toBe(0);
    expect(pending.dequeueWhere((thing) => thing.id === 500)?.id).toBe(500);
    void srcu.synchronizeExpedited();
    expect(pending.dequeueExpired()?.rcuNext).toBeNull();
    expect(pending.drainExpired(7)).toBe(7);
    pending.checkInvariants();
    loop.runSync();
    expect(processed.length).toBe(997);
    expect(pending.count).toBe(0);
  });

  it('allocates nothing for an object', () => {
    const { srcu, pending, loop, enqueue } = srcuBench({ nodes: dryPool(), process() {} });
    enqueue(0);
    loop.runSync();
    const index = srcu.readLock();
    enqueue(1, 2);
    const { spares } = (pending as unknown as { own: { sequences: { spares: { length: number } } } }).own.sequences;
    expect(spares.length).toBe(2);
    enqueue(3, 4, 5);
    expect(spares.length).toBe(2);
    srcu.readUnlock(index);
    loop.runSync();
    expect(spares.length).toBe(4);
  });

  it('keeps no more sequences to spare than it had', () => {
    const { flavor, pending, loop, enqueue } = epochBench({}, { maxLiveCookies: 9 });
    for (const id of range(8)) {
      enqueue(id);
      flavor.advance();
    }
    loop.runSync();
    const { spares } = (pending as unknown as { own: { sequences: { spares: { length: number } } } }).own.sequences;
    expect(spares.length).toBe(4);
  });
});

describe('a budget that is too small', () => {
  it('is never exceeded, and used again as soon as nodes come back', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: 4 });
    const nodes = new NodePool({ nodeEntries: 4, budgetBytes: 3 * nodeBytes, spareNodes: 0 });
    const { pending, enqueue, loop } = srcuBench({ nodes, process() {} });
    for (let round = 0; round < 10; round++) {
      enqueue(...range(50));
      expect(nodes.bytes).toBeLessThanOrEqual(3 * nodeBytes);
      const { listed } = pending.stats();
      expect(listed).toBeGreaterThan(30);
      expect(listed).toBeLessThan(50);
      loop.runSync();
      expect(nodes.taken).toBe(0);
    }
  });

  it('is not held by nodes from which everything was dequeued', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: 2 });
    const nodes = new NodePool({ nodeEntries: 2, budgetBytes: 40 * nodeBytes });
    const { srcu, pending, enqueue } = srcuBench({ nodes });
    srcu.readLock();
    enqueue(0);
    enqueue(...range(30));
    const most = nodes.taken;
    while (pending.count > 1) {
      pending.dequeue();
    }
    // Interior nodes stay with the sequence, leaves do not.
    expect(nodes.taken).toBeLessThan(most - 12);
    pending.checkInvariants();
  });
});
