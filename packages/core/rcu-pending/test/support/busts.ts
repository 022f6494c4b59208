import type { Bust } from './fuzz-pending.js';
import type { Item } from './pending-model.js';

/** What the busts reach into. */
interface Insides {
  readonly own: {
    settled: number;
    rearm(): void;
    readonly sequences: { readonly spares: Iterable<{ link(item: Item): void }> };
  } | null;
  readonly sizes: { remove(item: Item): void } | null;
  readonly processor: {
    one: ((item: Item) => unknown) | null;
    many: ((items: readonly Item[], count: number) => unknown) | null;
    callOne(item: Item, one: (item: Item) => unknown): void;
  };
}

/** Ways to break a pending or what it stands on, each of which the fuzz must notice. */
export const BUSTS: Readonly<Record<string, Bust>> = {
  'processes one cookie early'({ domain: { flavor } }) {
    const real = flavor.poll.bind(flavor);
    flavor.poll = (cookie) => real(cookie) || !flavor.equal(cookie, flavor.getState());
  },
  'has a domain that waits for nothing'({ domain: { flavor } }) {
    flavor.poll = () => true;
  },
  'is not told that the cookie advances'({ domain: { flavor } }) {
    if (flavor.notifyAdvance !== undefined) {
      Object.assign(flavor, { notifyAdvance() {} });
    }
  },
  'forgets to decrement in dequeue'({ pending }) {
    const real = pending.dequeue.bind(pending);
    pending.dequeue = () => {
      const item = real();
      const { own } = insides(pending);
      if (item !== undefined && own !== null) {
        own.settled++;
      }
      return item;
    };
  },
  'keeps what it hands out'({ pending }) {
    const real = pending.dequeue.bind(pending);
    pending.dequeue = () => {
      const item = real();
      if (item !== undefined) {
        pending.enqueue(item);
      }
      return item;
    };
  },
  'hands out as expired what is not'({ pending }) {
    pending.dequeueExpired = () => pending.dequeue();
  },
  'hands out what nobody claimed'({ pending }) {
    const real = pending.dequeueWhere.bind(pending);
    pending.dequeueWhere = (tryClaim) => real(tryClaim) ?? pending.dequeue();
  },
  'frees the first of a node as often as there are others'({ pending }) {
    const { processor } = insides(pending);
    const real = processor.many;
    if (real !== null) {
      processor.many = (items, count) =>
        real(
          Array.from(items, () => items[0] as Item),
          count,
        );
    }
  },
  'leaves out the last of a node'({ pending }) {
    const { processor } = insides(pending);
    const real = processor.many;
    if (real !== null) {
      processor.many = (items, count) => (count > 1 ? real(items, count - 1) : real(items, count));
    }
  },
  'processes objects twice'({ pending }) {
    const { processor } = insides(pending);
    const real = processor.one;
    if (real !== null) {
      processor.one = (item) => {
        real(item);
        return real(item);
      };
    }
  },
  'lets the error of one object out'({ pending }) {
    insides(pending).processor.callOne = (item, one) => void one(item);
  },
  'has a pool that hands out dirty nodes'({ pool }) {
    const real = pool.give.bind(pool);
    pool.give = (node) => real(node, true);
  },
  'has a pool that hands a node out twice'({ pool }) {
    const real = pool.take.bind(pool);
    let last: ReturnType<typeof real> = null;
    let takes = 0;
    pool.take = () => {
      const node = real();
      last = ++takes % 3 === 0 && last !== null ? last : node;
      return last;
    };
  },
  'loses objects when the pool is dry'({ pending }) {
    for (const sequence of insides(pending).own?.sequences.spares ?? []) {
      sequence.link = () => {};
    }
  },
  'forgets to ask for another grace period'({ pending }) {
    const { own } = insides(pending);
    if (own !== null) {
      own.rearm = () => {};
    }
  },
  'starts no grace period for a second cookie'({ domain: { flavor } }) {
    flavor.startPoll = () => flavor.getState();
    const real = flavor.call.bind(flavor);
    let calls = 0;
    flavor.call = (callback) => (++calls > 1 ? undefined : real(callback));
  },
  'weighs only what comes'({ pending }) {
    const { sizes } = insides(pending);
    if (sizes !== null) {
      sizes.remove = () => {};
    }
  },
  'has a barrier that waits for nothing'({ pending }) {
    pending.barrier = () => Promise.resolve();
  },
  'has the barrier of its domain'({ pending, domain: { flavor } }) {
    pending.barrier = () => flavor.barrier();
  },
  'has an exit that waits for nothing'({ pending }) {
    pending.exit = () => Promise.resolve();
  },
};

function insides(pending: object): Insides {
  return pending as unknown as Insides;
}
