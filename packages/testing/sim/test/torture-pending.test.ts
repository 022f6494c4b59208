import type { RcuFlavor } from '@core/rcu';
import { Rcu, Srcu } from '@core/rcu';
import { RcuPending, type RcuPendingOptions } from '@core/rcu-pending';
import { describe, expect, test } from 'vitest';

import {
  BUSTED_PENDINGS,
  formatPendingReport,
  guardReader,
  LateCookieRcu,
  ObjectCookieRcu,
  type PendingHooks,
  type PendingObject,
  type PendingReport,
  type PendingUnderTest,
  type ReaderProtocol,
  ReferencePending,
  ReferenceRcu,
  ReferenceSrcu,
  SimLoop,
  torturePending,
  type TorturePendingOptions,
  type TorturePorts,
  turnReader,
  ZeroCookieRcu,
} from '../src/index.js';

interface Subject {
  readonly flavor: RcuFlavor;
  readonly reader: ReaderProtocol;
}

type Ports = Partial<TorturePorts>;
type Hooks = PendingHooks<PendingObject>;
type Make = (flavor: RcuFlavor, hooks: Hooks, ports: Ports) => PendingUnderTest<PendingObject>;

const FLAVORS: readonly [string, (ports: Ports) => Subject][] = [
  ['ReferenceRcu', (ports) => ({ flavor: new ReferenceRcu(ports), reader: turnReader })],
  ['ReferenceSrcu', (ports) => guarded(new ReferenceSrcu(ports))],
  ['Rcu', (ports) => ({ flavor: new Rcu(ports), reader: turnReader })],
  ['Srcu', (ports) => guarded(new Srcu(ports))],
  ['ObjectCookieRcu', (ports) => ({ flavor: new ObjectCookieRcu(ports), reader: turnReader })],
  ['ZeroCookieRcu', (ports) => ({ flavor: new ZeroCookieRcu(ports), reader: turnReader })],
  // Up to three live cookies at a time, which it admits; each asker may get another, so they prove nothing about others.
  ['LateCookieRcu', (ports) => ({ flavor: new LateCookieRcu(ports), reader: turnReader })],
];

const PENDINGS: readonly [string, Make][] = [
  ['ReferencePending', (flavor, hooks) => new ReferencePending(flavor, hooks)],
  ['RcuPending, plain', rcuPending((hooks) => ({ process: (object) => hooks.process(object) }), false)],
  ['RcuPending, plain in bulk', rcuPending((hooks) => ({ process: hooks }), false)],
  ['RcuPending, one by one', rcuPending((hooks) => ({ process: (object) => hooks.process(object) }))],
  ['RcuPending, in bulk', rcuPending((hooks) => ({ process: hooks }))],
  ['RcuPending, partly listed', rcuPending((hooks) => ({ process: hooks, isBulk: (object) => object.id % 2 === 0 }))],
  ['RcuPending, expedited', rcuPending((hooks) => ({ process: hooks, expediteAt: { count: 8 } }))],
];

function rcuPending(
  options: (hooks: Hooks) => Pick<RcuPendingOptions<PendingObject>, 'process' | 'isBulk' | 'expediteAt'>,
  sized = true,
): Make {
  return (rcu, hooks, ports) => {
    const sizes = sized ? { sizeOf: (object: PendingObject) => hooks.sizeOf(object) } : {};
    return new RcuPending<PendingObject>({ rcu, ...sizes, ...ports, ...options(hooks) });
  };
}

function guarded<F extends Srcu | ReferenceSrcu>(flavor: F): Subject {
  return { flavor, reader: guardReader<unknown>(flavor as never) };
}

async function run(
  seed: number | null,
  makeFlavor: (ports: Ports) => Subject,
  make: Make,
  options: Partial<TorturePendingOptions> = {},
): Promise<PendingReport> {
  const loop = seed === null ? null : new SimLoop({ seed });
  const ports: Ports = loop === null ? {} : { clock: loop.clock, scheduler: loop.scheduler };
  const { flavor, reader } = makeFlavor(ports);
  return torturePending({
    flavor,
    reader,
    make: (hooks) => make(flavor, hooks, ports),
    operations: 1_500,
    ...options,
    ...(loop === null || seed === null ? {} : { loop, seed }),
  });
}

describe.each(PENDINGS)('%s', (pendingName, makePending) => {
  test.each(FLAVORS)('survives over %s', async (name, makeFlavor) => {
    for (const seed of name.startsWith('Reference') ? [1, 2] : [1, null]) {
      const report = await run(seed, makeFlavor, makePending, {
        checksCookies: name !== 'LateCookieRcu',
        checksBytes: !pendingName.includes('plain'),
      });
      expect(report.ok, formatPendingReport(report)).toBe(true);
      expect(report.enqueued).toBe(report.processed + report.dequeued + report.expired);
      expect(report.processed).toBeGreaterThan(300);
      expect(report.dequeued).toBeGreaterThan(30);
      expect(report.watched).toBeGreaterThan(50);
      expect(report.heldPending).toBeGreaterThan(0);
      expect(report.barriers).toBeGreaterThan(5);
    }
  });
});

describe.each(BUSTED_PENDINGS)('busted: $name', ({ check, make }) => {
  test.each(FLAVORS.slice(0, 2))(`fails by ${check} over %s`, async (_, makeFlavor) => {
    for (const seed of [1, 2, 3]) {
      const report = await run(seed, makeFlavor, make, { drainTurns: 500, stopOnFailure: false });
      expect(
        report.failures.map((failure) => failure.check),
        formatPendingReport(report),
      ).toContain(check);
    }
  });
});

test('one cookie early is a reader’s fault where readers stay beyond their turn', async () => {
  const { make } = BUSTED_PENDINGS.find(({ name }) => name === 'early')!;
  for (const seed of [1, 2, 3]) {
    const report = await run(seed, (ports) => guarded(new ReferenceSrcu(ports)), make, { checksCookies: false });
    expect(report.failures[0]).toMatchObject({ check: 'process-early' });
    expect(report.failures[0]!.atOperation).toBeLessThan(200);
  }
});

test('a dequeue that forgets to decrement is seen at once', async () => {
  const { make } = BUSTED_PENDINGS.find(({ name }) => name === 'uncounted-dequeue')!;
  for (const seed of [1, 2, 3]) {
    const report = await run(seed, (ports) => ({ flavor: new ReferenceRcu(ports), reader: turnReader }), make);
    expect(report.failures[0]).toMatchObject({ check: 'count' });
    expect(report.failures[0]!.atOperation).toBeLessThan(50);
  }
});

test('a bulk that counts more objects than it gives is reported, and not the torture’s own error', async () => {
  class Overcounted<T> extends ReferencePending<T> {
    protected override processAll(objects: readonly T[]): void {
      this.hooks.bulk(objects, objects.length + 1);
    }
  }
  const makeFlavor = (ports: Ports): Subject => ({ flavor: new ReferenceRcu(ports), reader: turnReader });
  const report = await run(1, makeFlavor, (flavor, hooks) => new Overcounted(flavor, hooks));
  expect(report.failures[0]).toMatchObject({
    check: 'process-once',
    message: 'undefined was processed, and is none of ours',
  });
});

test('a run repeats with the same seed', async () => {
  const once = (seed: number): Promise<PendingReport> => run(seed, FLAVORS[3]![1], PENDINGS[2]![1]);
  expect(await once(5)).toEqual(await once(5));
  expect((await once(6)).turns).not.toBe((await once(5)).turns);
});

describe('a run in which nothing could go wrong fails as vacuous', () => {
  const checksOf = async (hops: number, pending: Make): Promise<string[]> => {
    const flavor = new ReferenceRcu();
    const { failures } = await torturePending({
      flavor,
      reader: turnReader,
      make: (hooks) => pending(flavor, hooks, {}),
      operations: 500,
      maxHops: hops,
    });
    return failures.map((failure) => failure.check);
  };

  test('readers that hold nothing for long enough', async () => {
    expect(await checksOf(0, PENDINGS[0]![1])).toEqual(['vacuous-readers']);
  });

  test('nothing dequeued', async () => {
    class Closed<T> extends ReferencePending<T> {
      override dequeue(): undefined {}
      override dequeueWhere(): undefined {}
    }
    expect(await checksOf(4, (flavor, hooks) => new Closed(flavor, hooks))).toEqual(['vacuous-dequeue']);
  });
});

test('a barrier that never resolves ends the run', async () => {
  class Stuck<T> extends ReferencePending<T> {
    override barrier(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const flavor = new ReferenceRcu();
  const report = await torturePending({
    flavor,
    reader: turnReader,
    make: (hooks) => new Stuck(flavor, hooks),
    operations: 500,
    drainTurns: 300,
  });
  expect(report.failures).toMatchObject([{ check: 'hang' }]);
});

test('refuses counts that are none', async () => {
  const flavor = new ReferenceRcu();
  const make = (hooks: Hooks): PendingUnderTest<PendingObject> => new ReferencePending(flavor, hooks);
  await expect(torturePending({ flavor, reader: turnReader, make, writers: 0 })).rejects.toThrow(RangeError);
});
