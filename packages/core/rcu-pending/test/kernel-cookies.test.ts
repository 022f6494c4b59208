import { NodePool } from '@core/genradix';
import type { Cookie } from '@core/rcu';
import { describe, expect, it } from 'vitest';
import {
  type Bench,
  type EpochBench,
  Thing,
  bench,
  dryPool,
  epochBench,
  range,
  shardOf,
  sorted,
  srcuBench,
} from './support/bench.js';
import { EpochFlavor } from './support/epoch-flavor.js';
import { TestLoop } from './support/test-loop.js';

describe('P1: a flavour that calls back inside call()', () => {
  function callsBackAtOnce(bust: (made: Bench) => void = () => {}): void {
    const made = epochBench({}, { callsAtOnce: 1 });
    bust(made);
    const { flavor, pending, processed, enqueue, loop } = made;
    const reader = flavor.openReader();
    enqueue(1, 2, 3);
    expect(processed).toEqual([]);
    expect(flavor.calls).toBe(1);
    for (let turn = 0; turn < 10; turn++) {
      expect(loop.isAlive).toBe(true);
      loop.runTurn();
      pending.checkInvariants();
      expect(processed).toEqual([]);
    }
    flavor.closeReader(reader);
    loop.runSync();
    expect(sorted(processed)).toEqual([1, 2, 3]);
  }

  it('neither recurses nor processes early', () => callsBackAtOnce());

  it('catches a pending that asks again from inside', () => {
    expect(() =>
      callsBackAtOnce(({ pending }) => {
        const shard = shardOf(pending);
        shard.rearm = () => shard.arm();
      }),
    ).toThrow(/call stack/);
  });
});

it('a flavour is asked once to tell of the next advance, however often the window opens', () => {
  const { flavor, pending, enqueue } = epochBench();
  const told = flavor as unknown as { observers: unknown[] };
  for (let times = 0; times < 50; times++) {
    enqueue(1, 2);
    pending.dequeueWhere(() => true);
    expect(told.observers.length).toBe(1);
  }
  flavor.advance();
  expect(told.observers.length).toBe(0);
  enqueue(3);
  expect(told.observers.length).toBe(1);
});

describe('P3: cookies that are objects', () => {
  function storesByEquality(bust: (made: EpochBench) => void = () => {}): void {
    const made = epochBench({}, { cookies: 'object', notifies: false });
    bust(made);
    made.enqueue(...range(100));
    expect(made.pending.stats().buckets).toBe(1);
    made.flavor.advance();
    made.enqueue(...range(100, 100));
    expect(made.pending.stats().buckets).toBe(2);
    made.loop.runSync();
    expect(sorted(made.processed)).toEqual(range(200));
  }

  it('are compared by the flavour', () => storesByEquality());

  it('catches raw comparison', () => {
    expect(() =>
      storesByEquality(({ flavor }) => {
        flavor.equal = (a, b) => a === b;
      }),
    ).toThrow(/100/);
  });
});

describe('P10: a cookie that is late', () => {
  function processesInAnyOrder(late: number, bust: (made: EpochBench) => void = () => {}): number[][] {
    const made = epochBench({}, { maxLiveCookies: 5 });
    bust(made);
    const { flavor, pending, processed, enqueue, loop } = made;
    const real = flavor.poll.bind(flavor);
    let isLate = true;
    flavor.poll = (cookie) => real(cookie) && !(isLate && (cookie as unknown as number) === late);
    for (const id of [0, 1, 2]) {
      enqueue(id);
      flavor.advance();
    }
    loop.runTurn();
    pending.drainExpired(10);
    const early = [...processed];
    isLate = false;
    loop.runSync();
    return [early, processed];
  }

  it.each([
    [0, [1, 2]],
    [1, [0, 2]],
    [2, [0, 1]],
  ])('cookie %i keeps no other waiting', (late, others) => {
    const [early, all] = processesInAnyOrder(late);
    expect(early).toEqual(others);
    expect(all).toEqual([...others, late]);
  });

  it('catches a pending that asks only for its first cookie', () => {
    const [early] = processesInAnyOrder(0, ({ pending, flavor }) => {
      const { sequences } = shardOf(pending);
      const real = sequences.collect.bind(sequences);
      sequences.collect = () => {
        const first = sequences.live.at(0) as { cookie: Cookie } | undefined;
        if (first !== undefined && flavor.poll(first.cookie)) {
          real();
        }
      };
    });
    expect(early).toEqual([]);
  });

  it('its objects are the oldest all the same', () => {
    const { flavor, pending, enqueue, loop } = epochBench({}, { maxLiveCookies: 5 });
    const real = flavor.poll.bind(flavor);
    flavor.poll = (cookie) => real(cookie) && (cookie as unknown as number) !== 0;
    enqueue(0);
    loop.timeMs = 100;
    flavor.advance();
    enqueue(1, 2);
    flavor.advance();
    expect(pending.drainExpired(1)).toBe(1);
    loop.timeMs = 150;
    expect(pending.stats().oldestAgeMs).toBe(150);
    expect(pending.dequeueExpired()?.id).toBe(2);
    expect(pending.dequeue()?.id).toBe(0);
    expect(pending.stats().oldestAgeMs).toBe(0);
  });
});

describe('P11: a flavour whose first cookie is 0', () => {
  function startsOne(nodes: NodePool, bust: (made: EpochBench) => void = () => {}): void {
    const made = epochBench({ nodes }, { maxLiveCookies: 2 });
    bust(made);
    const { flavor, processed, enqueue, loop } = made;
    expect(flavor.getState()).toBe(0);
    enqueue(1, 2);
    expect(flavor.calls).toBe(1);
    loop.runSync();
    expect(sorted(processed)).toEqual([1, 2]);
    expect(flavor.epoch).toBe(1);
  }

  it('gets a grace period for objects in nodes', () => startsOne(new NodePool()));

  it('gets a grace period for objects on the list', () => startsOne(dryPool()));

  it('catches a pending that takes 0 for one that it has asked for', () => {
    expect(() =>
      startsOne(dryPool(), ({ pending, flavor }) => {
        const shard = shardOf(pending);
        const real = shard.ensureGracePeriod.bind(shard);
        shard.ensureGracePeriod = () => {
          if ((flavor.getState() as unknown as number) !== 0) {
            real();
          }
        };
      }),
    ).toThrow();
  });
});

describe('P12: more cookies alive than the kernel has lists for', () => {
  it.each([
    ['nodes', () => new NodePool()],
    ['the list', dryPool],
  ])('neither loops nor loses anything, with %s', (_where, pool) => {
    const live = 7;
    const { flavor, pending, processed, enqueue, loop } = epochBench({ nodes: pool() }, { maxLiveCookies: live });
    const readers = [flavor.openReader()];
    for (let epoch = 0; epoch < live; epoch++) {
      flavor.polls = 0;
      enqueue(epoch * 2, epoch * 2 + 1);
      // One look at each sequence would be fair; a retry until one of them is over would not.
      expect(flavor.polls).toBeLessThanOrEqual(2 * live);
      flavor.advance();
      readers.push(flavor.openReader());
    }
    expect(pending.stats().buckets).toBe(live);
    expect(pending.dequeueExpired()).toBeUndefined();
    for (const [epoch, reader] of readers.entries()) {
      flavor.closeReader(reader);
      loop.runTurn();
      pending.checkInvariants();
      pending.drainExpired(Infinity);
      // The last epoch has not been asked to end before its turn.
      expect(processed.length).toBeGreaterThanOrEqual(Math.min(2 * (epoch + 1), 2 * (live - 1)));
    }
    loop.runSync();
    expect(sorted(processed)).toEqual(range(2 * live));
  });
});

describe('P13: a cookie that advances between being asked for and the store', () => {
  function advancesInBetween(bust: (made: Bench) => void = () => {}): void {
    const loop = new TestLoop();
    const flavor = new EpochFlavor({ scheduler: loop, maxLiveCookies: 5 });
    class AdvancingPool extends NodePool {
      override take(): ReturnType<NodePool['take']> {
        flavor.advance();
        return super.take();
      }
    }
    const made = bench(loop, flavor, { nodes: new AdvancingPool() });
    bust(made);
    const before = flavor.openReader();
    made.enqueue(1);
    expect(flavor.epoch).toBe(1);
    const between = flavor.openReader();
    made.enqueue(2);
    flavor.closeReader(before);
    loop.runTurn();
    made.pending.drainExpired(10);
    expect(made.processed).toEqual([1]);
    flavor.closeReader(between);
    loop.runSync();
    expect(made.processed).toEqual([1, 2]);
  }

  it('stores no other object under the old one', () => advancesInBetween());

  it.each([2, 4])('not even when it advances as the next leaf is opened, nodes of %i', (nodeEntries) => {
    const loop = new TestLoop();
    const flavor = new EpochFlavor({ scheduler: loop, maxLiveCookies: 9 });
    let advances = false;
    class AdvancingPool extends NodePool {
      override take(): ReturnType<NodePool['take']> {
        if (advances) {
          flavor.advance();
        }
        return super.take();
      }
    }
    const { pending, enqueue, processed } = bench(loop, flavor, { nodes: new AdvancingPool({ nodeEntries }) });
    enqueue(...range(nodeEntries - 1));
    // This one fills the leaf, the slow way, and then the next is opened.
    advances = true;
    pending.enqueue(new Thing(nodeEntries - 1), {});
    expect(flavor.epoch).toBeGreaterThan(0);
    flavor.openReader();
    enqueue(100);
    pending.drainExpired(Infinity);
    expect(processed).not.toContain(100);
    expect(pending.count).toBe(nodeEntries + 1 - processed.length);
  });

  it('catches a pending that opens a cursor for it', () => {
    expect(() =>
      advancesInBetween(({ pending }) => {
        shardOf(pending).isNewest = () => true;
      }),
    ).toThrow();
  });
});

describe('P14: a callback that is queued for an older grace period', () => {
  function coversTheNewer(bust: (made: EpochBench) => void = () => {}): void {
    const made = epochBench();
    bust(made);
    const { flavor, processed, enqueue, loop } = made;
    const reader = flavor.openReader();
    enqueue(1);
    flavor.advance();
    const later = flavor.openReader();
    enqueue(2);
    expect(flavor.calls).toBe(1);
    flavor.closeReader(reader);
    loop.runTurn();
    loop.runTurn();
    expect(processed).toEqual([1]);
    flavor.closeReader(later);
    loop.runSync();
    expect(processed).toEqual([1, 2]);
  }

  it('is queued again for the newer', () => coversTheNewer());

  it('catches a pending that does not', () => {
    expect(() =>
      coversTheNewer(({ pending }) => {
        shardOf(pending).rearm = () => {};
      }),
    ).toThrow();
  });

  it('the newer has its grace period even if the callback never comes', () => {
    const { flavor, pending, enqueue, loop } = epochBench();
    const reader = flavor.openReader();
    enqueue(1);
    flavor.advance();
    flavor.call = () => {};
    enqueue(2);
    flavor.closeReader(reader);
    loop.runTurn();
    loop.runTurn();
    expect(flavor.epoch).toBe(2);
    expect(pending.drainExpired(10)).toBeLessThanOrEqual(2);
    expect(pending.count).toBe(0);
  });
});

describe('P21: a batch whose cookie was taken earlier', () => {
  function addsToNoOldBatch(bust: (made: EpochBench) => void = () => {}): void {
    const made = epochBench({}, { maxLiveCookies: 5 });
    bust(made);
    made.enqueue(1);
    made.flavor.advance();
    const reader = made.flavor.openReader();
    made.enqueue(2);
    made.loop.runTurn();
    made.loop.runTurn();
    expect(made.processed).toEqual([1]);
    made.flavor.closeReader(reader);
    made.loop.runSync();
    expect(made.processed).toEqual([1, 2]);
  }

  it('gets no later object', () => addsToNoOldBatch());

  it('catches a pending that is not told of the advance', () => {
    expect(() =>
      addsToNoOldBatch(({ flavor }) => {
        const real = flavor.getState();
        flavor.getState = () => real;
        flavor.startPoll = () => real;
      }),
    ).toThrow();
  });

  it('three channels: one that is busy keeps the others from nothing', () => {
    // Nodes, the list, and objects that are being processed by somebody who uses the pending meanwhile.
    let busy = true;
    const made = epochBench(
      {
        isBulk: (thing) => thing.id % 2 === 0,
        process: (thing) => {
          if (busy) {
            busy = false;
            made.enqueue(10, 11);
            made.flavor.advance();
            made.enqueue(12, 13);
          }
          made.processed.push(thing.id);
        },
      },
      { maxLiveCookies: 5 },
    );
    made.enqueue(0, 1, 2, 3);
    made.loop.runSync();
    expect(sorted(made.processed)).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
  });
});

describe('P24: a flavour that lies', () => {
  function survives(lie: (flavor: EpochFlavor) => void): void {
    const { flavor, pending, processed, enqueue, loop } = epochBench();
    lie(flavor);
    const reader = flavor.openReader();
    enqueue(1);
    loop.runTurn();
    pending.drainExpired(10);
    expect(processed).toEqual([]);
    flavor.closeReader(reader);
    loop.runSync();
    expect(processed).toEqual([1]);
  }

  it('about its callbacks makes nothing early', () => {
    survives((flavor) => {
      const real = flavor.call.bind(flavor);
      flavor.call = (callback) => {
        callback();
        real(callback);
      };
    });
  });

  it('about its cookies is caught', () => {
    const lies = (poll: (cookie: Cookie) => boolean) => () =>
      survives((flavor) => {
        flavor.poll = poll;
      });
    expect(lies(() => true)).toThrow();
    expect(lies(() => false)).toThrow();
  });

  it('about its barrier has no say in that of the pending', async () => {
    const { srcu, pending, processed, enqueue, loop } = srcuBench();
    srcu.barrier = () => Promise.resolve();
    enqueue(1);
    const index = srcu.readLock();
    enqueue(2);
    let done = false;
    const barrier = pending.barrier().then(() => {
      done = true;
    });
    await loop.runAll();
    expect(done).toBe(false);
    srcu.readUnlock(index);
    await loop.runAll();
    await barrier;
    expect(processed).toEqual([1, 2]);
  });
});
