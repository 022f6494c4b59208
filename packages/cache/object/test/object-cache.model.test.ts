import { describe, expect, test } from 'vitest';
import { type Bust, fuzzCache } from './support/fuzz-cache.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('against a plain model', () => {
  test.each([1, 2, 3, 4])('random operations, part %i', async (part) => {
    const first = (Date.now() % 1_000_000) * 10 + part * 1000;
    for (const seed of [...seeds(40, part * 1000), ...seeds(20, first)]) {
      await fuzzCache(seed, 150);
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
  'clears no bits'({ table }) {
    const real = table.victim.bind(table);
    table.victim = (keep: number) => {
      const bits = table.referenced.slice();
      const slot = real(keep);
      table.referenced.set(bits);
      return slot;
    };
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
