import type { Question } from '../harness/result.js';
import { burstQuestion } from './burst.bench.js';
import { costQuestion } from './cost.bench.js';
import { idleQuestion } from './idle.bench.js';
import { tenantsQuestion } from './tenants.bench.js';

export const pressureQuestions: readonly Question[] = [costQuestion, idleQuestion, tenantsQuestion, burstQuestion];
