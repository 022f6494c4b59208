import type { Question } from '../harness/result.js';
import { hitRatioQuestion } from './hit-ratio.bench.js';

export const hitRatioQuestions: readonly Question[] = [hitRatioQuestion];
