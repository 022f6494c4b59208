import { createHost } from '@core/framework';
import { type Size, atMost } from '../harness/competitor.js';
import type { CaseResult, Question } from '../harness/result.js';

async function idle(size: Size): Promise<CaseResult> {
  await using host = await createHost({ memory: 'auto', name: 'idle' });
  const restMs = size === 'real' ? 20_000 : 20;
  // What the start of the process and of the host leaves behind is not of the rest.
  await rest(size === 'real' ? 3000 : 5);
  const before = process.cpuUsage();
  await rest(restMs);
  const { user, system } = process.cpuUsage(before);
  const value = (100 * (user + system)) / 1000 / restMs;
  return {
    timings: [],
    figures: [
      {
        what: `CPU of a ${host.name} host`,
        of: 'Reclaim',
        against: null,
        value,
        low: value,
        high: value,
        unit: '%',
        target: size === 'real' ? atMost(0.1) : null,
      },
    ],
  };
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export const idleQuestion: Question = {
  id: 'idle',
  asks: 'What does it cost to watch over memory while nothing happens?',
  cases: [{ name: 'twenty seconds', run: idle }],
};
