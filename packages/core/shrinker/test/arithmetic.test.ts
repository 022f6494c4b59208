import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SHRINK_EMPTY, SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';

// S10, S23, S24 and S27: what one shrinker is asked for over a few passes. The real one and the broken ones below are
// driven through the same door.

interface Pass {
  readonly freeable: number;
  readonly priority: number;
  /** What each scan does, in turn: `freed` -1 stops, `looked` is what it says of nrScanned. Absent: all of it. */
  readonly scans?: readonly { readonly freed: number; readonly looked: number }[];
}

interface Outcome {
  /** nrToScan of each scan. */
  readonly asked: number[];
  readonly freed: number;
  readonly scanned: number;
  readonly deferred: number;
}

interface Engine {
  pass(pass: Pass): Outcome;
}

type MakeEngine = (seeks: number | undefined, batch: number | undefined) => Engine;

const SCANS_MAX = 100_000;

/** Answers a scan as the pass has it written down. */
function scanner(pass: Pass, asked: number[]) {
  return (nrToScan: number): { freed: number; looked: number } => {
    if (asked.length > SCANS_MAX) {
      throw new Error('goes on for ever');
    }
    const answer = pass.scans?.[asked.length];
    asked.push(nrToScan);
    return answer ?? { freed: nrToScan, looked: nrToScan };
  };
}

const real: MakeEngine = (seeks, batch) => {
  const registry = new ShrinkerRegistry();
  let current: Pass = { freeable: 0, priority: 0 };
  let scan = scanner(current, []);
  registry.register(
    registry.alloc({
      name: 'one',
      ...(seeks === undefined ? {} : { seeks }),
      ...(batch === undefined ? {} : { batch }),
      count: () => current.freeable,
      scan: (sc) => {
        const { freed, looked } = scan(sc.nrToScan);
        sc.nrScanned = looked;
        return freed;
      },
    }),
  );
  return {
    pass(pass) {
      const asked: number[] = [];
      current = pass;
      scan = scanner(pass, asked);
      const before = registry.stats().scanned;
      const freed = registry.shrinkSlabSync({ priority: pass.priority });
      const scanned = registry.stats().scanned - before;
      return { asked, freed, scanned, deferred: registry.debug.list()[0]!.deferred.heap };
    },
  };
};

interface Defects {
  readonly shifts?: boolean;
  readonly freedInt32?: boolean;
  readonly goesOnAfterStop?: boolean;
  readonly goesOnWithoutProgress?: boolean;
  readonly forgetsDeferred?: boolean;
  readonly trustsCount?: boolean;
}

/** The arithmetic once more, in whole numbers of any size, where the halvings are shifts and the cap is at the end. */
function model(defects: Defects = {}): MakeEngine {
  return (seeks = 2, batch = 128) => {
    let put = 0n;
    const batchSize = BigInt(batch === 0 ? 128 : batch);
    const halved = (value: bigint, times: number): bigint =>
      defects.shifts === true ? BigInt(Number(value) >> times) : value >> BigInt(times);
    return {
      pass(pass) {
        const asked: number[] = [];
        const scan = scanner(pass, asked);
        if (pass.freeable <= 0) {
          return { asked, freed: 0, scanned: 0, deferred: Number(put) };
        }
        const freeable = BigInt(pass.freeable);
        const taken = put;
        const fresh = seeks === 0 ? freeable / 2n : (halved(freeable, pass.priority) * 4n) / BigInt(seeks);
        let todo = halved(taken, pass.priority) + fresh;
        todo = todo > 2n * freeable ? 2n * freeable : todo;
        let freed = 0;
        let scanned = 0n;
        while (!(todo < batchSize && todo < freeable)) {
          const nr = todo > batchSize ? batchSize : todo;
          const answer = { ...scan(Number(nr)), ...(defects.trustsCount === true ? { freed: Number(nr) } : {}) };
          if (answer.freed === SHRINK_STOP && defects.goesOnAfterStop !== true) {
            break;
          }
          freed = defects.freedInt32 === true ? (freed + answer.freed) | 0 : freed + answer.freed;
          scanned += BigInt(answer.looked);
          todo -= BigInt(answer.looked);
          if (answer.looked === 0 && defects.goesOnWithoutProgress !== true) {
            break;
          }
        }
        const owed = taken + fresh - scanned;
        put = owed < 0n ? 0n : owed > 2n * freeable ? 2n * freeable : owed;
        put = defects.forgetsDeferred === true ? 0n : put;
        return { asked, freed, scanned: Number(scanned), deferred: Number(put) };
      },
    };
  };
}

/** Seeks, batch, the passes, and what the last one came to. */
type Row = [string, number | undefined, number | undefined, Pass[], Outcome];

const GOLDEN: Row[] = [
  ['mild on a small cache asks for nothing', 2, 0, [{ freeable: 1000, priority: 12 }], outcome([], 0)],
  ['less than a batch is put off', 2, 0, [{ freeable: 1000, priority: 4 }], outcome([], 124)],
  [
    'what was put off makes a batch the next time',
    2,
    0,
    [
      { freeable: 1000, priority: 4 },
      { freeable: 1000, priority: 4 },
    ],
    outcome([128], 120),
  ],
  ['0 seeks: half of it, at any priority', 0, 0, [{ freeable: 1000, priority: 12 }], outcome([128, 128, 128], 116)],
  ['less than a batch is scanned if it is all there is', 2, 0, [{ freeable: 50, priority: 0 }], outcome([100], 0)],
  ['one object', 2, 0, [{ freeable: 1, priority: 0 }], outcome([2], 0)],
  [
    'seeks and batch default to 2 and 128',
    undefined,
    undefined,
    [{ freeable: 1000, priority: 2 }],
    outcome([128, 128, 128], 116),
  ],
  ['a batch of its own', 2, 100, [{ freeable: 1000, priority: 2 }], outcome([100, 100, 100, 100, 100], 0)],
  ['dear to refill: 20 seeks', 20, 10, [{ freeable: 1000, priority: 2 }], outcome([10, 10, 10, 10, 10], 0)],
  [
    'an empty cache leaves what was put off alone',
    2,
    0,
    [
      { freeable: 1000, priority: 4 },
      { freeable: 0, priority: 0 },
    ],
    outcome([], 124),
  ],
  [
    'SHRINK_EMPTY does so too',
    2,
    0,
    [
      { freeable: 1000, priority: 4 },
      { freeable: SHRINK_EMPTY, priority: 0 },
    ],
    outcome([], 124),
  ],
  [
    'what is put off is never more than twice the cache',
    2,
    0,
    [
      { freeable: 1000, priority: 4 },
      { freeable: 60, priority: 12 },
    ],
    outcome([], 120),
  ],
  [
    'S23: STOP ends the run, and the batch is put off',
    2,
    0,
    [
      {
        freeable: 1000,
        priority: 2,
        scans: [
          { freed: 10, looked: 128 },
          { freed: SHRINK_STOP, looked: 128 },
        ],
      },
    ],
    { asked: [128, 128], freed: 10, scanned: 128, deferred: 372 },
  ],
  [
    'S23: a scan that looks at nothing ends the run',
    2,
    0,
    [{ freeable: 1000, priority: 2, scans: [{ freed: 0, looked: 0 }] }],
    { asked: [128], freed: 0, scanned: 0, deferred: 500 },
  ],
  [
    'a scan may look at more than it was asked to',
    2,
    0,
    [{ freeable: 1000, priority: 2, scans: [{ freed: 1, looked: 400 }] }],
    { asked: [128], freed: 1, scanned: 400, deferred: 100 },
  ],
  [
    'S24: a count that was too high, and a scan that finds nothing to free',
    2,
    0,
    [
      {
        freeable: 128,
        priority: 0,
        scans: [
          { freed: 0, looked: 128 },
          { freed: 0, looked: 128 },
        ],
      },
    ],
    { asked: [128, 128], freed: 0, scanned: 256, deferred: 0 },
  ],
  [
    'S27: more than 2^31 freed in one pass',
    2,
    2 ** 31,
    [{ freeable: 2 ** 32, priority: 0 }],
    { asked: [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31], freed: 2 ** 33, scanned: 2 ** 33, deferred: 0 },
  ],
  ['more objects than 2^31', 2, 2 ** 40, [{ freeable: 2 ** 40 + 4096, priority: 12 }], outcome([], 2 ** 29 + 2)],
];

/** A pass whose scans do all that they are asked to. */
function outcome(asked: number[], deferred: number): Outcome {
  const sum = asked.reduce((total, nr) => total + nr, 0);
  return { asked, freed: sum, scanned: sum, deferred };
}

function golden(make: MakeEngine, rows: readonly Row[]): void {
  for (const [what, seeks, batch, passes, expected] of rows) {
    const engine = make(seeks, batch);
    expect(passes.map((pass) => engine.pass(pass)).at(-1), what).toEqual(expected);
  }
}

describe('S10: golden table', () => {
  test.each(GOLDEN)('%s', (...row) => golden(real, [row]));
  test('the model agrees', () => golden(model(), GOLDEN));
  test.each<[string, Defects]>([
    ['shifts that cut off at 2^31', { shifts: true }],
    ['what was put off is forgotten', { forgetsDeferred: true }],
    ['S23: STOP is not heeded', { goesOnAfterStop: true }],
    ['S23: no progress is not noticed', { goesOnWithoutProgress: true }],
    ['S24: the count is believed, and not the scan', { trustsCount: true }],
    ['S27: freed as a 32-bit number', { freedInt32: true }],
  ])('busted: %s', (_name, defects) => {
    expect(() => golden(model(defects), GOLDEN)).toThrow();
  });
});

const count = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.constantFrom(0, 1, 127, 128, 129, 4096, 2 ** 31 - 1, 2 ** 31, 2 ** 32, SHRINK_EMPTY),
);
const answer = fc.record({
  freed: fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.constant(SHRINK_STOP) }),
  looked: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 2 ** 33 }) },
    { weight: 1, arbitrary: fc.constant(0) },
  ),
});
const pass = fc.record({ freeable: count, priority: fc.nat(12), scans: fc.array(answer, { maxLength: 6 }) });
const seeks = fc.constantFrom(undefined, 0, 1, 2, 3, 4, 8, 20);

function fuzz(make: MakeEngine): void {
  fc.assert(
    fc.property(seeks, fc.nat(7), fc.array(pass, { minLength: 1, maxLength: 8 }), (cost, share, passes) => {
      // Batches that are not too many for a test, whatever the count.
      const largest = Math.max(...passes.map(({ freeable }) => freeable), 0);
      const batch = share === 0 && largest < 100_000 ? 0 : Math.ceil(largest / (40 * (share + 1))) + share;
      const engine = make(cost, batch);
      const reference = model()(cost, batch);
      for (const each of passes) {
        expect(engine.pass(each)).toEqual(reference.pass(each));
      }
    }),
    { numRuns: 2000 },
  );
}

describe('S10: fuzz', () => {
  test('the registry does what the model does', () => fuzz(real));
  test.each<[string, Defects]>([
    ['shifts that cut off at 2^31', { shifts: true }],
    ['what was put off is forgotten', { forgetsDeferred: true }],
    ['S23: no progress is not noticed', { goesOnWithoutProgress: true }],
  ])('busted: %s', (_name, defects) => {
    expect(() => fuzz(model(defects))).toThrow();
  });
});
