import { NodePool } from '@core/genradix';
import { describe, expect, it } from 'vitest';
import { PendingError, type RcuHead, RcuPending } from '../src/index.js';
import { type Bench, Thing, dryPool, epochBench, range, shardOf, sorted, srcuBench } from './support/bench.js';
import { microtasks } from './support/test-loop.js';

/** Tells whether a promise has settled, without waiting for it. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false };
  void promise.then(() => {
    state.done = true;
  });
  return state;
}

describe('P2: a caller that comes to another shard', () => {
  it('between operations finds its own first, and everything in the end', () => {
    let current = 0;
    const { pending, enqueue, processed, loop } = srcuBench({ shards: { current: () => current } });
    enqueue(0, 1);
    current = 1;
    enqueue(10);
    current = 2;
    expect(pending.dequeue()).toBeUndefined();
    expect(pending.count).toBe(3);
    current = 1;
    expect(pending.dequeueFromAll()?.id).toBe(10);
    expect(pending.dequeueFromAll()?.id).toBe(0);
    expect(pending.count).toBe(1);
    loop.runSync();
    expect(processed).toEqual([1]);
    expect(pending.dequeueFromAll()).toBeUndefined();
  });

  it.each([
    ['nodes', () => new NodePool({ nodeEntries: 2 })],
    ['the list', dryPool],
  ])('within an operation, again and again, loses nothing: %s', (_where, pool) => {
    let asked = 0;
    const { pending, enqueue, processed, loop } = srcuBench({
      nodes: pool(),
      shards: { current: () => asked++ % 3 },
      sizeOf: () => asked++ * 0 + 1,
      isBulk: () => asked++ >= 0,
    });
    enqueue(...range(100));
    const taken: number[] = [];
    while (taken.length < 30) {
      taken.push(pending.dequeueFromAll()?.id ?? -1);
    }
    expect([pending.count, pending.bytes]).toEqual([70, 70]);
    pending.checkInvariants();
    loop.runSync();
    expect(sorted([...taken, ...processed])).toEqual(range(100));
    expect([pending.count, pending.bytes]).toEqual([0, 0]);
  });
});

describe('P4: a shard that is used late', () => {
  it('is whole at its first use, whichever that is', async () => {
    let current = 0;
    const { pending, processed, enqueue, loop } = srcuBench({ shards: { current: () => current } });
    enqueue(0);
    loop.runSync();
    const uses: ((id: number) => void)[] = [
      (id) => enqueue(id),
      (id) => pending.enqueue(new Thing(id), { maySleep: true }),
      () => expect(pending.dequeue()).toBeUndefined(),
      () => expect(pending.dequeueFromAll()).toBeUndefined(),
      () => expect(pending.dequeueExpired()).toBeUndefined(),
      () => expect(pending.dequeueWhere(() => true)).toBeUndefined(),
    ];
    for (const use of uses) {
      current++;
      use(current);
      pending.checkInvariants();
      loop.runSync();
    }
    expect(sorted(processed)).toEqual([0, 1, 2]);
    await pending.exit();
    current++;
    expect(() => enqueue(9)).toThrow(PendingError);
  });

  it('may first be used by a callback, and by whoever waits for an exit', async () => {
    let current = 0;
    const made = srcuBench({
      shards: { current: () => current },
      process(thing) {
        made.processed.push(thing.id);
        if (thing.id < 5) {
          current++;
          made.enqueue(thing.id + 1);
        }
      },
    });
    made.enqueue(0);
    const exit = watch(made.pending.exit());
    await made.loop.runAll();
    expect(exit.done).toBe(true);
    expect(made.processed).toEqual(range(6));
  });
});

describe('P7: an object that is reused before its grace period is over', () => {
  class Entry implements RcuHead {
    rcuNext: RcuHead | null = null;
    key = '';
  }

  /** A reader finds an entry, and looks at it only after it has been dequeued for another key. */
  function find(checks: boolean): string {
    const { srcu, loop } = srcuBench();
    const pending = new RcuPending<Entry>({ rcu: srcu, process() {}, scheduler: loop, clock: loop });
    const table = new Map<string, Entry>();
    const add = (key: string): Entry => {
      const entry = pending.dequeue() ?? new Entry();
      entry.key = key;
      table.set(key, entry);
      return entry;
    };
    const first = add('a');
    const index = srcu.readLock();
    const found = table.get('a') as Entry;
    table.delete('a');
    pending.enqueue(first);
    expect(add('b')).toBe(first);
    // The reader goes on: locks what it found, and then sees who it is now.
    const answer = checks && found.key !== 'a' ? 'absent' : `the entry of ${found.key}`;
    srcu.readUnlock(index);
    return answer;
  }

  it('is known by its identity once it is locked', () => {
    expect(find(true)).toBe('absent');
  });

  it('is taken for another by a reader that does not look', () => {
    expect(find(false)).toBe('the entry of b');
  });

  it('dequeueExpired does not hand it out', () => {
    const { srcu, pending, enqueue, loop } = srcuBench();
    const index = srcu.readLock();
    enqueue(1);
    loop.runSync();
    expect(pending.dequeueExpired()).toBeUndefined();
    expect(pending.count).toBe(1);
    srcu.readUnlock(index);
    void srcu.synchronizeExpedited();
    expect(pending.dequeueExpired()?.id).toBe(1);
  });
});

describe('P8: a sequence from which everything was dequeued', () => {
  it.each([
    ['nodes', () => new NodePool({ nodeEntries: 2 })],
    ['the list', dryPool],
  ])('is not processed, and keeps no exit waiting for ever: %s', async (_where, pool) => {
    const nodes = pool();
    const { srcu, pending, processed, enqueue, loop } = srcuBench({ nodes });
    const index = srcu.readLock();
    enqueue(...range(7));
    while (pending.dequeue() !== undefined);
    pending.checkInvariants();
    const exit = watch(pending.exit());
    await loop.runAll();
    // The callback is still with the domain.
    expect(exit.done).toBe(false);
    srcu.readUnlock(index);
    await loop.runAll();
    expect(exit.done).toBe(true);
    expect(processed).toEqual([]);
    expect(nodes.taken).toBe(0);
    expect(pending.stats().buckets).toBe(0);
  });

  it('asks for no further grace period', async () => {
    const { srcu, pending, enqueue, loop } = srcuBench();
    enqueue(0);
    const index = srcu.readLock();
    enqueue(1, 2);
    while (pending.dequeue() !== undefined);
    const exit = watch(pending.exit());
    await loop.runAll();
    // The callback of the first cookie has come, and nobody waits for the second.
    expect(exit.done).toBe(true);
    srcu.readUnlock(index);
  });

  it('can be filled again', () => {
    const { srcu, pending, processed, enqueue, loop } = srcuBench();
    const index = srcu.readLock();
    enqueue(0, 1);
    expect([pending.dequeue()?.id, pending.dequeue()?.id]).toEqual([0, 1]);
    enqueue(2);
    expect(pending.stats().buckets).toBeLessThanOrEqual(2);
    srcu.readUnlock(index);
    loop.runSync();
    expect(processed).toEqual([2]);
  });
});

describe('P15: an object that comes while the callback runs', () => {
  function comesDuringCallback(bust: (made: Bench) => void = () => {}): Bench {
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        if (thing.id < 3) {
          made.enqueue(thing.id + 1);
        }
      },
    });
    bust(made);
    made.enqueue(0);
    made.loop.runSync();
    made.pending.checkInvariants();
    expect(made.processed).toEqual([0, 1, 2, 3]);
    return made;
  }

  it('is waited for by a callback of its own', () => {
    comesDuringCallback();
  });

  it('catches a callback that clears its mark at the end', () => {
    expect(() =>
      comesDuringCallback(({ pending }) => {
        const shard = shardOf(pending) as unknown as { work(): void; armed: boolean };
        const real = shard.work.bind(shard);
        shard.work = () => {
          shard.armed = true;
          real();
          shard.armed = false;
        };
      }),
    ).toThrow();
  });
});

describe('P17: an enqueuer that may sleep', () => {
  function worksForOneBudget(bust: (made: Bench) => void = () => {}): void {
    const STEP_MS = 0.01;
    const COUNT = 100_000;
    const made = srcuBench({
      process() {
        made.loop.timeMs += STEP_MS;
      },
    });
    bust(made);
    made.enqueue(...range(COUNT));
    void made.srcu.synchronizeExpedited();
    for (let calls = 0; calls < 5; calls++) {
      const before = made.loop.timeMs;
      const count = made.pending.count;
      made.pending.enqueue(new Thing(-1), { maySleep: true });
      expect(made.loop.timeMs - before).toBeLessThan(1.2);
      // The first has the one object of the first sequence, the others have enough to do.
      expect(made.loop.timeMs - before).toBeGreaterThanOrEqual(calls === 0 ? STEP_MS : 1);
      expect(made.pending.count).toBeLessThanOrEqual(count);
    }
    expect(made.pending.count).toBeGreaterThan(COUNT / 2);
    expect(made.loop.runSync()).toBeGreaterThan(5);
  }

  it('works for no longer than one budget and one stride', () => worksForOneBudget());

  it('catches a pending that works off a whole sequence', () => {
    expect(() =>
      worksForOneBudget(({ pending }) => {
        shardOf(pending).sleeperBudget.look = () => false;
      }),
    ).toThrow();
  });

  it('takes one sequence at a time', () => {
    const { pending, enqueue, processed, srcu } = srcuBench();
    enqueue(0, 1, 2);
    void srcu.synchronizeExpedited();
    pending.enqueue(new Thing(3), { maySleep: true });
    expect(processed).toEqual([0]);
    pending.enqueue(new Thing(4), { maySleep: true });
    expect(sorted(processed)).toEqual([0, 1, 2]);
    expect(pending.count).toBe(2);
  });

  it('processes its own object if the grace period has ended meanwhile', () => {
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        void made.srcu.synchronizeExpedited();
      },
    });
    made.enqueue(0);
    void made.srcu.synchronizeExpedited();
    made.pending.enqueue(new Thing(1), { maySleep: true });
    expect(made.processed).toEqual([0, 1]);
    expect(made.pending.stats()).toMatchObject({ processed: 2, buckets: 0 });
  });

  it('sleeps for nobody while somebody else processes', () => {
    const made = srcuBench({
      process(thing) {
        if (thing.id < 3) {
          made.pending.enqueue(new Thing(thing.id + 10), { maySleep: true });
        }
        made.processed.push(thing.id);
      },
    });
    made.enqueue(0, 1, 2, 3);
    made.loop.runSync();
    // Nothing was processed within the processing of another.
    expect(made.processed).toEqual([0, 1, 2, 3, 10, 11, 12]);
  });
});

describe('P20: a barrier', () => {
  async function waitsForAll(barrier: (made: ReturnType<typeof srcuBench>) => Promise<void>): Promise<void> {
    const made = srcuBench();
    const { srcu, enqueue, loop, processed } = made;
    enqueue(0);
    // In a later sequence, for which no callback has been queued yet.
    const index = srcu.readLock();
    enqueue(1);
    const passed = watch(barrier(made));
    await loop.runAll();
    expect(processed).toEqual([0]);
    expect(passed.done).toBe(false);
    enqueue(2);
    srcu.readUnlock(index);
    while (!passed.done) {
      loop.runTurn();
      await microtasks();
    }
    expect(processed.slice(0, 2)).toEqual([0, 1]);
    await loop.runAll();
    expect(processed).toEqual([0, 1, 2]);
  }

  it('covers what has not been handed over yet', () => waitsForAll(({ pending }) => pending.barrier()));

  it('that of the domain does not', async () => {
    await expect(waitsForAll(({ srcu }) => srcu.barrier())).rejects.toThrow();
  });

  it('does not wait for what comes later', async () => {
    const { srcu, pending, enqueue, loop } = srcuBench();
    enqueue(0);
    const passed = watch(pending.barrier());
    const index = srcu.readLock();
    enqueue(1);
    await loop.runAll();
    expect([passed.done, pending.count]).toEqual([true, 1]);
    const next = watch(pending.barrier());
    srcu.readUnlock(index);
    await loop.runAll();
    expect(next.done).toBe(true);
  });

  it('is over as soon as everything was drained', async () => {
    const { pending, enqueue } = srcuBench();
    enqueue(0, 1);
    const passed = watch(pending.barrier());
    pending.expedite();
    pending.drainExpired(10);
    await microtasks();
    expect(passed.done).toBe(true);
  });

  it('is forgotten once it has been told', async () => {
    const { pending, enqueue, loop } = srcuBench();
    const { waiters } = (pending as unknown as { own: { waiters: { isEmpty: boolean } } }).own;
    expect(waiters.isEmpty).toBe(true);
    await pending.barrier();
    enqueue(1);
    const passed = pending.barrier();
    expect(waiters.isEmpty).toBe(false);
    await loop.runAll();
    await passed;
    expect(waiters.isEmpty).toBe(true);
  });

  it('waits for nothing where nothing waits', async () => {
    const { pending, enqueue, loop } = srcuBench();
    await pending.barrier();
    enqueue(1);
    expect(pending.dequeue()?.id).toBe(1);
    await pending.barrier();
    expect(loop.scheduled).toBe(1);
  });

  it('waits for promises that process has returned', async () => {
    let finish = (): void => {};
    const { pending, enqueue, loop } = srcuBench({
      process: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    enqueue(1);
    await loop.runAll();
    expect([pending.count, pending.stats().inFlight]).toEqual([0, 1]);
    const passed = watch(pending.barrier());
    await microtasks();
    expect(passed.done).toBe(false);
    finish();
    await microtasks();
    expect(passed.done).toBe(true);
  });

  it.each([
    ['in order', -1],
    ['out of order', 0],
  ])('waits for each of two lists that were joined, %s', async (_how, lateEpoch) => {
    // More sequences than there are to spare expire, and there are no nodes: their lists are joined.
    const { flavor, pending, enqueue, processed, loop } = epochBench({ nodes: dryPool() }, { maxLiveCookies: 9 });
    const real = flavor.poll.bind(flavor);
    let late = lateEpoch;
    flavor.poll = (cookie) => real(cookie) && (cookie as unknown as number) !== late;
    enqueue(0, 10);
    const passed = watch(pending.barrier());
    flavor.advance();
    loop.timeMs = 50;
    for (const id of range(4, 1)) {
      enqueue(id, id + 10);
      flavor.advance();
    }
    loop.timeMs = 100;
    pending.drainExpired(1);
    enqueue(5);
    late = -1;
    pending.drainExpired(1);
    pending.checkInvariants();
    expect(pending.stats().oldestAgeMs).toBe(100);
    await microtasks();
    expect([passed.done, pending.count]).toEqual([false, 9]);
    expect(pending.stats().buckets).toBeLessThan(6);
    await loop.runAll();
    expect(passed.done).toBe(true);
    expect(sorted(processed)).toEqual([...range(6), ...range(5, 10)]);
  });
});
