import { describe, expect, test } from 'vitest';
import { type GroupBust, fuzzGroup } from './support/fuzz-group.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('caches in groups, at random', () => {
  test.each([1, 2, 3])('balance their books, part %i', async (part) => {
    const first = (Date.now() % 1_000_000) * 10 + part * 1000;
    for (const seed of [...seeds(30, part * 1000), ...seeds(10, first)]) {
      await fuzzGroup(seed, 200);
    }
  });
});

const BUSTS: Readonly<Record<string, GroupBust>> = {
  'forgets to give back what it evicts'({ ledger }) {
    ledger.drain = () => {};
  },
  'forgets to give back what is let go'({ table }) {
    table.letGo = (lease: any) => {
      if (table.holds.release(lease)) {
        table.endLease(lease);
      }
    };
  },
  'charges after the store'({ cache, ledger, table }) {
    cache.setCharged = (_: unknown, key: number, value: unknown, size: number, ttlMs: number | undefined) => {
      table.store(key, value, size, ttlMs);
      if (!ledger.reserve(key, value, size)) {
        table.reject(key, value, size);
      }
      ledger.settle(size);
    };
  },
  'forgets what it has charged'({ ledger }) {
    const real = ledger.giveBack.bind(ledger);
    ledger.giveBack = (keep: number) => {
      const { charged } = ledger;
      real(keep);
      ledger.charged += charged > ledger.charged ? 1 : 0;
    };
  },
  'does not pin the value that it stores again'({ table }) {
    table.pinValue = () => null;
  },
  'keeps for reuse without a charge'({ ledger }) {
    ledger.mayKeep = () => true;
  },
  'lets those who hold have a value uncharged, and does not note it'({ holds }) {
    const real = holds.leave.bind(holds);
    holds.leave = (lease: unknown, bytes: number, reason: string) => real(lease, bytes, reason);
  },
  'looks at nothing anew after a charge'({ ledger }) {
    const real = ledger.reserve.bind(ledger);
    ledger.reserve = (key: number, value: unknown, size: number) => {
      const slot = ledger.table.slots.get(key);
      const is = real(key, value, size);
      if (slot !== -1 && ledger.table.slots.get(key) === -1) {
        ledger.table.slots.set(key, slot);
      }
      return is;
    };
  },
};

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', async (name) => {
    await expect(async () => {
      for (const seed of seeds(60, 1)) {
        await fuzzGroup(seed, 200, BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });
});
