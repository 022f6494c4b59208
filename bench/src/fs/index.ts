import type { Question } from '../harness/result.js';
import { blocksQuestion } from './blocks.bench.js';
import { lookupQuestion } from './lookup.bench.js';
import { openFilesQuestion } from './open-files.bench.js';

export const fsQuestions: readonly Question[] = [lookupQuestion, blocksQuestion, openFilesQuestion];
