import { NodePool } from '@core/genradix';
import { Rcu, Srcu } from '@core/rcu';
import { describe, expect, it } from 'vitest';
import { PendingError, type RcuHead, RcuPending } from '../src/index.js';
import { Thing, bench, bulkInto, dryPool, range, sorted, srcuBench } from './support/bench.js';
import { TestLoop } from './support/test-loop.js';
import { uncaught } from './support/uncaught.js';

describe('RcuPending', () => {
  it('processes each object after its grace period, and never before', () => {
    const { srcu, pending, enqueue, processed, loop } = srcuBench();
    const index = srcu.readLock();
    enqueue(1, 2, 3);
    loop.runSync();
    expect(processed).toEqual([]);
    srcu.readUnlock(index);
    expect(processed).toEqual([]);
    loop.runSync();
    expect(sorted(processed)).toEqual([1, 2, 3]);
    expect(pending.stats()).toMatchObject({ processed: 3, errors: 0, reused: 0, buckets: 0 });
  });

  it('does the same with every default, on the event loop', async () => {
    for (const rcu of [new Rcu(), new Srcu()]) {
      const ids: number[] = [];
      const pending = new RcuPending<Thing>({ rcu, process: (thing) => ids.push(thing.id) });
      pending.enqueue(new Thing(1));
      await Promise.resolve();
      expect(ids).toEqual([]);
      await pending.barrier();
      expect(ids).toEqual([1]);
      for (const id of range(2000)) {
        pending.enqueue(new Thing(id));
      }
      await pending.barrier();
      expect(ids.length).toBe(2001);
      await pending.exit();
    }
  });

  it('takes any object there is', () => {
    const { pending, loop } = srcuBench({ process() {} });
    const odd = [
      Object.freeze({ rcuNext: null }),
      Object.assign(() => {}, { rcuNext: null }),
      Object.assign([], { rcuNext: null }),
      {} as RcuHead,
    ];
    for (const object of odd) {
      pending.enqueue(object as Thing);
    }
    expect(pending.count).toBe(4);
    loop.runSync();
    expect(pending.count).toBe(0);
  });

  it('on the list takes objects without a link, and leaves those alone that cannot have one', () => {
    const { pending, loop } = srcuBench({ nodes: dryPool(), process() {} });
    pending.enqueue({} as Thing);
    for (const times of range(2)) {
      expect(() => pending.enqueue(Object.freeze(new Thing(times)))).toThrow(TypeError);
    }
    pending.enqueue(new Thing(1));
    expect(() => pending.enqueue(Object.freeze(new Thing(1)))).toThrow(TypeError);
    expect(pending.count).toBe(2);
    pending.checkInvariants();
    loop.runSync();
    expect(pending.count).toBe(0);
  });

  it('shares a pool of nodes with others', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: 4 });
    const nodes = new NodePool({ nodeEntries: 4, budgetBytes: 4 * nodeBytes });
    const loop = new TestLoop();
    const rcu = new Rcu({ scheduler: loop, clock: loop });
    const many = range(4).map(() => bench(loop, rcu, { nodes }));
    for (const { enqueue } of many) {
      enqueue(...range(20));
    }
    expect(nodes.bytes).toBe(4 * nodeBytes);
    expect(many.map(({ pending }) => pending.stats().listed > 0)).toEqual([true, true, true, true]);
    loop.runSync();
    expect(many.map(({ processed }) => processed.length)).toEqual([20, 20, 20, 20]);
    expect(nodes.taken).toBe(0);
  });

  it('sends what `isBulk` refuses to the list', () => {
    const { pending, enqueue, loop, processed } = srcuBench({ isBulk: (thing) => thing.id % 2 === 0 });
    enqueue(...range(10));
    expect(pending.stats()).toMatchObject({ listed: 5 });
    loop.runSync();
    expect(sorted(processed)).toEqual(range(10));
  });
});

describe('what process returns', () => {
  it.each([5, 'text', {}, null, [], () => {}, undefined])(
    'is waited for only if it is a promise, so not %o',
    (result) => {
      for (const process of [() => result, { bulk: () => result as undefined }]) {
        const { pending, enqueue, loop } = srcuBench({ process });
        enqueue(1, 2, 3);
        loop.runSync();
        expect(pending.stats()).toMatchObject({ inFlight: 0, processed: 3, errors: 0 });
      }
    },
  );
});

describe('errors of process', () => {
  it('go to onError, and stop nothing', () => {
    const told: string[] = [];
    const { pending, enqueue, loop, processed } = srcuBench({
      process(thing) {
        if (thing.id % 2 === 0) {
          throw new Error(`no ${thing.id}`);
        }
        processed.push(thing.id);
      },
      onError: (error, thing) => told.push(`${(error as Error).message} of ${thing.id}`),
    });
    enqueue(...range(6));
    loop.runSync();
    expect(sorted(processed)).toEqual([1, 3, 5]);
    expect(told.sort()).toEqual(['no 0 of 0', 'no 2 of 2', 'no 4 of 4']);
    expect(pending.stats()).toMatchObject({ processed: 6, errors: 3 });
    expect(pending.count).toBe(0);
  });

  it('in bulk come with the first of the objects', () => {
    const told: number[] = [];
    const nodes = new NodePool({ nodeEntries: 4 });
    const { pending, enqueue, loop } = srcuBench({
      nodes,
      process: {
        bulk() {
          throw new Error('no');
        },
      },
      onError: (_error, thing) => told.push(thing.id),
    });
    enqueue(...range(6));
    loop.runSync();
    expect(told).toEqual([0, 1, 5]);
    expect(pending.stats()).toMatchObject({ processed: 6, errors: 3 });
    expect(nodes.taken).toBe(0);
  });

  it('of onError itself are reported too', async () => {
    const { enqueue, loop, processed } = srcuBench({
      process(thing) {
        processed.push(thing.id);
        throw new Error('first');
      },
      onError() {
        throw new Error('second');
      },
    });
    const caught = await uncaught(() => {
      enqueue(1, 2);
      loop.runSync();
    });
    expect(processed).toEqual([1, 2]);
    expect(caught.map((error) => (error as Error).message)).toEqual(['second', 'second']);
  });

  it('without onError are uncaught exceptions', async () => {
    const { enqueue, loop } = srcuBench({
      process() {
        throw new Error('nobody listens');
      },
    });
    const caught = await uncaught(() => {
      enqueue(1);
      loop.runSync();
    });
    expect(caught).toMatchObject([{ message: 'nobody listens' }]);
  });

  it.each([
    ['one by one', false],
    ['in bulk', true],
  ])('may be answered by another try: %s', (_how, isBulk) => {
    const tries = new Map<Thing, number>();
    const failTwice = (thing: Thing): void => {
      const count = (tries.get(thing) ?? 0) + 1;
      tries.set(thing, count);
      if (count < 3) {
        throw new Error('not yet');
      }
    };
    const made = srcuBench({
      debug: true,
      process: isBulk
        ? { bulk: (things: readonly Thing[], count: number) => things.slice(0, count).forEach(failTwice) }
        : failTwice,
      nodes: new NodePool({ nodeEntries: 2 }),
      onError: (_error, thing) => made.pending.enqueue(thing),
    });
    made.enqueue(1);
    made.loop.runSync();
    made.enqueue(...(isBulk ? [] : range(5)));
    made.loop.runSync();
    expect([...tries.values()]).toEqual(isBulk ? [3] : [3, 3, 3, 3, 3, 3]);
    expect(made.pending.count).toBe(0);
    made.pending.checkInvariants();
  });

  it('include promises that reject, and thenables that throw', async () => {
    const told: string[] = [];
    const { pending, enqueue, loop } = srcuBench({
      process(thing) {
        if (thing.id === 1) {
          return new Proxy(
            {},
            {
              get() {
                throw new Error('then');
              },
            },
          );
        }
        return thing.id === 2 ? Promise.reject(new Error('promise')) : 'no promise';
      },
      onError: (error) => told.push((error as Error).message),
    });
    enqueue(1, 2, 3);
    loop.runSync();
    await pending.barrier();
    expect(told.sort()).toEqual(['promise', 'then']);
    expect(pending.stats()).toMatchObject({ processed: 3, errors: 2, inFlight: 0 });
  });
});

describe('sizeOf', () => {
  it.each([Number.NaN, -1, Infinity, '5', 5n, undefined])('that says %s refuses the object', (size) => {
    const { pending, enqueue } = srcuBench({ sizeOf: () => size as number });
    expect(() => enqueue(1)).toThrow(RangeError);
    expect(() => pending.enqueue(new Thing(1), { maySleep: true })).toThrow(/sizeOf must return a number of 0 or more/);
    expect([pending.count, pending.bytes, pending.dequeue()]).toEqual([0, 0, undefined]);
    pending.checkInvariants();
  });

  it('that throws refuses the object', () => {
    const { pending, enqueue } = srcuBench({
      sizeOf() {
        throw new Error('no idea');
      },
    });
    expect(() => enqueue(1)).toThrow('no idea');
    expect(pending.count).toBe(0);
  });

  it('that throws later holds nothing up', () => {
    const told: string[] = [];
    let fails = false;
    const { pending, enqueue, loop, processed } = srcuBench({
      sizeOf() {
        if (fails) {
          throw new Error('no idea any more');
        }
        return 5;
      },
      onError: (error) => told.push((error as Error).message),
    });
    enqueue(1, 2);
    fails = true;
    loop.runSync();
    expect(processed).toEqual([1, 2]);
    expect(told).toEqual(['no idea any more', 'no idea any more']);
    // Bytes that nobody knows the owner of end when nothing waits.
    expect([pending.count, pending.bytes]).toEqual([0, 0]);
  });

  it.each([
    ['nodes', new NodePool({ nodeEntries: 2 })],
    ['the list', dryPool()],
  ])('that uses the pending does no harm: %s', (_where, nodes) => {
    let depth = 0;
    let asked = 0;
    const left: number[] = [];
    const made = srcuBench({
      nodes,
      sizeOf(thing) {
        if (depth === 0 && ++asked % 5 === 0) {
          depth++;
          const other = asked % 2 === 0 ? made.pending.dequeue() : made.pending.dequeueExpired();
          left.push(...(other === undefined ? [] : [other.id]));
          made.pending.drainExpired(1);
          depth--;
        }
        return thing.id;
      },
    });
    made.enqueue(...range(100));
    left.push(...range(10).map(() => made.pending.dequeue()?.id ?? -1));
    made.pending.expedite();
    left.push(...range(10).map(() => made.pending.dequeueExpired()?.id ?? -1));
    left.push(made.pending.dequeueWhere((thing) => thing.id > 50)?.id ?? -1);
    made.pending.checkInvariants();
    made.loop.runSync();
    expect(sorted([...left, ...made.processed])).toEqual(range(100));
    expect([made.pending.count, made.pending.bytes]).toEqual([0, 0]);
  });

  it('that changes is noticed in debug mode, and does no harm to the books', () => {
    const told: unknown[] = [];
    let size = 5;
    const { pending, enqueue } = srcuBench({
      debug: true,
      sizeOf: () => size,
      onError: (error) => told.push(PendingError.is(error) ? [error.code, error.message] : error),
    });
    enqueue(1, 2);
    size = 7;
    pending.dequeue();
    expect(pending.bytes).toBe(5);
    expect(told).toEqual([
      ['ERR_PENDING_SIZE_CHANGED', 'Cannot account for an object: sizeOf said 5 bytes when it came and says 7 now'],
    ]);
    pending.dequeue();
    expect(pending.bytes).toBe(0);
  });

  it.each([
    ['in nodes', {}],
    ['on a list', { nodes: dryPool() }],
    ['in bulk', { process: bulkInto([]) }],
    ['in shards', { shards: { current: () => 0 } }],
  ])('that grows while objects wait makes no bytes below 0: %s', (_, options) => {
    let size = 1;
    const made = srcuBench({ ...options, sizeOf: () => size });
    made.enqueue(...range(10));
    size = 100;
    for (let left = 9; left > 0; left--) {
      made.pending.dequeue();
      expect(made.pending.count).toBe(left);
      expect(made.pending.bytes).toBe(0);
      made.pending.checkInvariants();
    }
    size = 0.1;
    made.enqueue(...range(10));
    expect(made.pending.bytes).toBeCloseTo(1);
    size = 0.3;
    made.loop.runSync();
    expect([made.pending.count, made.pending.bytes]).toEqual([0, 0]);
    made.pending.checkInvariants();
  });
});

describe('expediteAt', () => {
  /** Enqueues until the domain is asked to hurry. @returns at which object */
  function expeditedAt(options: Parameters<typeof srcuBench>[0], most: number): number {
    const made = srcuBench(options);
    const index = made.srcu.readLock();
    let calls = 0;
    const real = made.srcu.synchronizeExpedited.bind(made.srcu);
    made.srcu.synchronizeExpedited = () => {
      calls++;
      return real();
    };
    for (const id of range(most, 1)) {
      made.enqueue(id);
      if (calls > 0) {
        expect(made.pending.stats().expedited).toBe(1);
        made.enqueue(id + 1, id + 2);
        // Once is enough while it lasts.
        expect(calls).toBe(1);
        made.srcu.readUnlock(index);
        return id;
      }
    }
    return -1;
  }

  it.each([0, 1, 2, 5, 255, 256, 257, 300])('count %i: expedites at the next object', (count) => {
    expect(expeditedAt({ expediteAt: { count } }, 1000)).toBe(count + 1);
    expect(expeditedAt({ expediteAt: { count }, nodes: dryPool() }, 1000)).toBe(count + 1);
    expect(expeditedAt({ expediteAt: { count }, nodes: new NodePool({ nodeEntries: 2 }) }, 1000)).toBe(count + 1);
  });

  it('bytes: expedites above them', () => {
    expect(expeditedAt({ expediteAt: { bytes: 1000 }, sizeOf: () => 100 }, 100)).toBe(11);
    expect(expeditedAt({ expediteAt: { bytes: 1050 }, sizeOf: () => 100 }, 100)).toBe(11);
    expect(expeditedAt({ expediteAt: { bytes: 1000, count: 3 }, sizeOf: () => 100 }, 100)).toBe(4);
    expect(expeditedAt({ expediteAt: { bytes: 10_000 }, sizeOf: () => 100 }, 100)).toBe(-1);
  });

  it('counts over all shards', () => {
    let asked = 0;
    const shards = { current: () => asked++ % 3 };
    expect(expeditedAt({ expediteAt: { count: 10 }, shards, isBulk: () => true }, 100)).toBe(11);
    // Where objects are not looked at, a shard may notice late that the others have grown, by a node of each.
    const nodes = new NodePool({ nodeEntries: 4 });
    expect(expeditedAt({ expediteAt: { count: 10 }, shards, nodes }, 100)).toBeLessThanOrEqual(11 + 3 * 4);
  });

  it('counts what waits now, not what has come', () => {
    const { srcu, pending, enqueue } = srcuBench({ expediteAt: { count: 10 } });
    srcu.readLock();
    for (let round = 0; round < 100; round++) {
      enqueue(...range(10));
      range(10).forEach(() => pending.dequeue());
    }
    expect(pending.stats().expedited).toBe(0);
    enqueue(...range(11));
    expect(pending.stats().expedited).toBe(1);
  });

  it('hurries again the next time', async () => {
    const { pending, enqueue, loop } = srcuBench({ expediteAt: { count: 2 } });
    for (const round of range(3, 1)) {
      enqueue(...range(3));
      expect(pending.stats().expedited).toBe(round);
      await loop.runAll();
      expect(pending.count).toBe(0);
    }
  });
});

describe('expedite', () => {
  it('ends a grace period at once when nobody reads', () => {
    const { pending, enqueue, processed } = srcuBench();
    enqueue(1, 2);
    expect(pending.drainExpired(10)).toBe(0);
    pending.expedite();
    expect(pending.drainExpired(10)).toBe(2);
    expect(processed).toEqual([1, 2]);
  });

  it('that fails is reported, and can be tried again', async () => {
    const { srcu, pending } = srcuBench();
    for (const how of [() => Promise.reject(new Error('later')), raise]) {
      srcu.synchronizeExpedited = how;
      const caught = await uncaught(() => pending.expedite());
      expect(caught).toMatchObject([{ message: how === raise ? 'at once' : 'later' }]);
    }
    expect(pending.stats().expedited).toBe(2);
  });
});

describe('drainExpired', () => {
  it('processes so many and no more', () => {
    const { pending, enqueue, processed } = srcuBench();
    enqueue(...range(100));
    pending.expedite();
    expect(pending.drainExpired(0)).toBe(0);
    expect(pending.drainExpired(7)).toBe(7);
    expect(processed.length).toBe(7);
    expect(pending.drainExpired(Infinity)).toBe(93);
    expect(pending.drainExpired(1)).toBe(0);
  });

  it('in bulk stops at a node', () => {
    const ids: number[] = [];
    const { pending, enqueue } = srcuBench({ nodes: new NodePool({ nodeEntries: 8 }), process: bulkInto(ids) });
    enqueue(...range(33));
    pending.expedite();
    expect(pending.drainExpired(1)).toBe(1);
    expect(pending.drainExpired(1)).toBe(8);
    expect(pending.drainExpired(9)).toBe(16);
    expect(ids.length).toBe(25);
  });

  it('works over all shards', () => {
    let current = 0;
    const { pending, enqueue, processed } = srcuBench({ shards: { current: () => current } });
    for (const shard of range(4)) {
      current = shard;
      enqueue(shard, shard + 10);
    }
    pending.expedite();
    expect(pending.drainExpired(3)).toBe(3);
    expect(pending.drainExpired(10)).toBe(5);
    expect(sorted(processed)).toEqual([...range(4), ...range(4, 10)]);
  });

  it('called by process does nothing', () => {
    const drained: number[] = [];
    const made = srcuBench({
      process(thing) {
        made.processed.push(thing.id);
        drained.push(made.pending.drainExpired(10));
      },
    });
    made.enqueue(...range(5));
    made.loop.runSync();
    expect(drained).toEqual([0, 0, 0, 0, 0]);
    expect(made.processed.length).toBe(5);
  });

  it.each([Number.NaN, -1, undefined])('refuses %s', (limit) => {
    expect(() => srcuBench().pending.drainExpired(limit as number)).toThrow(RangeError);
  });
});

describe('bad input', () => {
  const rcu = new Rcu();
  const process = (): void => {};

  it.each([
    ['no options', undefined],
    ['no rcu', { process }],
    ['no flavour', { rcu: {}, process }],
    ['no process', { rcu }],
    ['process that is no function', { rcu, process: 'free' }],
    ['bulk that is no function', { rcu, process: { bulk: true } }],
    ['sizeOf that is no function', { rcu, process, sizeOf: 8 }],
    ['isBulk that is no function', { rcu, process, isBulk: true }],
    ['onError that is no function', { rcu, process, onError: 'log' }],
  ])('%s: TypeError', (_what, options) => {
    expect(() => new RcuPending(options as never)).toThrow(TypeError);
  });

  it.each([
    { budgetMs: 0 },
    { budgetMs: -1 },
    { budgetMs: Number.NaN },
    { expediteAt: { count: -1 } },
    { expediteAt: { bytes: Number.NaN } },
  ])('%o: RangeError', (options) => {
    expect(() => new RcuPending({ rcu, process, ...options })).toThrow(RangeError);
  });

  it.each([null, undefined, 5, 'thing', true])('enqueue(%s): TypeError', (object) => {
    const { pending } = srcuBench();
    expect(() => pending.enqueue(object as never)).toThrow(TypeError);
    expect(pending.count).toBe(0);
    pending.enqueue(new Thing(1));
    pending.enqueue(new Thing(2));
    if (object === null || object === undefined) {
      // Also where objects are not looked at: it would read as an empty slot.
      expect(() => pending.enqueue(object as never)).toThrow(/must be an object/);
      pending.checkInvariants();
    }
  });

  it('dequeueWhere without a predicate: TypeError', () => {
    expect(() => srcuBench().pending.dequeueWhere(undefined as never)).toThrow(TypeError);
  });
});

function raise(): never {
  throw new Error('at once');
}
