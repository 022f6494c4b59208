import { NodePool } from '@core/genradix';
import { Rcu } from '@core/rcu';
import { type RcuHead, RcuPending } from '@core/rcu-pending';
import { collectGarbage } from '../harness/collect-garbage.js';
import { type Size, atMost, exactly } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import type { Case, CaseResult, Figure, Question, Unit } from '../harness/result.js';

const MEBIBYTE = 2 ** 20;

class Item {
  readonly bytes: number;
  rcuNext: RcuHead | null = null;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

function figure(what: string, value: number, unit: Unit, bound: 'at most' | 'at least', limit: number): Figure {
  return {
    what,
    of: 'RcuPending',
    against: null,
    value,
    low: value,
    high: value,
    unit,
    target: exactly(bound, limit),
  };
}

async function settledHeap(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** @param sized whether bytes are counted, which closes the fast path of `enqueue` */
async function throughAndOut(name: string, size: Size, nodes: NodePool, sized: boolean): Promise<CaseResult> {
  const waves = size === 'real' ? 10 : 2;
  const wave = size === 'real' ? 1_000_000 : 1_000;
  const seen = new Float64Array(2);
  const pending = new RcuPending<Item>({
    rcu: new Rcu(),
    process: ({ bytes }) => {
      seen[0] = (seen[0] as number) + 1;
      seen[1] = (seen[1] as number) + bytes;
    },
    ...(sized ? { sizeOf: ({ bytes }: Item) => bytes } : {}),
    nodes,
  });
  async function push(count: number): Promise<number> {
    let bytes = 0;
    for (let index = 0; index < count; index++) {
      const item = new Item(index % 1_000);
      bytes += item.bytes;
      pending.enqueue(item);
    }
    await pending.barrier();
    return bytes;
  }
  // Spares and code are made once, and are no leak.
  await push(wave);
  seen.fill(0);
  const before = await settledHeap();
  let bytes = 0;
  for (let done = 0; done < waves; done++) {
    bytes += await push(wave);
  }
  const after = await settledHeap();
  const [objects = 0, objectBytes = 0] = seen;
  return {
    timings: [],
    figures: [
      figure(`${name}: objects processed`, objects, 'objects', 'at least', waves * wave),
      figure(`${name}: bytes not processed`, (bytes - objectBytes) / MEBIBYTE, 'MiB', 'at most', 0),
      figure(`${name}: count left`, pending.count, 'objects', 'at most', 0),
      figure(`${name}: bytes left`, pending.bytes / MEBIBYTE, 'MiB', 'at most', 0),
      {
        ...figure(`${name}: heap grown by`, (after - before) / MEBIBYTE, 'MiB', 'at most', 1),
        target: atMost(1),
      },
      figure(`${name}: node bytes out`, (nodes.taken * nodes.nodeBytes) / MEBIBYTE, 'MiB', 'at most', 0),
    ],
  };
}

function conservationCase(name: string, budgetBytes: number, sized: boolean): Case {
  return { name, run: (size) => throughAndOut(name, size, new NodePool({ budgetBytes }), sized) };
}

export const conservationQuestion: Question = {
  id: 'conservation',
  asks: 'Is everything gone when 10,000,000 objects have gone through? (a check, not a timing)',
  cases: [
    conservationCase('with nodes', Infinity, false),
    conservationCase('with nodes and sizes', Infinity, true),
    conservationCase('without nodes, with sizes', 0, true),
  ],
};
