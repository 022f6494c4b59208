import { Srcu } from '@core/rcu';
import { type Competitor, atMost } from '../harness/competitor.js';
import { type Comparison, race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';

/** Objects that readers look at: more than registers, fewer than a first-level cache holds. */
const OBJECTS = 256;

class Entry {
  value: number;

  constructor(value: number) {
    this.value = value;
  }
}

function entries(): Entry[] {
  return Array.from({ length: OBJECTS }, (_, index) => new Entry(index));
}

function fieldRead(operations: number): Competitor {
  const objects = entries();
  const sink = new Int32Array(1);
  return {
    name: 'field read',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + (objects[index % OBJECTS] as Entry).value) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

/** A call that cannot be inlined away: what a section costs if it does nothing at all. */
function emptyFunction(operations: number): Competitor {
  const objects = entries();
  const sink = new Int32Array(1);
  const functions = [() => {}, () => {}, () => {}, () => {}, () => {}, () => {}, () => {}, () => {}];
  return {
    name: 'empty function',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        (functions[index % 8] as () => void)();
        sum = (sum + (objects[index % OBJECTS] as Entry).value) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function rawPair(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  return {
    name: 'readLock, readUnlock',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        const epoch = srcu.readLock();
        sum = (sum + (objects[index % OBJECTS] as Entry).value) | 0;
        srcu.readUnlock(epoch);
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function tryFinally(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  return {
    name: 'with try/finally',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        const epoch = srcu.readLock();
        try {
          sum = (sum + (objects[index % OBJECTS] as Entry).value) | 0;
        } finally {
          srcu.readUnlock(epoch);
        }
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function readSection(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  return {
    name: 'srcu.read',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + srcu.read(() => (objects[index % OBJECTS] as Entry).value)) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function guardSection(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  return {
    name: 'guard, release',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        const guard = srcu.guard();
        sum = (sum + (objects[index % OBJECTS] as Entry).value) | 0;
        guard.release();
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function asyncUnlocked(operations: number): Competitor {
  const objects = entries();
  const sink = new Int32Array(1);
  const settled = Promise.resolve();
  async function section(index: number): Promise<number> {
    await settled;
    return (objects[index % OBJECTS] as Entry).value;
  }
  return {
    name: 'async, unlocked',
    operations,
    async run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + (await section(index))) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function asyncLocked(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  const settled = Promise.resolve();
  async function section(index: number): Promise<number> {
    const epoch = srcu.readLock();
    try {
      await settled;
      return (objects[index % OBJECTS] as Entry).value;
    } finally {
      srcu.readUnlock(epoch);
    }
  }
  return {
    name: 'async, try/finally',
    operations,
    async run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + (await section(index))) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function asyncRead(operations: number): Competitor {
  const srcu = new Srcu();
  const objects = entries();
  const sink = new Int32Array(1);
  const settled = Promise.resolve();
  async function section(index: number): Promise<number> {
    await settled;
    return (objects[index % OBJECTS] as Entry).value;
  }
  return {
    name: 'async, srcu.read',
    operations,
    async run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + (await srcu.read(() => section(index)))) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

type Make = (operations: number) => Competitor;

/** One design beside the plain ones, in a process of its own. */
function sectionCase(name: string, design: Make, others: readonly Make[], operations: number, target?: number): Case {
  return {
    name,
    run(size) {
      const count = size === 'real' ? operations : 500;
      const ours = design(count);
      const against = others.map((make) => make(count));
      const comparisons = against.map((other, index): Comparison => ({
        what: name,
        of: ours.name,
        against: other.name,
        as: 'cost',
        ...(index > 0 || target === undefined ? {} : { target: atMost(target) }),
      }));
      return race({ competitors: [...against, ours], comparisons }, size);
    },
  };
}

export const srcuQuestion: Question = {
  id: 'srcu',
  asks: 'What does a section of Srcu cost?',
  cases: [
    sectionCase('raw pair', rawPair, [fieldRead, emptyFunction], 4_000_000, 2),
    sectionCase('try/finally', tryFinally, [fieldRead, emptyFunction], 4_000_000, 6),
    sectionCase('read, synchronous', readSection, [fieldRead, emptyFunction], 2_000_000),
    sectionCase('guard', guardSection, [fieldRead, emptyFunction], 20_000),
    sectionCase('async, try/finally', asyncLocked, [asyncUnlocked], 100_000, 1.15),
    sectionCase('async, srcu.read', asyncRead, [asyncUnlocked], 50_000),
  ],
};
