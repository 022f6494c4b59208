import type { Question } from '../harness/result.js';
import { churnQuestion } from './churn.bench.js';
import { readsQuestion } from './reads.bench.js';
import { updatesQuestion } from './updates.bench.js';

export const btreeKeyQuestions: readonly Question[] = [updatesQuestion, readsQuestion, churnQuestion];
