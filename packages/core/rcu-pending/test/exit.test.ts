import { NodePool } from '@core/genradix';
import { describe, expect, it } from 'vitest';
import { PendingError } from '../src/index.js';
import { Thing, type ThingOptions, bulkInto, dryPool, range, sorted, srcuBench } from './support/bench.js';
import { microtasks } from './support/test-loop.js';

const CLOSED: unknown = expect.toSatisfy((error) => PendingError.is(error) && error.code === 'ERR_PENDING_CLOSED');

async function ends(exit: Promise<void>, turn: () => unknown): Promise<number> {
  const state = { done: false };
  void exit.then(() => {
    state.done = true;
  });
  for (let turns = 0; turns < 1000; turns++) {
    await microtasks();
    if (state.done) {
      return turns;
    }
    turn();
  }
  throw new Error('exit() does not end');
}

describe('exit', () => {
  it('with nothing to do needs no turn', async () => {
    const { pending, loop } = srcuBench();
    await pending.exit();
    expect(loop.scheduled).toBe(0);
    expect(() => pending.enqueue(new Thing(1))).toThrow(CLOSED);
  });

  it('twice, or by dispose, is once', async () => {
    const { pending, loop, enqueue } = srcuBench();
    enqueue(1);
    const exit = pending.exit();
    expect(pending.exit()).toBe(exit);
    expect(pending[Symbol.asyncDispose]()).toBe(exit);
    await ends(exit, () => loop.runTurn());
    await pending.exit();
    await pending[Symbol.asyncDispose]();
  });

  it('refuses objects afterwards, by every way in', async () => {
    for (const options of [{}, { debug: true }, { sizeOf: () => 1 }, { nodes: dryPool() }] satisfies ThingOptions[]) {
      const { pending, loop, enqueue, processed } = srcuBench(options);
      enqueue(1, 2, 3);
      await ends(pending.exit(), () => loop.runTurn());
      const thing = new Thing(4);
      expect(() => pending.enqueue(thing)).toThrow(CLOSED);
      expect(() => pending.enqueue(thing, {})).toThrow(CLOSED);
      expect(() => pending.enqueue(thing, { maySleep: true })).toThrow(/exit\(\) has finished; create a new pending/);
      expect(thing.rcuNext).toBeNull();
      expect(pending.dequeue()).toBeUndefined();
      expect(pending.dequeueWhere(() => true)).toBeUndefined();
      expect(pending.dequeueExpired()).toBeUndefined();
      expect(pending.drainExpired(10)).toBe(0);
      await pending.barrier();
      expect([pending.count, pending.bytes]).toEqual([0, 0]);
      expect(sorted(processed)).toEqual([1, 2, 3]);
      pending.checkInvariants();
    }
  });

  it('takes objects until it has finished, and processes them', async () => {
    const { pending, loop, enqueue, processed } = srcuBench();
    enqueue(1);
    const exit = pending.exit();
    enqueue(2);
    loop.runTurn();
    enqueue(3);
    await ends(exit, () => loop.runTurn());
    expect(processed).toEqual([1, 2, 3]);
  });

  it('begun by a callback ends after it', async () => {
    const exits: Promise<void>[] = [];
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        exits.push(made.pending.exit());
        if (thing.id < 3) {
          made.enqueue(thing.id + 1);
        }
      },
    });
    made.enqueue(0);
    made.loop.runTurn();
    await ends(exits[0] as Promise<void>, () => made.loop.runTurn());
    expect(made.processed).toEqual([0, 1, 2, 3]);
  });

  it('waits for callbacks that enqueue again, as long as they do', async () => {
    for (const bulk of [false, true]) {
      let rounds = 0;
      const again = (): void => {
        if (++rounds <= 20) {
          made.enqueue(rounds);
        }
      };
      const made = srcuBench({ process: bulk ? { bulk: again } : again });
      made.enqueue(0);
      await ends(made.pending.exit(), () => made.loop.runTurn());
      expect(rounds).toBe(21);
    }
  });

  it('waits for promises in flight, and for what they enqueue', async () => {
    const resume: (() => void)[] = [];
    const made = srcuBench({
      async process(thing: Thing) {
        await new Promise<void>((resolve) => resume.push(resolve));
        made.processed.push(thing.id);
        if (thing.id === 0) {
          made.enqueue(1);
        }
      },
    });
    made.enqueue(0);
    const exit = made.pending.exit();
    await made.loop.runAll();
    expect(made.pending.stats()).toMatchObject({ inFlight: 1, processed: 1, buckets: 0 });
    expect(made.processed).toEqual([]);
    await ends(exit, () => {
      resume.shift()?.();
      made.loop.runTurn();
    });
    expect(made.processed).toEqual([0, 1]);
    expect(made.pending.stats().inFlight).toBe(0);
  });

  it('waits for promises that reject, and says so', async () => {
    const told: unknown[] = [];
    const { pending, loop, enqueue } = srcuBench({
      process: (thing) => Promise.reject(new Error(String(thing.id))),
      onError: (error, thing) => told.push([(error as Error).message, thing.id]),
    });
    enqueue(1, 2);
    await ends(pending.exit(), () => loop.runTurn());
    expect(told).toEqual([
      ['1', 1],
      ['2', 2],
    ]);
    expect(pending.stats()).toMatchObject({ errors: 2, processed: 2 });
  });

  it('on the real event loop needs no help', async () => {
    const { Rcu } = await import('@core/rcu');
    const { RcuPending } = await import('../src/index.js');
    const ids: number[] = [];
    {
      await using pending = new RcuPending<Thing>({ rcu: new Rcu(), process: (thing) => ids.push(thing.id) });
      for (const id of range(1000)) {
        pending.enqueue(new Thing(id));
      }
    }
    expect(sorted(ids)).toEqual(range(1000));
  });
});

describe('P16: exit', () => {
  it('while expired work is queued', async () => {
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        made.loop.timeMs += 0.4;
      },
    });
    made.enqueue(...range(50));
    made.loop.runTurn();
    made.loop.runTurn();
    expect(made.processed.length).toBeGreaterThan(0);
    expect(made.pending.count).toBeGreaterThan(0);
    const turns = await ends(made.pending.exit(), () => made.loop.runTurn());
    expect(turns).toBeGreaterThan(3);
    expect(sorted(made.processed)).toEqual(range(50));
  });

  it('while an enqueue that may sleep processes for others', async () => {
    const exits: Promise<void>[] = [];
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        exits.push(made.pending.exit());
      },
    });
    made.enqueue(1);
    void made.srcu.synchronizeExpedited();
    made.pending.enqueue(new Thing(2), { maySleep: true });
    expect(made.processed).toEqual([1]);
    await ends(exits[0] as Promise<void>, () => made.loop.runTurn());
    expect(made.processed).toEqual([1, 2]);
  });

  it('between the end of one grace period and the callback of the next', async () => {
    const { srcu, pending, loop, enqueue, processed } = srcuBench();
    enqueue(1);
    const index = srcu.readLock();
    enqueue(2);
    // The callback has run, and has been queued again.
    loop.runTurn();
    expect(processed).toEqual([1]);
    const exit = pending.exit();
    for (let turn = 0; turn < 5; turn++) {
      loop.runTurn();
      await microtasks();
    }
    expect(processed).toEqual([1]);
    expect(() => enqueue(3)).not.toThrow();
    srcu.readUnlock(index);
    await ends(exit, () => loop.runTurn());
    expect(sorted(processed)).toEqual([1, 2, 3]);
  });

  it('leaves no node behind', async () => {
    const nodes = new NodePool({ nodeEntries: 2 });
    const ids: number[] = [];
    const { pending, loop, enqueue } = srcuBench({ nodes, process: bulkInto(ids) });
    enqueue(...range(33));
    await ends(pending.exit(), () => loop.runTurn());
    expect(nodes.taken).toBe(0);
    nodes.checkInvariants();
    expect(sorted(ids)).toEqual(range(33));
  });
});

describe('a domain that is closed', () => {
  it.each([
    ['plain', {}],
    ['with sizes', { sizeOf: () => 10 }],
    ['in debug mode', { debug: true }],
    ['with a dry pool', { nodes: dryPool() }],
  ] satisfies [string, ThingOptions][])('refuses an object, which stays with its owner: %s', async (_how, options) => {
    const { srcu, pending, loop, enqueue, processed } = srcuBench(options);
    enqueue(1, 2);
    await loop.runAll();
    await srcu[Symbol.asyncDispose]();
    const thing = new Thing(3);
    for (const enqueueOptions of [undefined, { maySleep: true }]) {
      expect(() => pending.enqueue(thing, enqueueOptions)).toThrow(
        expect.objectContaining({ code: 'ERR_SRCU_CLOSED' }),
      );
      expect([pending.count, pending.bytes, pending.stats().buckets]).toEqual([0, 0, 0]);
      expect(thing.rcuNext).toBeNull();
      pending.checkInvariants();
    }
    expect(processed).toEqual([1, 2]);
    await pending.exit();
    expect(() => pending.enqueue(thing)).toThrow(CLOSED);
  });

  it('refuses an object that needs a second grace period', () => {
    const { srcu, pending, enqueue } = srcuBench();
    enqueue(1);
    // Closing begins: the cookie has advanced, and nobody may ask for another grace period.
    void srcu[Symbol.asyncDispose]();
    expect(() => enqueue(2)).toThrow(expect.objectContaining({ code: 'ERR_SRCU_CLOSED' }));
    expect(pending.count).toBe(1);
    pending.checkInvariants();
  });

  it('before its pending: what waits is processed all the same', async () => {
    const { srcu, pending, loop, enqueue, processed } = srcuBench();
    const index = srcu.readLock();
    enqueue(1, 2);
    const later = srcu.readLock();
    const closing = srcu[Symbol.asyncDispose]();
    srcu.readUnlock(index);
    await loop.runAll();
    expect(processed).toEqual([1]);
    pending.checkInvariants();
    const exit = pending.exit();
    await loop.runAll();
    expect(pending.count).toBe(1);
    srcu.readUnlock(later);
    await ends(exit, () => loop.runTurn());
    await ends(closing, () => loop.runTurn());
    expect(processed).toEqual([1, 2]);
    expect(loop.scheduled).toBe(0);
  });
});
