import { type Size, exactly } from '../harness/competitor.js';
import { figureOver } from '../harness/figures.js';
import type { CaseResult, Figure, Question } from '../harness/result.js';
import { zipf } from '../harness/workload.js';
import { resourceCaches, useConcurrently } from './async-load.js';
import { OURS } from './peers.js';

const MAX = 64;
const READERS = 64;
const KEYS = 1_000;

async function count(size: Size): Promise<CaseResult> {
  const keys = zipf(size === 'real' ? 60_000 : 2_000, KEYS);
  const figures: Figure[] = [];
  for (const [name, create] of Object.entries(resourceCaches)) {
    const { afterDispose, notOnce } = await useConcurrently(create, MAX, keys, READERS);
    const target = name === OURS ? exactly('at most', 0) : null;
    figures.push(
      figureOver('uses after dispose', name, [afterDispose], 'objects', target),
      figureOver('not disposed of exactly once', name, [notOnce], 'objects', target),
    );
  }
  return { timings: [], figures };
}

export const usesAfterDisposeQuestion: Question = {
  id: 'uses-after-dispose',
  asks: 'How often is a resource used that its cache has disposed of? (counted, not timed)',
  cases: [{ name: `${READERS} readers, ${MAX} resources`, run: count }],
};
