import { NodePool } from '@core/genradix';
import { Rcu, Srcu } from '@core/rcu';
import { SHRINK_EMPTY, SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, it } from 'vitest';
import { CallRcu, KvFree, type KvFreeOptions, PendingError, type RcuHead } from '../src/index.js';
import { dryPool, range } from './support/bench.js';
import { uncaught } from './support/uncaught.js';

/** A resource of one kind or another that writes down when it is freed. */
class Resource implements Disposable {
  readonly log: unknown[];
  readonly name: unknown;

  constructor(log: unknown[], name: unknown) {
    this.log = log;
    this.name = name;
  }

  [Symbol.dispose](): void {
    this.log.push(this.name);
  }
}

class WithHead extends Resource implements RcuHead {
  rcuNext: RcuHead | null = null;
}

class Async implements AsyncDisposable {
  readonly log: unknown[];
  readonly name: unknown;

  constructor(log: unknown[], name: unknown) {
    this.log = log;
    this.name = name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.log.push(`begins ${String(this.name)}`);
    await Promise.resolve();
    this.log.push(this.name);
  }
}

function make(options: Partial<KvFreeOptions> = {}): { srcu: Srcu; kv: KvFree; log: unknown[] } {
  const srcu = new Srcu();
  return { srcu, kv: new KvFree({ rcu: srcu, ...options }), log: [] };
}

describe('KvFree', () => {
  it.each([
    ['nodes', () => new NodePool({ nodeEntries: 4 })],
    ['the list', dryPool],
  ])('frees every kind of resource once, after its readers: %s', async (_where, pool) => {
    const { srcu, kv, log } = make({ nodes: pool() });
    const index = srcu.readLock();
    const buffer = Buffer.alloc(8);
    const frees = (resource: unknown): void => void log.push(resource);
    for (let round = 0; round < 5; round++) {
      kv.free(new Resource(log, 'headless'));
      kv.free(new WithHead(log, 'with head'));
      kv.free(buffer, frees);
      kv.free(new WithHead(log, 'never said'), (resource) => void log.push([resource.name]));
      kv.free(7, frees);
      kv.free(null, frees);
      kv.free(new Async(log, 'async'));
      kv.free(Object.assign(() => {}, { [Symbol.dispose]: () => void log.push('function') }));
    }
    expect(kv.count).toBe(40);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual([]);
    srcu.readUnlock(index);
    await kv.barrier();
    expect(kv.count).toBe(0);
    for (const entry of ['headless', 'with head', buffer, 7, null, 'async', 'begins async', 'function']) {
      expect(log.filter((logged) => logged === entry).length).toBe(5);
    }
    expect(log.filter((logged) => Array.isArray(logged))).toEqual(range(5).map(() => ['never said']));
    expect(log.length).toBe(45);
    await kv.exit();
  });

  it('prefers Symbol.dispose to Symbol.asyncDispose', async () => {
    const { kv, log } = make();
    kv.free({
      [Symbol.dispose]: () => log.push('sync'),
      [Symbol.asyncDispose]: () => Promise.reject(new Error('async')),
    });
    await kv.exit();
    expect(log).toEqual(['sync']);
  });

  it('calls a disposer as a method', async () => {
    const { kv } = make();
    const resource = {
      open: true,
      [Symbol.dispose](): void {
        this.open = false;
      },
    };
    kv.free(resource);
    await kv.exit();
    expect(resource.open).toBe(false);
  });

  it('uses its boxes again, and keeps no more than it may', async () => {
    const { kv } = make({ spareBoxes: 3 });
    const { boxes } = kv as unknown as { boxes: { resource: unknown; free: unknown }[] };
    for (const id of range(10)) {
      kv.free(id, () => {});
    }
    await kv.barrier();
    expect(boxes.length).toBe(3);
    const kept = [...boxes];
    kv.free(1, () => {});
    expect(boxes.length).toBe(2);
    await kv.barrier();
    expect(new Set(boxes)).toEqual(new Set(kept));
    // And they hold nothing.
    expect(boxes).toEqual(boxes.map(() => ({ rcuNext: null, resource: null, free: null })));
  });

  it('lets freeing free something else', async () => {
    const { kv, log } = make({ spareBoxes: 1 });
    const free = (depth: number): void => {
      log.push(depth);
      if (depth > 0) {
        kv.free(depth - 1, free);
      }
    };
    kv.free(3, free);
    await kv.exit();
    expect(log).toEqual([3, 2, 1, 0]);
  });

  it('waits for disposers that are asynchronous', async () => {
    const { kv, log } = make();
    let finish = (): void => {};
    kv.free('slow', async (resource) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      log.push(resource);
    });
    const barrier = kv.barrier().then(() => log.push('barrier'));
    while (kv.stats().inFlight === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(log).toEqual([]);
    finish();
    await barrier;
    expect(log).toEqual(['slow', 'barrier']);
  });

  it('frees at once what may sleep and has expired', () => {
    const { srcu, kv, log } = make();
    const end = (resource: unknown): void => {
      log.push(resource);
      void srcu.synchronizeExpedited();
    };
    kv.free(1, end);
    void srcu.synchronizeExpedited();
    kv.free(2, end, { maySleep: true });
    expect(log).toEqual([1, 2]);
    kv.free(new Resource(log, 3), { maySleep: true });
    expect(kv.count).toBe(1);
  });

  it('sends errors with the resource, whatever kind it is', async () => {
    const told: unknown[] = [];
    const { kv } = make({ onError: (error, resource) => told.push([(error as Error).message, resource]) });
    const fail = (): never => {
      throw new Error('sync');
    };
    const failLater = (): Promise<never> => Promise.reject(new Error('async'));
    const withHead = { rcuNext: null, [Symbol.dispose]: fail };
    const headless = { [Symbol.dispose]: fail };
    const later = { [Symbol.asyncDispose]: failLater };
    kv.free(withHead);
    kv.free(headless);
    kv.free(later);
    kv.free('string', fail);
    kv.free(5, failLater);
    await kv.exit();
    expect(told).toHaveLength(5);
    expect(told).toEqual(
      expect.arrayContaining([
        ['sync', withHead],
        ['sync', headless],
        ['async', later],
        ['sync', 'string'],
        ['async', 5],
      ]),
    );
    expect(kv.stats()).toMatchObject({ errors: 5, processed: 5 });
  });

  it('without onError lets errors be uncaught exceptions, as they were thrown', async () => {
    const { kv } = make();
    const thrown = new Error('sync');
    const caught = await uncaught(() => {
      kv.free(1, () => {
        throw thrown;
      });
      void kv.exit();
    });
    expect(caught).toEqual([thrown]);
  });

  it.each([[null], [undefined], [5], ['text'], [{}], [{ [Symbol.dispose]: 'soon' }], [() => {}]])(
    'refuses %o, which nobody knows how to free',
    (resource) => {
      const { kv } = make();
      expect(() => kv.free(resource as never)).toThrow(TypeError);
      expect(() => kv.free(resource as never, { maySleep: true })).toThrow(/neither Symbol.dispose nor/);
      expect(kv.count).toBe(0);
    },
  );

  it('refuses everything after exit, and keeps none of it', async () => {
    const { kv, log } = make();
    await kv[Symbol.asyncDispose]();
    for (const free of [
      () => kv.free(1, () => {}),
      () => kv.free(new WithHead(log, 1)),
      () => kv.free(new Resource(log, 1)),
    ]) {
      expect(free).toThrow(expect.toSatisfy((error) => PendingError.is(error) && error.code === 'ERR_PENDING_CLOSED'));
    }
    const { boxes } = kv as unknown as { boxes: { resource: unknown }[] };
    expect(boxes.map(({ resource }) => resource)).toEqual([null]);
    expect([kv.count, log]).toEqual([0, []]);
  });

  it('notices a resource that is freed twice, when it is on the list', () => {
    const { kv, log } = make({ nodes: dryPool() });
    const resource = new WithHead(log, 1);
    kv.free(resource);
    expect(() => kv.free(resource)).toThrow(PendingError);
    expect(kv.count).toBe(1);
  });

  it('is a shrinker', async () => {
    const { srcu, kv, log } = make();
    const spec = kv.asShrinker();
    expect(spec.name).toBe('kv-free');
    expect(kv.asShrinker({ name: 'mine', batch: 5 })).toMatchObject({ name: 'mine', batch: 5 });
    const registry = new ShrinkerRegistry();
    const shrinker = registry.alloc(spec);
    registry.register(shrinker);
    const sc = { zone: 'heap', group: null, nrToScan: 5, nrScanned: 5, priority: 0, mode: 'direct' } as const;
    expect(spec.count({ ...sc })).toBe(SHRINK_EMPTY);
    const index = srcu.readLock();
    kv.free('a', (resource) => log.push(resource));
    expect(spec.scan({ ...sc })).toBe(SHRINK_STOP);
    srcu.readUnlock(index);
    await srcu.synchronize();
    await kv.barrier();
    kv.free('b', (resource) => log.push(resource));
    kv.free('c', (resource) => log.push(resource));
    await srcu.synchronizeExpedited();
    // A pass asks for half of what costs nothing to bring back, and scans when that, with what is left over from the
    // passes before, is all there is.
    registry.shrinkSlabSync({ priority: 0 });
    registry.shrinkSlabSync({ priority: 0 });
    expect(log).toEqual(['a', 'b', 'c']);
    await registry.free(shrinker);
    await registry[Symbol.asyncDispose]();
  });

  it('passes its options on', () => {
    expect(() => make({ budgetMs: 0 })).toThrow(RangeError);
    expect(() => new CallRcu({ rcu: new Rcu(), budgetMs: 0 })).toThrow(RangeError);
  });

  it('works over turns', async () => {
    const log: unknown[] = [];
    {
      await using kv = new KvFree({ rcu: new Rcu(), budgetMs: 2 });
      kv.free(new Resource(log, 'by turn'));
    }
    expect(log).toEqual(['by turn']);
  });
});
