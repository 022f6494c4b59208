import type { Question } from '../harness/result.js';
import { churnQuestion } from './churn.bench.js';
import { heapLimitQuestion } from './heap-limit.bench.js';
import { memoryQuestion } from './memory.bench.js';
import { speedQuestion } from './speed.bench.js';
import { usesAfterDisposeQuestion } from './uses-after-dispose.bench.js';

export const peersQuestions: readonly Question[] = [
  speedQuestion,
  memoryQuestion,
  churnQuestion,
  usesAfterDisposeQuestion,
  heapLimitQuestion,
];
