import { createHost } from '@core/framework';
import { type Size, atMost } from '../harness/competitor.js';
import type { CaseResult, Question } from '../harness/result.js';
import { median, quantile } from '../harness/statistics.js';

/**
 * The median of some intervals: once in a while V8 collects for tens of milliseconds since nothing happens, and does so
 * in every process.
 */
async function idle(size: Size): Promise<CaseResult> {
  await using host = await createHost({ memory: 'auto', name: 'idle' });
  const restMs = size === 'real' ? 5000 : 20;
  // What the start of the process and of the host leaves behind is not of the rest.
  await rest(size === 'real' ? 3000 : 5);
  const shares: number[] = [];
  for (let interval = 0; interval < (size === 'real' ? 7 : 1); interval++) {
    const before = process.cpuUsage();
    await rest(restMs);
    const { user, system } = process.cpuUsage(before);
    shares.push((100 * (user + system)) / 1000 / restMs);
  }
  return {
    timings: [],
    figures: [
      {
        what: `CPU of an ${host.name} host`,
        of: 'Reclaim',
        against: null,
        value: median(shares),
        low: quantile(shares, 0.25),
        high: quantile(shares, 0.75),
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
  cases: [{ name: 'half a minute', run: idle }],
};
