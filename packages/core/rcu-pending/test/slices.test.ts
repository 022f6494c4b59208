import { describe, expect, it } from 'vitest';
import { type Bench, Thing, type ThingOptions, epochBench, range, srcuBench } from './support/bench.js';

const MILLION = 1_000_000;
const STRIDE = 256;

interface Slice {
  readonly ms: number;
  readonly objects: number;
}

/** Runs the loop to its end. @returns what was done in each turn in which something was */
function slices(made: Bench): Slice[] {
  const found: Slice[] = [];
  for (;;) {
    const { timeMs } = made.loop;
    const { count } = made.pending;
    if (!made.loop.runTurn()) {
      return found;
    }
    if (made.pending.count < count) {
      found.push({ ms: made.loop.timeMs - timeMs, objects: count - made.pending.count });
    }
  }
}

const THING = new Thing(0);

/** Fills a pending with the same object many times: nobody looks at it. */
function fill({ pending }: Bench, count: number): void {
  for (let done = 0; done < count; done++) {
    pending.enqueue(THING);
  }
}

describe('a million expired objects', () => {
  function neverExceedsTheBudget(stepMs: number, budgetMs: number, bulk: boolean): void {
    const made = srcuBench({
      budgetMs,
      process: bulk
        ? {
            bulk(_things: readonly Thing[], count: number) {
              made.loop.timeMs += count * stepMs;
            },
          }
        : () => {
            made.loop.timeMs += stepMs;
          },
    });
    fill(made, MILLION);
    const found = slices(made);
    expect(made.pending.count).toBe(0);
    expect(made.pending.stats().processed).toBe(MILLION);
    const longest = Math.max(...found.map(({ ms }) => ms));
    expect(longest).toBeLessThanOrEqual(budgetMs + STRIDE * stepMs);
    // And it is used: in all but the first turn, which has the first object, and the last.
    const shortest = Math.min(...found.slice(1, -1).map(({ ms }) => ms));
    expect(shortest).toBeGreaterThanOrEqual(budgetMs);
  }

  it.each([
    [0.001, 1, false],
    [0.0001, 0.5, false],
    [0.001, 1, true],
    [0.0005, 2, true],
  ])('of %f ms each, with a budget of %f ms, bulk %s: one stride over it at most', (stepMs, budgetMs, bulk) => {
    neverExceedsTheBudget(stepMs, budgetMs, bulk);
  });

  it('catches a budget that nobody looks at', () => {
    const busted = (): void => {
      const made = srcuBench({
        process: () => {
          made.loop.timeMs += 0.001;
        },
      });
      const { budget } = (made.pending as unknown as { own: { budget: { look(): boolean } } }).own;
      budget.look = () => false;
      fill(made, 10_000);
      const longest = Math.max(...slices(made).map(({ ms }) => ms));
      expect(longest).toBeLessThanOrEqual(1 + STRIDE * 0.001);
    };
    expect(busted).toThrow();
  });
});

it('several sequences go in one turn, if there is time', () => {
  const { pending, processed, enqueue, loop, flavor } = epochBench({}, { maxLiveCookies: 9 });
  for (const id of range(6)) {
    enqueue(id);
    flavor.advance();
  }
  loop.runTurn();
  expect(processed).toEqual(range(6));
  expect([pending.count, pending.stats().buckets]).toEqual([0, 0]);
});

it('work that is left keeps the process up', () => {
  const made = srcuBench({
    process: () => {
      made.loop.timeMs += 1;
    },
  });
  made.enqueue(...range(4));
  made.pending.expedite();
  made.loop.runTurn();
  expect(made.pending.count).toBeGreaterThan(0);
  while (made.pending.count > 0) {
    expect(made.loop.isAlive).toBe(true);
    made.loop.runTurn();
  }
  made.loop.runSync();
});

describe('heavy callbacks', () => {
  it('shrink the stride to one, and so the slice to what one takes', () => {
    const made = srcuBench({
      process: () => {
        made.loop.timeMs += 2;
      },
    });
    fill(made, 200);
    const found = slices(made);
    expect(found.length).toBeGreaterThan(150);
    expect(found.slice(-50).every(({ objects }) => objects === 1)).toBe(true);
  });

  it('after light ones cost one stride at most', () => {
    let stepMs = 0.0001;
    const made = srcuBench({
      process: () => {
        made.loop.timeMs += stepMs;
      },
    });
    fill(made, 20_000);
    made.loop.runTurn();
    made.loop.runTurn();
    stepMs = 0.05;
    const found = slices(made);
    expect(Math.max(...found.map(({ ms }) => ms))).toBeLessThanOrEqual(1 + STRIDE * stepMs);
    expect(found.length).toBeGreaterThan(100);
    // 1 ms of 0.05 ms each are 20 objects, and the clock is read every few of them by now.
    expect(Math.max(...found.slice(10).map(({ objects }) => objects))).toBeLessThanOrEqual(28);
  });

  it.each<[string, ThingOptions]>([
    ['on the list', { isBulk: () => false }],
    ['with sizes', { sizeOf: () => 1 }],
  ])('%s are sliced as well', (_where, options) => {
    const made = srcuBench({
      ...options,
      process: () => {
        made.loop.timeMs += 0.3;
      },
    });
    made.enqueue(...range(100));
    const found = slices(made);
    expect(found.length).toBeGreaterThanOrEqual(20);
    expect(Math.max(...found.map(({ objects }) => objects))).toBeLessThanOrEqual(5);
  });
});

describe('flood', () => {
  /** Enqueues faster than one budget a turn can process. @returns the time spent in each turn */
  function flood(perRound: number, rounds: number): { made: Bench; spent: number[] } {
    const made = srcuBench({
      process: () => {
        made.loop.timeMs += 0.001;
      },
    });
    const spent: number[] = [];
    for (let round = 0; round < rounds; round++) {
      fill(made, perRound);
      // One round of the loop: what is scheduled now.
      for (let { scheduled } = made.loop; scheduled > 0; scheduled--) {
        const { timeMs } = made.loop;
        made.loop.runTurn();
        spent.push(made.loop.timeMs - timeMs);
      }
    }
    return { made, spent };
  }

  it('raises the budget while the backlog grows, up to sixteen times', () => {
    const { spent, made } = flood(40_000, 40);
    expect(Math.max(...spent)).toBeGreaterThan(8);
    expect(Math.max(...spent)).toBeLessThanOrEqual(16 + STRIDE * 0.001);
    // It falls back once the backlog shrinks.
    const found = slices(made);
    expect(found.at(-2)?.ms).toBeLessThanOrEqual(1 + STRIDE * 0.001);
    expect(made.pending.count).toBe(0);
  });

  it('that one budget can cope with raises nothing', () => {
    const { spent } = flood(500, 40);
    expect(Math.max(...spent)).toBeLessThanOrEqual(1 + STRIDE * 0.001);
  });
});
