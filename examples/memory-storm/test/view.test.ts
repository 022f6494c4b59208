import { describe, expect, it } from 'vitest';
import type { Job, Sample } from '../src/protocol.js';
import { pictureOf, View } from '../src/view.js';

const JOB: Job = { contender: 'lru-size', load: 'storm', feedBytes: 1, heapMb: 256, seed: 1 };
const GIB = 2 ** 30;

function sampleOf(progress: number): Sample {
  return {
    progress,
    requests: 10_000_000,
    hitRatio: 0.5,
    rssBytes: 400 * 2 ** 20,
    peakRssBytes: 0,
    peakLiveBytes: 0,
    delayP99Ms: null,
    caches: [{ name: 'strings', entries: 1_000_000, bytes: GIB, evictions: 10_000_000 }],
    memory: {
      budgets: [{ name: 'heap', usedBytes: 3 * GIB, limitBytes: 4 * GIB, level: 'low' }],
      direct: 1234,
      directBytes: 2 * GIB,
      directMs: 99,
      background: 12_345,
      backgroundBytes: 9 * GIB,
    },
    handles: { opened: 0, closed: 0, closedTwice: 0, usedAfterClose: 0, open: 0 },
  };
}

describe('the view', () => {
  it('shows budgets, caches and reclaim in 80 columns', () => {
    const lines = pictureOf(JOB, sampleOf(0.5));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).toMatch(/heap +█{15}░{5} 3072 MB of 4096 MB, low/);
    expect(lines.join('\n')).toMatch(/strings +1,000,000 entries +1024 MB +10,000,000 evicted/);
    expect(lines.join('\n')).toMatch(/1,234 direct \(2048 MB, 99 ms\), 12,345 background/);
  });

  it('prints a line now and then where nothing can be rewritten', () => {
    const lines: string[] = [];
    const view = new View({ live: null, print: (line) => lines.push(line) });
    for (let step = 0; step <= 100; step++) {
      view.update(JOB, sampleOf(step / 100));
    }
    expect(lines).toHaveLength(4);
  });
});
