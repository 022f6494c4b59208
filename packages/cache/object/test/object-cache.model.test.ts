import { describe, expect, test } from 'vitest';
import { EVICTION_POLICIES } from '../src/index.js';
import { type Bust, fuzzCache } from './support/fuzz-cache.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('against a plain model', () => {
  test.each(EVICTION_POLICIES)('random operations, with policy %s', async (policy) => {
    const first = (Date.now() % 1_000_000) * 10;
    for (const seed of [...seeds(40, 1000), ...seeds(20, first)]) {
      await fuzzCache(seed, 150, undefined, policy);
    }
  });
});

const BUSTS: Readonly<Record<string, Bust>> = {
  'disposes at once'({ graveyard }) {
    graveyard.retire = (key: unknown, value: unknown, bytes: number, reason: string) => {
      graveyard.count++;
      graveyard.bytes += bytes;
      graveyard.disposeOf(value, key, bytes, reason, null);
    };
  },
  'disposes of what is held'({ holds, graveyard }) {
    const real = holds.leave.bind(holds);
    holds.leave = (lease: any, bytes: number, reason: string) => {
      real(lease, bytes, reason);
      graveyard.retire(lease.key, lease.value, bytes, reason);
    };
  },
  'disposes twice'({ graveyard }) {
    const real = graveyard.disposeValue;
    if (real !== null) {
      graveyard.disposeValue = (...args: unknown[]) => {
        real(...args);
        real(...args);
      };
    }
  },
  'loses a value'({ graveyard }) {
    const real = graveyard.retire.bind(graveyard);
    let calls = 0;
    graveyard.retire = (...args: unknown[]) => {
      if (++calls % 7 !== 0) {
        real(...args);
      }
    };
  },
  'keeps its bin open when the cookie advances'({ graveyard }) {
    graveyard.cookieAdvanced = () => {};
  },
  'waits for no reader'({ graveyard }) {
    const real = graveyard.pending.enqueue.bind(graveyard.pending);
    graveyard.pending.enqueue = (bin: unknown) => {
      real(bin);
      graveyard.pending.dequeue();
      queueMicrotask(() => graveyard.process(bin));
    };
  },
  'does not see who holds'({ table }) {
    table.isHeld = () => false;
  },
  'leaves in the second list what is let go'({ table }) {
    table.unpark = () => {};
  },
  'clears no marks'({ table }) {
    const real = table.policy.spare.bind(table.policy);
    table.policy.spare = (slot: number) => {
      const mark = table.marks[slot];
      real(slot);
      table.marks[slot] = mark;
    };
  },
  'inserts what was held as if it was not used meanwhile'({ table }) {
    const real = table.unpark.bind(table);
    table.unpark = (slot: number) => {
      table.marks[slot] = 0;
      real(slot);
    };
  },
  'tells no policy of a use'({ table }) {
    table.policy.touch = () => {};
  },
  'knows all keys again'({ table }) {
    if (table.shadows !== null) {
      table.shadows.take = () => 0;
    }
  },
  'knows no key again'({ table }) {
    if (table.shadows !== null) {
      table.shadows.take = () => -1;
    }
  },
  'remembers under hard pressure'({ table }) {
    table.forgetEvicted = () => {};
  },
  'forgets bytes of what is replaced'({ table }) {
    const real = table.replace.bind(table);
    table.replace = (slot: number, value: unknown, size: number) => {
      const { bytes } = table;
      real(slot, value, size);
      if (table.sizes !== null && table.bytes < bytes) {
        table.bytes = bytes;
      }
    };
  },
  'loses count of holds'({ holds }) {
    const real = holds.release.bind(holds);
    let calls = 0;
    holds.release = (lease: unknown) => {
      if (++calls % 5 === 0) {
        holds.open++;
      }
      return real(lease);
    };
  },
  'hands out for reuse what may still be read'({ graveyard }) {
    const real = graveyard.retire.bind(graveyard);
    graveyard.retire = (key: unknown, value: unknown, bytes: number, reason: string) => {
      if (graveyard.maxReusable > graveyard.ready.length) {
        graveyard.count++;
        graveyard.bytes += bytes;
        graveyard.ready.put(key, value, bytes, reason);
        graveyard.readyBytes += bytes;
      } else {
        real(key, value, bytes, reason);
      }
    };
  },
  'expires a little late'({ table }) {
    if (table.expiry !== null) {
      const { expiry } = table;
      expiry.isStale = (slot: number) => expiry.clock.now() > expiry.staleAt[slot];
    }
  },
};

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', async (name) => {
    await expect(async () => {
      for (const seed of seeds(60, 1)) {
        await fuzzCache(seed, 150, BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });
});
