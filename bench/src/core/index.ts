import type { Question } from '../harness/result.js';
import { conservationQuestion } from './conservation.bench.js';
import { drainQuestion } from './drain.bench.js';
import { objectCacheQuestion } from './object-cache.bench.js';
import { rcuPendingQuestion } from './rcu-pending.bench.js';
import { rcuQuestion } from './rcu.bench.js';
import { reuseQuestion } from './reuse.bench.js';
import { shrinkerQuestion } from './shrinker.bench.js';
import { srcuQuestion } from './srcu.bench.js';

export const coreQuestions: readonly Question[] = [
  rcuQuestion,
  srcuQuestion,
  rcuPendingQuestion,
  reuseQuestion,
  drainQuestion,
  shrinkerQuestion,
  objectCacheQuestion,
  conservationQuestion,
];
