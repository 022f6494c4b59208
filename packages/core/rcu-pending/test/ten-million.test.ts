import { Rcu } from '@core/rcu';
import { expect, it } from 'vitest';
import { RcuPending } from '../src/index.js';
import { Thing } from './support/bench.js';
import { TestLoop } from './support/test-loop.js';

const OBJECTS = 10_000_000;
const ROUND = 50_000;
const MIB = 2 ** 20;

function heapUsed(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Sends ten million objects through, a third of them through `dequeue`. @returns by how much the heap has grown */
function run(sizeOf: ((thing: Thing) => number) | null, keep: (thing: Thing) => void): number {
  expect(globalThis.gc).toBeTypeOf('function');
  const loop = new TestLoop();
  const totals = { processed: 0 };
  const pending = new RcuPending<Thing>({
    rcu: new Rcu({ scheduler: loop, clock: loop }),
    scheduler: loop,
    clock: loop,
    process(thing) {
      totals.processed++;
      keep(thing);
    },
    ...(sizeOf === null ? {} : { sizeOf }),
  });
  const round = (): number => {
    let reused = 0;
    for (let id = 0; id < ROUND; id++) {
      pending.enqueue(new Thing(id));
      if (id % 3 === 0 && pending.dequeue() !== undefined) {
        reused++;
      }
    }
    loop.runSync();
    return reused;
  };
  let reused = round();
  const before = heapUsed();
  for (let done = ROUND; done < OBJECTS; done += ROUND) {
    reused += round();
  }
  expect(pending.count).toBe(0);
  expect(pending.bytes).toBe(0);
  expect(totals.processed + reused).toBe(OBJECTS);
  pending.checkInvariants();
  const grown = heapUsed() - before;
  expect(pending.count).toBe(0);
  return grown;
}

it('ten million objects leave nothing behind', () => {
  expect(Math.abs(run(null, () => {}))).toBeLessThan(MIB);
});

it('ten million objects with sizes leave nothing behind', () => {
  expect(
    Math.abs(
      run(
        (thing) => thing.id % 100,
        () => {},
      ),
    ),
  ).toBeLessThan(MIB);
});

it('catches one that leaves an object in a hundred behind', () => {
  const kept: Thing[] = [];
  const grown = run(null, (thing) => {
    if (thing.id % 100 === 1) {
      kept.push(thing);
    }
  });
  expect(kept.length).toBeGreaterThan(0);
  expect(grown).toBeGreaterThan(MIB);
});
