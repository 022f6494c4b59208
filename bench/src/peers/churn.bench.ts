import { fileURLToPath } from 'node:url';
import { fromChild } from '../harness/child.js';
import { type Size, type Target, atMost } from '../harness/competitor.js';
import { figureOver, ratioOver } from '../harness/figures.js';
import { roundsOf } from '../harness/race.js';
import type { Case, CaseResult, Figure, Question } from '../harness/result.js';
import type { ChurnOrder, ChurnOutcome } from './churn-order.js';
import { OURS, REFERENCE, peers } from './peers.js';

const CHILD = fileURLToPath(new URL('churn-child.js', import.meta.url));
const ROUNDS = 5;

interface Measure {
  readonly name: string;
  readonly of: (outcome: ChurnOutcome) => number;
  readonly target: Target | null;
}

const MEASURES: readonly Measure[] = [
  { name: 'longest collection', of: ({ longestPauseMs }) => longestPauseMs, target: atMost(0.5) },
  { name: 'all collections', of: ({ pausesMs }) => pausesMs, target: null },
  { name: 'longest turn', of: ({ longestBlockMs }) => longestBlockMs, target: null },
];

/** With a million entries, the others do not come to an end. */
const measured = peers.filter(({ mostStoring }) => mostStoring === undefined).map(({ name }) => name);

async function compare(keys: ChurnOrder['keys'], size: Size): Promise<CaseResult> {
  const capacity = size === 'real' ? 1_000_000 : 1_000;
  const stores = size === 'real' ? 4_000_000 : 2_000;
  const found = new Map<string, ChurnOutcome[]>(measured.map((name) => [name, []]));
  for (let round = 0; round < roundsOf(ROUNDS, size); round++) {
    for (const [peer, outcomes] of found) {
      outcomes.push(await fromChild<ChurnOrder, ChurnOutcome>(CHILD, { peer, capacity, keys, stores }, []));
    }
  }
  return { timings: [], figures: figuresOf(keys, found, size) };
}

function figuresOf(keys: string, found: ReadonlyMap<string, readonly ChurnOutcome[]>, size: Size): Figure[] {
  return MEASURES.flatMap(({ name, of, target }) => {
    const what = `${keys}: ${name}`;
    const by = (peer: string): [string, number[]] => [peer, (found.get(peer) ?? []).map(of)];
    return [
      // So little is stored in smoke size that nothing need be collected.
      ...(size === 'real' ? [ratioOver(what, by(OURS), by(REFERENCE), target)] : []),
      ...measured.map((peer) => figureOver(what, peer, by(peer)[1], 'ms')),
    ];
  });
}

function churnCase(keys: ChurnOrder['keys']): Case {
  // In smoke size, keys of one kind do for both.
  return { name: `1,000,000, ${keys}`, onlyReal: keys === 'integer', run: (size) => compare(keys, size) };
}

export const churnQuestion: Question = {
  id: 'churn',
  asks: 'For how long does the process stand still while new entries replace those of a full cache?',
  cases: [churnCase('integer'), churnCase('string')],
};
