import { fileURLToPath } from 'node:url';
import { fromChild } from '../harness/child.js';
import { type Size, atMost, exactly } from '../harness/competitor.js';
import { figureOver, ratioOver } from '../harness/figures.js';
import { roundsOf } from '../harness/race.js';
import type { Case, CaseResult, Figure, Question } from '../harness/result.js';
import type { MemoryOrder, MemoryOutcome } from './memory-order.js';
import { OURS, REFERENCE, peers } from './peers.js';

const CHILD = fileURLToPath(new URL('memory-child.js', import.meta.url));
const ROUNDS = 3;

type Measure = (outcome: MemoryOutcome) => number;

const MEASURES: Readonly<Record<string, Measure>> = {
  'heap an entry, filled': ({ heapBytes, entries }) => heapBytes / entries,
  'heap an entry, evicting': ({ heapBytesEvicting, entries }) => heapBytesEvicting / entries,
  'resident an entry': ({ rssBytes, entries }) => rssBytes / entries,
};

/** With a million entries, the others do not come to an end. */
const measured = peers.filter(({ mostStoring }) => mostStoring === undefined).map(({ name }) => name);

async function compare(keys: MemoryOrder['keys'], size: Size): Promise<CaseResult> {
  const capacity = size === 'real' ? 1_000_000 : 1_000;
  const found = new Map<string, MemoryOutcome[]>(measured.map((name) => [name, []]));
  for (let round = 0; round < roundsOf(ROUNDS, size); round++) {
    for (const [peer, outcomes] of found) {
      outcomes.push(await fromChild<MemoryOrder, MemoryOutcome>(CHILD, { peer, capacity, keys }, ['--expose-gc']));
    }
  }
  return { timings: [], figures: figuresOf(keys, found, size) };
}

function figuresOf(keys: string, found: ReadonlyMap<string, readonly MemoryOutcome[]>, size: Size): Figure[] {
  return Object.entries(MEASURES).flatMap(([name, measure]) => {
    const what = `${keys}: ${name}`;
    const by = (peer: string): [string, number[]] => [peer, (found.get(peer) ?? []).map(measure)];
    // What V8 says of its heap is counted; what the system says of the process is not that sharp.
    const target = name.startsWith('heap') ? exactly('at most', 1) : atMost(1);
    return [
      ratioOver(what, by(OURS), by(REFERENCE), size === 'real' ? target : null),
      ...measured.map((peer) => figureOver(what, peer, by(peer)[1], 'bytes')),
    ];
  });
}

function memoryCase(keys: MemoryOrder['keys']): Case {
  // In smoke size, keys of one kind do for both.
  return { name: `1,000,000, ${keys}`, onlyReal: keys === 'integer', run: (size) => compare(keys, size) };
}

export const memoryQuestion: Question = {
  id: 'memory',
  asks: 'What does an entry take, besides its key and value?',
  cases: [memoryCase('integer'), memoryCase('string')],
};
