import { fileURLToPath } from 'node:url';
import { inChild } from '../harness/child.js';
import { type Size, exactly } from '../harness/competitor.js';
import { figureOver } from '../harness/figures.js';
import { roundsOf } from '../harness/race.js';
import type { Case, CaseResult, Figure, Question } from '../harness/result.js';
import type { Bound, HeapOrder, HeapOutcome } from './heap-order.js';
import { OURS, REFERENCE, peers } from './peers.js';

const CHILD = fileURLToPath(new URL('heap-child.js', import.meta.url));
const MIB = 2 ** 20;
const HEAP_MB = 256;
const RUNS = 5;

async function survive(name: string, bound: Bound, size: Size): Promise<CaseResult> {
  const outcomes: (HeapOutcome | null)[] = [];
  const order: HeapOrder = { bound, feedBytes: (size === 'real' ? 1_024 : 8) * MIB };
  for (let run = 0; run < roundsOf(RUNS, size); run++) {
    outcomes.push(await inChild<HeapOrder, HeapOutcome>(CHILD, order, [`--max-old-space-size=${HEAP_MB}`]));
  }
  const alive = outcomes.filter((outcome) => outcome !== null);
  const survived = (100 * alive.length) / outcomes.length;
  const target = bound.by === 'memory' ? exactly('at least', 100) : null;
  const figures: Figure[] = [figureOver('survived', name, [survived], '%', target)];
  if (alive.length > 0) {
    const kept = alive.map(({ keptBytes }) => keptBytes / MIB);
    figures.push(figureOver('kept', name, kept, 'MiB'));
  }
  return { timings: [], figures };
}

function heapCase(name: string, bound: Bound, onlyReal = true): Case {
  return { name, onlyReal, run: (size) => survive(name, bound, size) };
}

const ENTRIES = 20_000;

export const heapLimitQuestion: Question = {
  id: 'heap-limit',
  asks: `Which process survives: five caches in a heap of ${HEAP_MB} MB that are fed 1 GiB?`,
  cases: [
    heapCase(`${OURS}, memory 'auto'`, { by: 'memory' }, false),
    // Split by hand, with every size known and told: that is what it takes.
    heapCase(`${REFERENCE}, 25 MB each`, { by: 'bytes', maxBytes: 25e6 }, false),
    heapCase(`${REFERENCE}, 50 MB each`, { by: 'bytes', maxBytes: 50e6 }),
    ...peers.map(({ name }) => heapCase(`${name}, 20,000 entries each`, { by: 'entries', peer: name, max: ENTRIES })),
  ],
};
