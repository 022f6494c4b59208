import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { keyStream } from '../src/hit-ratio/key-stream.js';
import { replay, replayLru } from '../src/hit-ratio/replay.js';
import { shippedTraces, tracesIn } from '../src/hit-ratio/traces.js';
import { recencyWorkloads, syntheticWorkloads } from '../src/hit-ratio/workloads.js';

describe('key streams', () => {
  it('are numbered in the order in which keys come first', () => {
    const { keys, footprint } = keyStream('x', ['b', 'a', 'b', 'c', 'a']);
    expect([[...keys], footprint]).toEqual([[0, 1, 0, 2, 1], 3]);
  });

  it('of the shipped traces are what was recorded', () => {
    expect(shippedTraces().map(({ name, keys, footprint }) => [name, keys.length, footprint])).toEqual([
      ['compiler-files', 6_311, 4_365],
      ['git-trees', 65_022, 2_259],
      ['identifiers', 57_864, 4_629],
      ['words', 172_154, 5_691],
    ]);
    for (const { keys } of shippedTraces()) {
      // Numbered in this way already, so that a wrong byte would show.
      let most = -1;
      for (const key of keys) {
        expect(key).toBeLessThanOrEqual(most + 1);
        most = Math.max(most, key);
      }
    }
  });

  it('of one’s own come from text, as it is or compressed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'traces-'));
    try {
      writeFileSync(join(folder, 'b.txt'), 'x\ny\nx\n');
      writeFileSync(join(folder, 'a.txt.gz'), gzipSync('1\n2\n3\n'));
      writeFileSync(join(folder, 'notes.md'), 'no trace');
      expect(tracesIn(folder)).toEqual([
        { name: 'a', keys: Int32Array.of(0, 1, 2), footprint: 3 },
        { name: 'b', keys: Int32Array.of(0, 1, 0), footprint: 2 },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are the same each time', () => {
    const all = () => [...syntheticWorkloads(2_000), ...recencyWorkloads(2_000)];
    expect(all()).toEqual(all());
    expect(all().every(({ keys, footprint }) => keys.length >= 2_000 && footprint > 1)).toBe(true);
  });
});

describe('replays', () => {
  it('count hits', () => {
    const stream = keyStream('x', [1, 2, 1, 3, 1, 2]);
    expect([replayLru(stream, 2), replay(stream, 2, 'lru'), replay(stream, 3, 'workingset')]).toEqual([
      2 / 6,
      2 / 6,
      0.5,
    ]);
  });

  it('of the exact LRU policy are as those of lru-cache, and those of others are not', () => {
    let others = 0;
    for (const workload of syntheticWorkloads(3_000)) {
      for (const max of [1, 7, 50, 300]) {
        expect(replay(workload, max, 'lru')).toBe(replayLru(workload, max));
        others += replay(workload, max, 'workingset') === replayLru(workload, max) ? 0 : 1;
      }
    }
    expect(others).toBeGreaterThan(20);
  });
});
