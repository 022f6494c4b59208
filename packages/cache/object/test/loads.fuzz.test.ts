import { describe, expect, test } from 'vitest';
import { type BustLoads, fuzzLoads } from './support/fuzz-loads.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('loads, aborts and holds at random', () => {
  test.each([1, 2, 3, 4])('leak nothing, part %i', async (part) => {
    const first = (Date.now() % 1_000_000) * 10 + part * 1000;
    for (const seed of [...seeds(40, part * 1000), ...seeds(15, first)]) {
      await fuzzLoads(seed, 150);
    }
  });
});

const BUSTS: Readonly<Record<string, BustLoads>> = {
  'keeps the hold of a caller who gave up'({ loads }) {
    const real = loads.until.bind(loads);
    loads.until = (signal: AbortSignal, flight: any, hold: boolean) => {
      const promise = real(signal, flight, hold);
      if (hold) {
        signal.addEventListener('abort', () => {
          flight.holds += flight.told ? 0 : 1;
        });
      }
      return promise;
    };
  },
  'holds for callers that close has told'({ loads }) {
    const real = loads.abortAll.bind(loads);
    loads.abortAll = (reason: unknown) => {
      const flights = [...loads.waiting];
      const holds = flights.map((flight) => flight.holds);
      real(reason);
      for (const [index, flight] of flights.entries()) {
        flight.holds = holds[index];
      }
    };
  },
  'holds nothing for who waits'({ loads }) {
    const real = loads.place.bind(loads);
    loads.place = (...args: unknown[]) => {
      const lease = real(...args);
      if (lease !== null && lease.holds > 1) {
        loads.table.letGo(lease);
      }
      return lease;
    };
  },
  'stores what is superseded'({ loads }) {
    const real = loads.supersede.bind(loads);
    loads.supersede = (key: number) => {
      const flight = loads.flights.get(key);
      real(key);
      if (flight !== undefined) {
        flight.superseded = false;
      }
    };
  },
  'stores after close'({ loads }) {
    const real = loads.abortAll.bind(loads);
    loads.abortAll = (reason: unknown) => {
      const flights = [...loads.waiting];
      real(reason);
      for (const flight of flights) {
        flight.superseded = false;
      }
    };
  },
  'does not keep the stale value for the load'({ loads, graveyard }) {
    const real = loads.run.bind(loads);
    loads.run = (flight: unknown, load: unknown) => {
      graveyard.wanted = false;
      try {
        real(flight, load);
      } finally {
        graveyard.wanted = true;
      }
    };
  },
  'never lets go of the stale value'({ table }) {
    table.unpin = () => {};
  },
  'retires what has left already'({ graveyard, holds }) {
    graveyard.has = () => false;
    graveyard.rescue = () => null;
    holds.findRetired = () => null;
  },
  'forgets callers'({ loads }) {
    const real = loads.supersede.bind(loads);
    loads.supersede = (key: number) => {
      const flight = loads.flights.get(key);
      real(key);
      if (flight !== undefined) {
        flight.resolve = () => {};
        flight.reject = () => {};
      }
    };
  },
  'leaves listeners behind'({ loads }) {
    loads.aborts.remove = () => {};
  },
};

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', async (name) => {
    await expect(async () => {
      for (const seed of seeds(200, 1)) {
        await fuzzLoads(seed, 150, BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });
});
