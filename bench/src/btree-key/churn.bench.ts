import { PerformanceObserver } from 'node:perf_hooks';
import type { BtreeKeyCache } from '@cache/btree-key';
import { collectGarbage } from '../harness/collect-garbage.js';
import { type Size, type Target, atMost, exactly } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import { figureOver, ratioOver } from '../harness/figures.js';
import type { CaseResult, Figure, Question } from '../harness/result.js';
import { roundsOf } from '../harness/race.js';
import { Places } from './places.js';

const VALUE_BYTES = 1000;
/** Which pause is the longest is much of a chance: the median of so many runs of each, in turn. */
const ROUNDS = 5;
const OURS = 'BtreeKeyCache';
const FRESH = 'allocating fresh';

/** What a run of new keys did to the memory. */
interface Churned {
  /** Percent of the keys that were made of others. */
  readonly reused: number;
  readonly longestPauseMs: number;
  readonly pausesMs: number;
}

async function churn(size: Size): Promise<CaseResult> {
  const real = size === 'real';
  const updates = real ? 600_000 : 3000;
  const maxBytes = real ? 256 * 2 ** 20 : 2 ** 20;
  const reusing: Churned[] = [];
  const fresh: Churned[] = [];
  for (let round = 0; round < roundsOf(ROUNDS, size); round++) {
    reusing.push(await churned(updates, maxBytes, () => {}));
    fresh.push(await churned(updates, maxBytes, allocateFresh));
  }
  const made = reusing.map(({ reused }) => reused);
  return {
    timings: [],
    figures: [
      figureOver('new keys made of others', OURS, made, '%', exactly('at least', 80)),
      ...pauses('longest pause', reusing, fresh, ({ longestPauseMs }) => longestPauseMs, real ? atMost(0.5) : null),
      ...pauses('all pauses', reusing, fresh, ({ pausesMs }) => pausesMs, null),
    ],
  };
}

function pauses(
  what: string,
  reusing: readonly Churned[],
  fresh: readonly Churned[],
  of: (run: Churned) => number,
  target: Target | null,
): Figure[] {
  const ours = reusing.map(of);
  const theirs = fresh.map(of);
  return [
    figureOver(what, OURS, ours, 'ms'),
    figureOver(what, FRESH, theirs, 'ms'),
    ratioOver(what, [OURS, ours], [FRESH, theirs], target),
  ];
}

/** New keys all the time, in a cache that has been full for long. */
async function churned(updates: number, maxBytes: number, change: (cache: BtreeKeyCache) => void): Promise<Churned> {
  await using places = new Places();
  const cache = await places.cache([], maxBytes);
  change(cache);
  const value = new Uint8Array(VALUE_BYTES);
  let next = 0;
  const write = async (until: number): Promise<void> => {
    const writer = async (): Promise<void> => {
      while (next < until) {
        await cache.put(`session:${next++}`, value);
      }
    };
    await Promise.all(Array.from({ length: 64 }, writer));
  };
  await write(Math.ceil((1.2 * maxBytes) / VALUE_BYTES));
  collectGarbage();
  await nextTurn();
  const before = cache.stats();
  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      pauses.push(duration);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  await write(next + updates);
  // The observer hears of the last ones a turn later.
  await nextTurn();
  await nextTurn();
  observer.disconnect();
  const { fromPending, recycled, stolen, fresh } = cache.stats();
  const reused = fromPending + recycled + stolen - (before.fromPending + before.recycled + before.stolen);
  return {
    reused: (100 * reused) / (reused + fresh - before.fresh),
    longestPauseMs: Math.max(...pauses),
    pausesMs: pauses.reduce((sum, pause) => sum + pause, 0),
  };
}

interface Insides {
  readonly engine: {
    readonly core: {
      readonly allocator: {
        small: { dequeue: () => undefined };
        large: { dequeue: () => undefined; dequeueFromAll: () => undefined };
        find: (keyBytes: number, room: number) => unknown;
        keep: (key: unknown) => void;
        discard: (key: unknown) => void;
        covers: (bytes: number) => boolean;
      };
    };
  };
}

/** The same cache, whose evicted keys go to the collector once their readers have gone, as most caches have it. */
function allocateFresh(cache: BtreeKeyCache): void {
  const { allocator } = (cache as unknown as Insides).engine.core;
  const { find } = allocator;
  allocator.keep = (key) => allocator.discard(key);
  allocator.find = (keyBytes, room) => {
    // Makes room first, so that a fresh one fits.
    allocator.covers(VALUE_BYTES * 4 + keyBytes);
    const { small, large: other } = allocator;
    const dequeues = [small.dequeue, other.dequeue] as const;
    small.dequeue = () => undefined;
    other.dequeue = () => undefined;
    try {
      return find.call(allocator, keyBytes, room);
    } finally {
      [small.dequeue, other.dequeue] = dequeues;
    }
  };
}

export const churnQuestion: Question = {
  id: 'churn',
  asks: 'How many new keys are made of old ones when the cache is full, and what does that spare the collector?',
  cases: [{ name: 'new keys only', run: churn }],
};
