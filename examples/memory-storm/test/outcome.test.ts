import { describe, expect, it } from 'vitest';
import { faultsOf, type Outcome } from '../src/outcome.js';
import type { ContenderName, Sample } from '../src/protocol.js';
import { tableOf } from '../src/table.js';

const HANDLES: Sample['handles'] = { opened: 9, closed: 9, closedTwice: 0, usedAfterClose: 0, open: 0 };

function outcomeOf(contender: ContenderName, sample: Partial<Sample>, outcome: Partial<Outcome> = {}): Outcome {
  return {
    job: { contender, load: 'storm', feedBytes: 1, heapMb: 256, seed: 1 },
    survived: true,
    exit: 'exit 0',
    lastWords: '',
    seconds: 1,
    report: null,
    last: {
      progress: 1,
      requests: 100,
      hitRatio: 0.5,
      rssBytes: 1,
      peakRssBytes: 1,
      peakLiveBytes: 1,
      delayP99Ms: 1,
      caches: [],
      memory: null,
      handles: HANDLES,
      ...sample,
    },
    ...outcome,
  };
}

const tuned = outcomeOf('lru-size', { hitRatio: 0.54 });
const dead = outcomeOf('lru-entries', { progress: 0.5 }, { survived: false, exit: 'SIGABRT' });

describe('the verdict', () => {
  it('finds no fault with what survived, and none of others', () => {
    expect(faultsOf([dead, tuned, outcomeOf('reclaim', {})])).toEqual([]);
  });

  it.each<[string, Outcome, RegExp]>([
    ['died', outcomeOf('reclaim', {}, { survived: false, exit: 'SIGABRT' }), /survive: SIGABRT/],
    ['died before it said a word', outcomeOf('reclaim', {}, { survived: false, last: null }), /survive/],
    ['leaked', outcomeOf('reclaim', { handles: { ...HANDLES, closed: 8, open: 1 } }), /1 handles were never closed/],
    ['closed twice', outcomeOf('reclaim', { handles: { ...HANDLES, closedTwice: 2 } }), /2 handles were closed twice/],
    ['used after close', outcomeOf('reclaim', { handles: { ...HANDLES, usedAfterClose: 3 } }), /3 handles were used/],
    ['hit too seldom', outcomeOf('reclaim', { hitRatio: 0.48 }), /6\.0 points under/],
  ])('finds that Reclaim %s', (_, ours, fault) => {
    expect(faultsOf([dead, tuned, ours])).toEqual([expect.stringMatching(fault)]);
  });

  it('compares with nothing that did not survive', () => {
    const died = { ...tuned, survived: false };
    expect(faultsOf([dead, died, outcomeOf('reclaim', { hitRatio: 0.1 })])).toEqual([]);
  });
});

describe('the table', () => {
  it('leaves out the hit ratio of the dead', () => {
    const row = tableOf([dead, tuned])
      .split('\n')
      .find((line) => line.includes('hit ratio'));
    expect(row).toMatch(/hit ratio .* – │ .* 54\.0 % │/);
  });
});
