import { SeededRng } from '@core/base';
import { describe, expect, it } from 'vitest';
import type { Contender } from '../src/contender.js';
import { HandleLedger } from '../src/handles.js';
import { type Kind, kindsOf } from '../src/kinds.js';
import { oneTick, storm, Tally } from '../src/load.js';
import { withLruByEntries, withLruBySize } from '../src/with-lru-cache.js';
import { withReclaim } from '../src/with-reclaim.js';
import { zipfRank } from '../src/zipf.js';

const MIB = 2 ** 20;
const FEED_BYTES = 4 * MIB;

/** A storm that fits, over a contender. */
async function smallStorm(
  open: (options: { kinds: readonly Kind[]; heapBytes: number; onShort: () => void }) => Contender | Promise<Contender>,
): Promise<{ tally: Tally; ledger: HandleLedger }> {
  const ledger = new HandleLedger();
  const kinds = kindsOf(ledger);
  const contender = await open({ kinds, heapBytes: 256 * MIB, onShort: () => {} });
  const tally = new Tally();
  await storm({ kinds, caches: contender.caches, feedBytes: FEED_BYTES, seed: 1, tally, onTurn: () => {} });
  await contender.close();
  return { tally, ledger };
}

describe('the load', () => {
  it('is the same for all contenders, and each closes what was opened', async () => {
    const all = [await smallStorm(withLruByEntries), await smallStorm(withLruBySize), await smallStorm(withReclaim)];
    for (const { tally, ledger } of all) {
      expect(tally).toEqual(all[0]?.tally);
      expect(tally.fedBytes).toBeGreaterThanOrEqual(FEED_BYTES);
      expect(tally.hitRatio).toBeGreaterThan(0.05);
      expect(ledger.opened).toBeGreaterThan(0);
      expect(ledger).toMatchObject({ closed: ledger.opened, closedTwice: 0, usedAfterClose: 0, open: 0 });
    }
  });

  it.each<[string, (kind: Kind) => Kind, object]>([
    [
      'leaks',
      ({ name, share, keys, zone, make, sizeOf }) => ({ name, share, keys, zone, make, sizeOf }),
      { closed: 0, closedTwice: 0 },
    ],
    [
      'closes twice',
      (kind) => ({
        ...kind,
        dispose: (value) => {
          kind.dispose?.(value);
          kind.dispose?.(value);
        },
      }),
      { open: 0 },
    ],
  ])('is seen through when a contender %s', async (_, bust, expected) => {
    const { ledger } = await smallStorm((options) =>
      withReclaim({ ...options, kinds: options.kinds.map((kind) => (kind.name === 'handles' ? bust(kind) : kind)) }),
    );
    expect(ledger).toMatchObject(expected);
    expect(ledger.open + ledger.closedTwice).toBe(ledger.opened);
    expect(ledger.opened).toBeGreaterThan(0);
  });

  it('sees when a handle is used that was closed', async () => {
    const ledger = new HandleLedger();
    const kinds = kindsOf(ledger).map((kind) => ({
      ...kind,
      make: (rank: number) => {
        const value = kind.make(rank);
        kind.dispose?.(value);
        return value;
      },
    }));
    const { caches } = withLruByEntries({ kinds, heapBytes: 256 * MIB, onShort: () => {} });
    await storm({ kinds, caches, feedBytes: FEED_BYTES, seed: 1, tally: new Tally(), onTurn: () => {} });
    expect(ledger.usedAfterClose).toBeGreaterThanOrEqual(ledger.opened);
  });

  it('stores everything in one turn, when asked to', async () => {
    const kinds = kindsOf(new HandleLedger());
    const contender = await withReclaim({ kinds, heapBytes: 256 * MIB, onShort: () => {} });
    const tally = new Tally();
    let turned = false;
    setImmediate(() => (turned = true));
    oneTick({ kinds, caches: contender.caches, feedBytes: FEED_BYTES, seed: 1, tally, onTurn: () => {} });

    expect(turned).toBe(false);
    expect(tally.created).toBe(tally.requests);
    expect(tally.fedBytes).toBeGreaterThanOrEqual(FEED_BYTES);
    expect(contender.caches.map((cache) => cache.state().entries > 0)).toEqual([true, true, true, true, false]);
    await contender.close();
  });
});

describe('ranks', () => {
  it('are from 0 to below the number of keys', () => {
    expect(zipfRank(1000, { next: () => 0 })).toBe(0);
    expect(zipfRank(1000, { next: () => 1 - Number.EPSILON })).toBe(999);
  });

  it('are asked for the more often, the lower they are', () => {
    const rng = new SeededRng(1);
    const counts = Array.from({ length: 1000 }, () => 0);
    for (let drawn = 0; drawn < 100_000; drawn++) {
      const rank = zipfRank(1000, rng);
      counts[rank] = (counts[rank] as number) + 1;
    }
    const sum = (from: number, to: number): number => counts.slice(from, to).reduce((one, other) => one + other, 0);
    // By the law's integral: from 1 to 11, to 101, and to 1001.
    const upTo = (rank: number): number => (100_000 * ((rank + 1) ** 0.1 - 1)) / (1001 ** 0.1 - 1);
    expect(Math.abs(sum(0, 10) - upTo(10))).toBeLessThan(1000);
    expect(Math.abs(sum(0, 100) - upTo(100))).toBeLessThan(1000);
  });
});
