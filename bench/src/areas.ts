import { btreeKeyQuestions } from './btree-key/index.js';
import { coreQuestions } from './core/index.js';
import { fsQuestions } from './fs/index.js';
import type { Case, Question } from './harness/result.js';
import { hitRatioQuestions } from './hit-ratio/index.js';
import { peersQuestions } from './peers/index.js';
import { pressureQuestions } from './pressure/index.js';
import { shrinkerQuestions } from './shrinker/index.js';

/** What `npm run bench -- <area>` may ask for. */
export const areas: Readonly<Record<string, readonly Question[]>> = {
  core: coreQuestions,
  shrinker: shrinkerQuestions,
  pressure: pressureQuestions,
  fs: fsQuestions,
  'btree-key': btreeKeyQuestions,
  'hit-ratio': hitRatioQuestions,
  peers: peersQuestions,
};

/** A case by the names that its process was given. */
export function caseOf(area: string, questionId: string, caseName: string): Case {
  const question = areas[area]?.find(({ id }) => id === questionId);
  const found = question?.cases.find(({ name }) => name === caseName);
  if (found === undefined) {
    throw new RangeError(`Cannot run ${area}/${questionId}/${caseName}: there is no such case`);
  }
  return found;
}
