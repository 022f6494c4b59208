import { assert } from '@core/base';
import { measure } from 'mitata';
import { type NanosecondClock, cpuClock } from './clocks.js';
import type { Competitor, Size, Target } from './competitor.js';
import type { CaseResult, Figure, Timing } from './result.js';
import { median, quantile } from './statistics.js';

/** A ratio to work out: `cost` is what `of` takes in what `against` takes, `speedup` the other way round. */
export interface Comparison {
  readonly what: string;
  readonly of: string;
  readonly against: string;
  readonly as: 'cost' | 'speedup';
  readonly target?: Target;
}

export interface Race {
  readonly competitors: readonly Competitor[];
  readonly comparisons: readonly Comparison[];
  /** Default: CPU time. */
  readonly clock?: NanosecondClock;
  /** Rounds that count. Default 11. */
  readonly rounds?: number;
  /** Runs of each competitor in a round, besides one that does not count. Default 3. */
  readonly runs?: number;
}

const WARM_UP_ROUNDS = 2;
/** For a quick look, at the price of noise. */
const MOST_ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? Infinity);

/** Rounds that count: as many as wanted, or fewer if BENCH_ROUNDS says so; one in smoke size. */
export function roundsOf(wanted: number, size: Size): number {
  return size === 'real' ? Math.min(wanted, MOST_ROUNDS) : 1;
}

/**
 * Lets competitors run in turn, round by round, and compares within each round: whatever slows the machine down for a
 * while slows down all of them.
 *
 * @throws {AssertionError} they do not compute the same, or nothing at all
 */
export async function race(race: Race, size: Size): Promise<CaseResult> {
  const { competitors, clock = cpuClock, rounds = 11, runs = 3 } = race;
  await agree(competitors);
  const taken = new Map<string, number[]>(competitors.map(({ name }) => [name, []]));
  const warmUps = size === 'real' ? WARM_UP_ROUNDS : 0;
  for (let round = 0; round < warmUps + roundsOf(rounds, size); round++) {
    for (let turn = 0; turn < competitors.length; turn++) {
      // Somebody else begins each time: to come first or last has its own price.
      const competitor = competitors[(round + turn) % competitors.length] as Competitor;
      const ns = size === 'real' ? await time(competitor, clock, runs) : await glance(competitor, clock);
      if (round >= warmUps) {
        taken.get(competitor.name)?.push(ns);
      }
    }
  }
  // Once more, since by now the optimised code has run.
  await agree(competitors);
  return {
    timings: competitors.map((competitor) => timingOf(competitor, taken.get(competitor.name) ?? [])),
    figures: race.comparisons.map((comparison) => figureOf(comparison, taken)),
  };
}

/** @returns the median of the runs, in nanoseconds an operation */
async function time({ run, operations }: Competitor, clock: NanosecondClock, runs: number): Promise<number> {
  const { p50 } = await measure(run, {
    now: clock,
    gc: false,
    min_samples: runs,
    max_samples: runs,
    min_cpu_time: 0,
    // A run is long enough to be a sample.
    warmup_threshold: 0,
  });
  return p50 / operations;
}

/** As {@link time}, for smoke sizes: without the room that mitata makes for a million samples each time. */
async function glance({ run, operations }: Competitor, clock: NanosecondClock): Promise<number> {
  const before = clock();
  await run();
  return (clock() - before) / operations;
}

async function agree(competitors: readonly Competitor[]): Promise<void> {
  const hashes: string[] = [];
  for (const { name, run, hash } of competitors) {
    await run();
    const found = hash();
    assert(found !== 0 && Number.isFinite(found), `Cannot race "${name}": it computes ${found}`);
    hashes.push(`${name}: ${found}`);
    assert(
      hashes[0]?.endsWith(`: ${found}`) === true,
      `Cannot race competitors that compute different things: ${hashes.join(', ')}`,
    );
  }
}

function timingOf({ name, operations, facts }: Competitor, rounds: readonly number[]): Timing {
  return {
    competitor: name,
    operations,
    medianNs: median(rounds),
    p25Ns: quantile(rounds, 0.25),
    minNs: quantile(rounds, 0),
    facts: facts?.() ?? {},
  };
}

function figureOf({ what, of, against, as, target }: Comparison, taken: ReadonlyMap<string, number[]>): Figure {
  const ours = takenBy(of, taken);
  const theirs = takenBy(against, taken);
  const ratios = ours.map((ns, round) => {
    const other = theirs[round] as number;
    return as === 'cost' ? ns / other : other / ns;
  });
  return {
    what,
    of,
    against,
    value: median(ratios),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    unit: 'x',
    target: target ?? null,
  };
}

function takenBy(name: string, taken: ReadonlyMap<string, number[]>): number[] {
  const ns = taken.get(name);
  assert(ns !== undefined, `Cannot compare "${name}": it is no competitor`);
  return ns;
}
