import { describe, expect, test } from 'vitest';
import { type Bust, fuzzInodes } from './support/fuzz-inodes.js';

const seeds = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);

describe('against the file system itself', () => {
  test.each([1, 2, 3, 4])('random operations while others change files, part %i', async (part) => {
    const first = (Date.now() % 1_000_000) * 10 + part * 1000;
    for (const seed of [...seeds(20, part * 1000), ...seeds(10, first)]) {
      await fuzzInodes(seed, 150);
    }
  });

  test('all of it happens', async () => {
    const happened = { changed: 0, replaced: 0, fresh: 0, joinedLooks: 0, evictions: 0, uncharged: 0 };
    const derived = { derivedHits: 0, remade: 0, unsettled: 0, joinedMakers: 0, derivedEvictions: 0 };
    const onTrial = { deferred: 0, confirmed: 0 };
    const sums: Record<string, number> = { ...happened, ...derived, ...onTrial };
    for (const seed of seeds(40, 1)) {
      const stats = await fuzzInodes(seed, 150);
      for (const name of Object.keys(sums)) {
        sums[name] = (sums[name] as number) + (stats[name as keyof typeof stats] as number);
      }
    }
    expect(Object.entries(sums).filter(([, count]) => count === 0)).toEqual([]);
  });
});

const BUSTS: Readonly<Record<string, Bust>> = {
  'takes a number that is used again for the old file'({ births }) {
    births.isSame = () => true;
  },
  'keeps derived values after a change'({ observer }) {
    observer.values = { dropAll() {} };
  },
  'has two makers at work'({ makers }) {
    makers.underWay = () => null;
  },
  'hands out what a maker has read before'({ makers }) {
    makers.isGoodFor = () => true;
  },
  'keeps what was read of a file that changed meanwhile'({ makers }) {
    makers.isGood = (inode: any, making: any) => {
      making.version = inode.version;
      return true;
    };
  },
  'keeps what was read of a file that changed a moment ago'({ makers }) {
    makers.host.isSettled = () => true;
  },
  'believes a value on trial after a notice'({ values }) {
    onTrial(values, (derived) => {
      derived.isBelieved = () => true;
    });
  },
  'believes a value on trial for longer than may be'({ values }) {
    onTrial(values, (derived, trial) => {
      derived.isBelieved = () => trial.version === derived.inode.version;
    });
  },
  'believes a look that began before a change'({ observer }) {
    const real = observer.look.bind(observer);
    observer.look = (inode: any, stats: unknown, { begunMs }: { begunMs: number }) =>
      real(inode, stats, { id: inode.lookId, begunMs });
  },
  'finds and takes an inode that is leaving'({ store }) {
    store.at = (dev: bigint, ino: bigint) => store.table.get(dev, ino) ?? null;
  },
  'evicts what is held'({ store }) {
    const real = store.isolate.bind(store);
    store.isolate = (inode: any, leaving: unknown) => {
      const { count } = inode;
      inode.count = 0;
      const status = real(inode, leaving);
      inode.count = count;
      return status;
    };
  },
  'destroys at once'({ graveyard }) {
    graveyard.retire = (object: any) => object.destroy();
  },
  'destroys twice'({ graveyard }) {
    const real = graveyard.bury.bind(graveyard);
    graveyard.bury = (object: any) => {
      real(object);
      object.destroy();
    };
  },
  'forgets values that were not kept'({ values }) {
    values.discard = () => {};
  },
  'forgets to give back what was charged'({ account }) {
    const real = account.uncharge.bind(account);
    let calls = 0;
    account.uncharge = (bytes: number, zone: string) => real(++calls % 5 === 0 ? 0 : bytes, zone);
  },
  'leaves a replaced inode on the list'({ store }) {
    store.lru.del = () => false;
  },
  'believes what it was told to doubt'({ observer }) {
    observer.doubt = () => {};
  },
};

/** Does something to each value that is kept on trial. */
function onTrial(values: any, bust: (derived: any, trial: any) => void): void {
  const real = values.keep.bind(values);
  values.keep = (...args: unknown[]) => {
    const derived = real(...args);
    let trial: unknown = null;
    if (derived !== null && derived.value === args[2]) {
      Object.defineProperty(derived, 'trial', {
        get: () => trial,
        set(value) {
          trial = value === null ? null : { ...value };
          if (trial !== null) {
            bust(derived, trial);
          }
        },
      });
    }
    return derived;
  };
}

describe('busted', () => {
  test.each(Object.keys(BUSTS))('%s', async (name) => {
    await expect(async () => {
      for (const seed of seeds(300, 1)) {
        await fuzzInodes(seed, 150, BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });
});
