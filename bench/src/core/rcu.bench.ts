import { Rcu } from '@core/rcu';
import { type Competitor, type Size, atMost } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { Question } from '../harness/result.js';

/** Domains, or objects, that a loop goes round: with one alone its field would be read before the loop. */
const ROUND = 16;

function immediates(perTurn: number, turns: number): Competitor {
  const sink = new Int32Array(1);
  const work = (): void => {
    sink[0] = (sink[0] as number) + 1;
  };
  return {
    name: 'setImmediate each',
    operations: perTurn * turns,
    async run() {
      sink.fill(0);
      for (let turn = 0; turn < turns; turn++) {
        for (let item = 1; item < perTurn; item++) {
          setImmediate(work);
        }
        await new Promise<void>((resolve) => {
          setImmediate(() => {
            work();
            resolve();
          });
        });
      }
    },
    hash: () => sink[0] as number,
  };
}

function calls(perTurn: number, turns: number): Competitor {
  const rcu = new Rcu();
  const sink = new Int32Array(1);
  const work = (): void => {
    sink[0] = (sink[0] as number) + 1;
  };
  return {
    name: 'rcu.call each',
    operations: perTurn * turns,
    async run() {
      sink.fill(0);
      for (let turn = 0; turn < turns; turn++) {
        for (let item = 1; item < perTurn; item++) {
          rcu.call(work);
        }
        await new Promise<void>((resolve) => {
          rcu.call(() => {
            work();
            resolve();
          });
        });
      }
    },
    hash: () => sink[0] as number,
  };
}

class Counter {
  value = 4;
}

function fieldReads(operations: number): Competitor {
  const objects = Array.from({ length: ROUND }, () => new Counter());
  const sink = new Int32Array(1);
  return {
    name: 'field read',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        sum = (sum + (objects[index % ROUND] as Counter).value) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function getStates(operations: number): Competitor {
  const domains = Array.from({ length: ROUND }, () => new Rcu());
  const sink = new Int32Array(1);
  return {
    name: 'rcu.getState',
    operations,
    run() {
      let sum = 0;
      for (let index = 0; index < operations; index++) {
        // What a cookie is made of is nobody's business but a benchmark's.
        sum = (sum + ((domains[index % ROUND] as Rcu).getState() as unknown as number)) | 0;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

class Flag {
  over = true;
}

function flagReads(operations: number): Competitor {
  const objects = Array.from({ length: ROUND }, () => new Flag());
  for (let index = 0; index < ROUND; index += 4) {
    (objects[index] as Flag).over = false;
  }
  const sink = new Int32Array(1);
  return {
    name: 'field read',
    operations,
    run() {
      let over = 0;
      for (let index = 0; index < operations; index++) {
        if ((objects[index % ROUND] as Flag).over) {
          over++;
        }
      }
      sink[0] = over;
    },
    hash: () => sink[0] as number,
  };
}

function polls(operations: number): Competitor {
  // Cookies of three domains in four are over: those that began later.
  const domains = Array.from({ length: ROUND }, (_, index) => new Rcu({ firstSequence: index % 4 === 0 ? 0 : 8 }));
  const cookie = new Rcu({ firstSequence: 4 }).getState();
  const sink = new Int32Array(1);
  return {
    name: 'rcu.poll',
    operations,
    run() {
      let over = 0;
      for (let index = 0; index < operations; index++) {
        if ((domains[index % ROUND] as Rcu).poll(cookie)) {
          over++;
        }
      }
      sink[0] = over;
    },
    hash: () => sink[0] as number,
  };
}

function callCase(perTurn: number, target: number | null): Question['cases'][number] {
  return {
    name: `call, ${perTurn} a turn`,
    run(size) {
      const turns = size === 'real' ? 100_000 / perTurn : 3;
      return race(
        {
          competitors: [immediates(perTurn, turns), calls(perTurn, turns)],
          comparisons: [
            {
              what: `call, ${perTurn} a turn`,
              of: 'rcu.call each',
              against: 'setImmediate each',
              as: 'cost',
              ...(target === null ? {} : { target: atMost(target) }),
            },
          ],
        },
        size,
      );
    },
  };
}

function readCount(size: Size): number {
  return size === 'real' ? 8_000_000 : 1_000;
}

export const rcuQuestion: Question = {
  id: 'rcu',
  asks: 'What do callbacks and cookies of Rcu cost?',
  cases: [
    callCase(1_000, 0.15),
    callCase(10, null),
    {
      name: 'getState',
      run(size) {
        const operations = readCount(size);
        return race(
          {
            competitors: [fieldReads(operations), getStates(operations)],
            comparisons: [
              { what: 'getState', of: 'rcu.getState', against: 'field read', as: 'cost', target: atMost(1.5) },
            ],
          },
          size,
        );
      },
    },
    {
      name: 'poll',
      run(size) {
        const operations = readCount(size);
        return race(
          {
            competitors: [flagReads(operations), polls(operations)],
            comparisons: [{ what: 'poll', of: 'rcu.poll', against: 'field read', as: 'cost', target: atMost(1.5) }],
          },
          size,
        );
      },
    },
  ],
};
