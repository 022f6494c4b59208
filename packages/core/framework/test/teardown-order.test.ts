import { Srcu } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { createHost, definePlugin, type Host, type Plugin } from '../src/index.js';
import { turns } from './support/test-time.js';

interface Item {
  rcuNext: Item | null;
}

/** A plugin's view of how it was taken down: it looks around whenever it is called. */
class Witness {
  readonly registry: ShrinkerRegistry;
  readonly pending: RcuPending<Item>;
  readonly domain: Srcu;
  readonly seen = {
    shrinkersAtStop: -1,
    enqueuedInStop: false,
    stoppedBeforeProcess: false,
    domainOpenInProcess: false,
  };
  #stopped = false;

  constructor(registry: ShrinkerRegistry, domain: Srcu, makePending: (process: () => void) => RcuPending<Item>) {
    this.registry = registry;
    this.domain = domain;
    this.pending = makePending(() => {
      this.seen.stoppedBeforeProcess = this.#stopped;
      this.seen.domainOpenInProcess = isOpen(this.domain);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.seen.shrinkersAtStop = this.registry.debug.list().length;
    this.pending.enqueue({ rcuNext: null });
    this.seen.enqueuedInStop = true;
  }
}

function isOpen(domain: Srcu): boolean {
  try {
    domain.readUnlock(domain.readLock());
    return true;
  } catch {
    return false;
  }
}

/** The property: holds for a host, and for no other order of the four steps. */
function expectRightOrder({ seen, registry, pending, domain }: Witness): void {
  expect(seen).toEqual({
    shrinkersAtStop: 0,
    enqueuedInStop: true,
    stoppedBeforeProcess: true,
    domainOpenInProcess: true,
  });
  expect(registry.debug.list()).toEqual([]);
  expect(pending.count).toBe(0);
  expect(isOpen(domain)).toBe(false);
}

const spec = { name: 'witness', count: () => 1, scan: () => 0 };

/** A witness in a host, that leaves everything to it. */
async function witnessed(): Promise<{ host: Host; witness: Witness }> {
  let witness!: Witness;
  const plugin: Plugin = definePlugin({
    name: 'witness',
    create(context) {
      const domain = context.domain();
      context.shrinker(spec);
      witness = new Witness(context.shrinkers, domain, (process) => context.pending({ rcu: domain, process }));
    },
    stop: () => witness.stop(),
  });
  const host = await createHost({ plugins: [plugin] });
  return { host, witness };
}

/** The same witness, taken down by hand, in any order. */
async function takenDownInOrder(order: readonly Step[]): Promise<Witness> {
  const registry = new ShrinkerRegistry();
  const domain = new Srcu();
  const witness = new Witness(registry, domain, (process) => new RcuPending<Item>({ rcu: domain, process }));
  const shrinker = registry.alloc(spec);
  registry.register(shrinker);
  const steps: Record<Step, () => unknown> = {
    shrinkers: () => registry.free(shrinker),
    plugins: () => witness.stop(),
    pendings: () => witness.pending.exit(),
    domains: () => domain[Symbol.asyncDispose](),
  };
  for (const step of order) {
    // A wrong order may throw, or wait for ever for what is closed already.
    const work = (async () => await steps[step]())();
    await Promise.race([work.catch(() => {}), turns(20)]);
  }
  return witness;
}

const STEPS = ['shrinkers', 'plugins', 'pendings', 'domains'] as const;
type Step = (typeof STEPS)[number];

function permutations<T>(items: readonly T[]): T[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

describe('the order of a teardown', () => {
  test('holds when a host closes', async () => {
    const { host, witness } = await witnessed();
    await host.close();
    expectRightOrder(witness);
  });

  test('holds when a later plugin fails to start', async () => {
    let witness!: Witness;
    const first = definePlugin({
      name: 'witness',
      create(context) {
        const domain = context.domain();
        context.shrinker(spec);
        witness = new Witness(context.shrinkers, domain, (process) => context.pending({ rcu: domain, process }));
      },
      stop: () => witness.stop(),
    });
    const second = definePlugin({ name: 'second', create: () => Promise.reject(new Error('no')) });
    await expect(createHost({ plugins: [first, second] })).rejects.toThrow('Cannot start plugin "second": no');
    expectRightOrder(witness);
  });

  test.each(permutations(STEPS).map((order) => ({ order })))('is noticed: $order', async ({ order }) => {
    const witness = await takenDownInOrder(order);
    if (order.join() === STEPS.join()) {
      expectRightOrder(witness);
    } else {
      expect(() => expectRightOrder(witness)).toThrow();
    }
  });
});
