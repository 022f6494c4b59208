import { assert, SeededRng } from '@core/base';
import { type MemoryGroup, SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';
import { EVICTION_POLICIES, type ObjectCache, type ObjectGuard } from '../../src/index.js';
import { makeCache } from './make-cache.js';
import { checkBooks, register } from './make-group.js';
import type { TestLoop } from './test-loop.js';

const KEYS = 15;

/** A value, and how often it was disposed of. */
interface Value {
  readonly id: number;
  size: number;
  ends: number;
}

/** Ways to break a cache in a group, each of which the fuzz must notice. */
export type GroupBust = (parts: { cache: any; table: any; ledger: any; holds: any }) => void;

/**
 * Runs random operations on two caches of one group whose limits change, and which goes offline in the middle, with a
 * shrinker that meddles from inside of charges. After each operation the books balance, nothing that is in a cache or
 * held has been disposed of, and in the end everything has been, once. Throws with the seed.
 */
export async function fuzzGroup(seed: number, operations: number, bust: GroupBust = () => {}): Promise<void> {
  const fuzz = new GroupFuzz(seed);
  try {
    for (const { cache } of fuzz.made) {
      const parts = cache as any;
      bust({ cache: parts, table: parts.table, ledger: parts.ledger, holds: parts.holds });
    }
    await fuzz.run(operations);
  } catch (error) {
    throw new Error(`seed ${seed}, ${fuzz.trail.slice(-8).join(', ')}: ${(error as Error).message}`, { cause: error });
  }
}

interface Made {
  readonly cache: ObjectCache<number, Value>;
  readonly loop: TestLoop;
}

class GroupFuzz {
  readonly made: Made[] = [];
  readonly trail: string[] = [];
  private readonly rng: SeededRng;
  private readonly registry: ShrinkerRegistry;
  private readonly all: Value[] = [];
  private readonly guards: ObjectGuard<number, Value>[] = [];
  private readonly loads: Promise<unknown>[] = [];
  private readonly waiting: (() => void)[] = [];
  private group: MemoryGroup;
  private depth = 0;
  private failure: unknown = null;

  constructor(seed: number) {
    this.rng = new SeededRng(seed);
    const { rng } = this;
    this.registry = new ShrinkerRegistry({
      onError: (error) => {
        this.failure ??= error;
      },
    });
    this.group = this.registry.root.child('tenants').child('tenant', { max: rng.pick([5_000, 50_000, 400_000]) });
    for (const name of ['one', 'other']) {
      const recycles = rng.below(2) === 0;
      const made = makeCache<number, Value>({
        name,
        policy: rng.pick(EVICTION_POLICIES),
        group: this.group,
        max: rng.pick([4, 10, 100]),
        maxBytes: rng.pick([10_000, 100_000, Infinity]),
        sizeOf: (value) => value.size,
        load: (key, { recycled }) => this.load(key, recycled),
        dispose: (value) => this.end(value),
        onError: (error) => {
          this.failure ??= error;
        },
        ...(rng.below(2) === 0 ? { ttlMs: 10 } : {}),
        ...(recycles ? { recycle: () => {} } : {}),
      });
      this.made.push(made);
      register(this.registry, made.cache);
    }
    const meddler = this.registry.alloc({
      name: 'meddler',
      groupAware: true,
      batch: 1,
      count: () => 10_000,
      scan: () => {
        this.meddle();
        return SHRINK_STOP;
      },
    });
    this.registry.register(meddler);
    this.group.setShrinkerBit(meddler);
  }

  async run(operations: number): Promise<void> {
    const offlineAt = this.rng.below(2 * operations);
    for (let done = 0; done < operations; done++) {
      if (done === offlineAt) {
        this.note('offline');
        this.group.offline();
      }
      this.step();
      this.check();
      if (this.rng.below(6) === 0) {
        await new Promise(setImmediate);
        this.check();
      }
    }
    await this.finish();
  }

  private step(): void {
    const { rng } = this;
    const { cache, loop } = rng.pick(this.made);
    const key = rng.below(KEYS);
    const operations: Readonly<Record<string, () => void>> = {
      set: () => cache.set(key, this.make()),
      setAgain: () => this.setAgain(cache, key),
      setOldest: () => this.setAgain(cache, [...cache.keys()][0] ?? key),
      get: () => cache.get(key),
      getOrCreate: () => cache.getOrCreate(key, () => this.make()),
      delete: () => cache.delete(key),
      rarely: () => (rng.below(8) === 0 ? cache.clear() : cache.purgeStale()),
      acquire: () => this.keep(cache.acquire(key)),
      release: () => this.guards.splice(rng.below(Math.max(1, this.guards.length)), 1)[0]?.release(),
      fetch: () => this.loads.push(cache.fetch(key).catch(() => {})),
      acquireOrLoad: () =>
        this.loads.push(
          cache.acquireOrLoad(key).then(
            (guard) => this.keep(guard),
            () => {},
          ),
        ),
      shrink: () => this.registry.shrinkSlabSync({ group: this.group.heir, priority: rng.below(13) }),
    };
    // Turns, time, limits and ends of loads come between operations only.
    const top: Readonly<Record<string, () => void>> = {
      turn: () => loop.runTurn(),
      turns: () => loop.runTurn() && loop.runTurn() && loop.runTurn(),
      time: () => {
        loop.timeMs += rng.below(5);
      },
      settle: () => this.waiting.splice(rng.below(Math.max(1, this.waiting.length)), 1)[0]?.(),
      limit: () => {
        const { heir } = this.group;
        if (heir !== this.registry.root) {
          heir.limits.max = rng.pick([1_000, 5_000, 50_000, 400_000, Infinity]);
        }
      },
    };
    const [name, run] = rng.pick(Object.entries(this.depth === 0 ? { ...operations, ...top } : operations));
    this.note(`${name} ${cache.name} ${key}`);
    run();
  }

  private meddle(): void {
    if (this.depth < 2 && this.rng.below(3) === 0) {
      this.depth++;
      try {
        this.note('(');
        this.step();
        this.note(')');
      } finally {
        this.depth--;
      }
    }
  }

  private setAgain(cache: ObjectCache<number, Value>, key: number): void {
    const value = cache.peek(key);
    if (value !== undefined) {
      // Larger, so that room has to be made, perhaps by its own eviction.
      value.size += this.rng.below(2_000);
      cache.set(key, value);
    }
  }

  private load(key: number, recycled: Value | undefined): Value | Promise<Value> {
    const value = recycled ?? this.make();
    this.note(`load ${key}`);
    return this.rng.below(2) === 0
      ? value
      : new Promise((resolve) => {
          this.waiting.push(() => resolve(value));
        });
  }

  private keep(guard: ObjectGuard<number, Value> | undefined): void {
    if (guard !== undefined) {
      this.guards.push(guard);
    }
  }

  private end(value: Value): Promise<void> | undefined {
    value.ends++;
    return this.rng.below(4) === 0 ? Promise.resolve() : undefined;
  }

  private make(): Value {
    const value = { id: this.all.length, size: this.size(), ends: 0 };
    this.all.push(value);
    return value;
  }

  private size(): number {
    const { rng } = this;
    return rng.pick([rng.below(100), rng.below(3_000), rng.below(3_000), rng.below(60_000), rng.below(200) / 3]);
  }

  private note(text: string): void {
    this.trail.push(text);
  }

  private check(): void {
    if (this.failure !== null) {
      throw this.failure as Error;
    }
    checkBooks(
      this.group,
      this.made.map(({ cache }) => cache),
    );
    for (const { cache } of this.made) {
      for (const value of cache.values()) {
        assert(value.ends === 0, () => `Value ${value.id} is in the cache, and was disposed of`);
      }
    }
    for (const { value } of this.guards) {
      assert(value.ends === 0, () => `Value ${value.id} is held, and was disposed of`);
    }
  }

  private async finish(): Promise<void> {
    this.note('close');
    this.depth = 2;
    for (const settle of this.waiting.splice(0)) {
      settle();
    }
    await Promise.all(this.loads);
    const closing = this.made.map(({ cache }) => cache.close());
    this.check();
    for (const guard of this.guards.splice(0)) {
      guard.release();
      this.check();
    }
    for (const { loop } of this.made) {
      await loop.runAll();
    }
    await Promise.all(closing);
    for (const { loop } of this.made) {
      await loop.runAll();
    }
    this.check();
    assert(this.registry.root.usage() === 0, () => `${this.registry.root.usage()} bytes are charged after the end`);
    for (const value of this.all) {
      assert(value.ends === 1, () => `Value ${value.id} was disposed of ${value.ends} times`);
    }
  }
}
