import { describe, expect, test } from 'vitest';
import { type Bust, fuzzCache } from './support/fuzz-cache.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('against a plain model, over a store and a journal that fail and crash', () => {
  test.each([1, 2, 3, 4])('random operations, part %i', async (part) => {
    const first = (Date.now() % 1_000_000) * 10 + part * 1000;
    for (const seed of [...seeds(6, part * 1000), ...seeds(3, first)]) {
      await fuzzCache(seed, 40);
    }
  });
});

/** Runs `before` each time that the method is called, and then the method. */
function prepend(target: any, method: string, before: (...args: any[]) => void): void {
  const real = target[method].bind(target);
  target[method] = (...args: unknown[]) => {
    before(...args);
    return real(...args);
  };
}

const BUSTS: Readonly<Record<string, Bust>> = {
  'drops the pin when the journal has the record'({ core: { pins }, journal }) {
    const add = pins.add.bind(pins);
    pins.add = (key: any, sequence: number) => {
      add(key, sequence);
      journal.unpin(key.pinned.pin);
    };
    pins.checkInvariants = () => {};
  },
  'is clean before the store has it'({ core, flusher }) {
    prepend(flusher, 'write', () => {
      for (const { key, sequence } of flusher.batch.taken) {
        if (key.dirty && key.sequence === sequence) {
          core.clean(key);
        }
      }
      flusher.lowWithoutBatch = () => core.pins.low;
      const { move } = core.pins;
      core.pins.move = (key: any, sequence: number) => key.pinned !== null && move.call(core.pins, key, sequence);
      const { clean } = core;
      core.clean = (key: any) => key.dirty && clean.call(core, key);
    });
  },
  'evicts what is dirty'({ core }) {
    prepend(core.walker, 'walk', () => {
      const [key] = core.dirtyKeys();
      if (key !== undefined) {
        core.clean(key);
      }
    });
    core.pins.checkInvariants = () => {};
  },
  'clears dirty though the key was updated meanwhile'({ flusher }) {
    const { write } = flusher;
    flusher.write = (last: number) => {
      for (const taken of flusher.batch.taken) {
        Object.defineProperty(taken, 'sequence', { get: () => taken.key.sequence, set: () => {} });
      }
      return write.call(flusher, last);
    };
  },
  'fills in what it has read before somebody wrote'({ core, reader }) {
    reader.getMissing = async (space: any, key: string) => {
      const value = await reader.read(space, key);
      const found = core.findCanonical(space, key) ?? core.insert(space, key, 0);
      if (found !== null && core.grow(found, value?.length ?? 0)) {
        core.fill(found, value);
        core.release(found);
      }
      return value;
    };
  },
  'marks what another key still needs'({ flusher }) {
    flusher.lowWithoutBatch = () => Infinity;
  },
  'ranges over the store alone'({ core }) {
    core.order = () => ({ walk: () => {} });
  },
  'journals a batch key by key'({ writer }) {
    const { storeAll } = writer;
    writer.storeAll = (plan: any[], locked: any[], values: any[]) =>
      Math.max(...plan.map((one, at) => storeAll.call(writer, [one], [locked[at]], [values[at]])));
  },
  'does not journal deletes'({ writer, core }) {
    const { store } = writer;
    writer.store = (locked: any, space: any, key: string, next: any) => {
      if (next === undefined && locked.dirty && core.grow(locked, 0)) {
        locked.length = -1;
        return locked.sequence;
      }
      return store.call(writer, locked, space, key, next);
    };
  },
  'acknowledges before the journal has it'({ writer }) {
    writer.committed = (_: number, value: unknown) => Promise.resolve(value);
  },
  'finds hot keys that were evicted'({ core }) {
    for (const space of core.spaces.values()) {
      space.hot.forget = () => {};
    }
  },
  'lets two updates have the lock'({ core }) {
    const { insert } = core;
    core.insert = (...args: unknown[]) => {
      const key = insert.apply(core, args);
      if (key !== null) {
        key.waitForLock = () => Promise.resolve(true);
      }
      return key;
    };
  },
};

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', async (name) => {
    await expect(async () => {
      for (const seed of seeds(80, 1)) {
        await fuzzCache(seed, 40, BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });
});
