import type { Question } from '../harness/result.js';
import { groupsQuestion } from './groups.bench.js';

export const shrinkerQuestions: readonly Question[] = [groupsQuestion];
