import { SeededRng, assert } from '@core/base';
import { NodePool } from '@core/genradix';
import { PendingError, RcuPending, type RcuPendingOptions } from '../../src/index.js';
import { type Domain, anyDomain } from './domains.js';
import { FailingPool } from './failing-pool.js';
import { Item, PendingModel, type Stay } from './pending-model.js';
import { TestLoop, microtasks } from './test-loop.js';

class Intended extends Error {}

export interface Fuzzed {
  readonly pending: RcuPending<Item>;
  readonly pool: NodePool;
  readonly domain: Domain;
}

/** Breaks something of what is tested. */
export type Bust = (fuzzed: Fuzzed) => void;

/** Random operations against a plain map. Throws with the seed in the message. */
export async function fuzzPending(seed: number, bust: Bust = () => {}): Promise<void> {
  const fuzz = new PendingFuzz(seed, bust);
  try {
    await fuzz.run(200);
  } catch (error) {
    throw new Error(`Seed ${seed}, ${fuzz.describe()}: ${String(error)}`, { cause: error });
  }
}

interface Async {
  readonly stays: readonly Stay[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class PendingFuzz {
  private readonly rng: SeededRng;
  private readonly loop = new TestLoop();
  private readonly domain: Domain;
  private readonly pool: NodePool;
  private readonly pending: RcuPending<Item>;
  private readonly model: PendingModel;
  private readonly bulk: boolean;
  private readonly debug: boolean;
  private readonly sharded: boolean;
  private readonly weighs: boolean;
  private readonly lists: boolean;
  private readonly slow: boolean;
  /** Looking closes every cursor, so most runs look rarely. */
  private readonly looksEvery: number;
  private idle: Item[] = [];
  private items = 0;
  private asyncs: Async[] = [];
  private depth = 0;
  private intended = 0;
  private errors = 0;

  constructor(seed: number, bust: Bust) {
    const rng = new SeededRng(seed);
    this.rng = rng;
    this.domain = anyDomain(rng, this.loop);
    this.bulk = rng.below(3) === 0;
    this.debug = rng.below(6) === 0;
    this.sharded = rng.below(4) === 0;
    this.weighs = rng.below(4) === 0;
    this.lists = rng.below(5) === 0;
    this.slow = rng.below(3) === 0;
    this.looksEvery = rng.pick([1, 7, 60]);
    this.pool = this.makePool();
    this.model = new PendingModel(this.domain, this.weighs);
    this.pending = new RcuPending<Item>(this.makeOptions());
    bust({ pending: this.pending, pool: this.pool, domain: this.domain });
  }

  describe(): string {
    const flags = [
      this.domain.kind,
      this.bulk ? 'bulk' : 'one by one',
      `nodes of ${this.pool.nodeEntries} in ${this.pool.budgetBytes} bytes`,
    ];
    for (const name of ['debug', 'sharded', 'weighs', 'lists', 'slow'] as const) {
      flags.push(...(this[name] ? [name] : []));
    }
    return flags.join(', ');
  }

  async run(operations: number): Promise<void> {
    for (let step = 0; step < operations; step++) {
      await this.operate();
      this.model.check(this.pending);
      if (step % this.looksEvery === 0) {
        this.pending.checkInvariants();
        this.pool.checkInvariants();
      }
    }
    await this.finish();
  }

  private async operate(): Promise<void> {
    const { rng, loop, domain } = this;
    if (rng.below(3) > 0) {
      this.use();
      return;
    }
    const choice = rng.below(12);
    if (choice < 4) {
      loop.runTurn();
    } else if (choice < 6) {
      domain.open();
    } else if (choice < 8) {
      domain.close(rng.below(10));
    } else if (choice < 9) {
      this.barrier();
    } else if (choice < 10) {
      this.settleOne();
    } else if (choice < 11) {
      await microtasks();
    } else {
      domain.advance();
    }
  }

  /** What may be done with a pending at any time, also by `process`. */
  private use(): void {
    const { rng } = this;
    const choice = rng.below(24);
    if (choice < 8) {
      for (let times = rng.pick([1, 1, 3, 9]); times > 0; times--) {
        this.enqueue();
      }
    } else if (choice < 10) {
      this.enqueue({ maySleep: rng.below(4) > 0 });
    } else if (choice < 14) {
      for (let times = rng.pick([1, 1, 3, 9]); times > 0; times--) {
        this.take('dequeue', !this.sharded);
      }
    } else if (choice < 15) {
      this.take('dequeueFromAll', true);
    } else if (choice < 17) {
      this.take('dequeueExpired', false);
    } else if (choice < 19) {
      this.takeWhere();
    } else if (choice < 21) {
      this.drain();
    } else if (choice < 22) {
      this.pending.expedite();
    } else if (choice < 23) {
      this.enqueueTwice();
    } else {
      this.lookAtStats();
    }
  }

  private enqueue(options?: { maySleep: boolean }): void {
    const item = (this.rng.below(4) > 0 ? this.idle.pop() : undefined) ?? new Item(++this.items, this.rng.below(50));
    this.model.enter(item, options?.maySleep ?? false, () => this.pending.enqueue(item, options));
  }

  private take(how: 'dequeue' | 'dequeueFromAll' | 'dequeueExpired', complete: boolean): void {
    const before = this.model.count;
    const item = this.pending[how]();
    this.model.taken(item, how === 'dequeueExpired');
    if (item === undefined) {
      assert(!complete || before === 0, () => `${how}() found nothing among ${before}`);
    } else {
      this.idle.push(item);
    }
  }

  private takeWhere(): void {
    const { rng, model, pending } = this;
    const offered = new Set<Item>();
    const modulus = 1 + rng.below(12);
    const throws = rng.below(6) === 0;
    let item: Item | undefined;
    try {
      item = pending.dequeueWhere((candidate) => {
        assert(model.waiting.has(candidate), 'tryClaim was offered an object that does not wait');
        assert(!offered.has(candidate), 'tryClaim was offered an object twice');
        offered.add(candidate);
        model.check(pending);
        if (!this.sharded && rng.below(8) === 0) {
          assertBusy(pending);
        }
        if (throws && rng.below(3) === 0) {
          throw new Intended();
        }
        return candidate.id % modulus === 0;
      });
    } catch (error) {
      if (!(error instanceof Intended)) {
        throw error;
      }
      return;
    }
    if (item === undefined) {
      assert(this.sharded || offered.size === model.count, 'tryClaim was not offered everything');
    } else {
      assert([...offered].at(-1) === item, 'dequeueWhere() took another object than was claimed');
      model.taken(item, false);
      this.idle.push(item);
    }
  }

  private drain(): void {
    const limit = this.rng.pick([0, 1, 3, 20, Infinity]);
    const done = this.pending.drainExpired(limit);
    const most = this.bulk ? limit + Math.max(64, this.pool.nodeEntries) - 1 : limit;
    assert(done >= 0 && done <= (limit === 0 ? 0 : most), () => `Drained ${done} where ${limit} were asked for`);
  }

  private enqueueTwice(): void {
    const [stay] = this.model.waiting.values();
    if (this.debug && stay !== undefined) {
      assertThrows('ERR_PENDING_TWICE', () => this.pending.enqueue(stay.item));
    }
  }

  private lookAtStats(): void {
    const stats = this.pending.stats();
    assert(stats.nodes <= this.pool.taken, 'More nodes in use than were taken');
    assert(stats.listed <= this.model.count, 'More objects on lists than wait');
    assert(stats.errors <= this.intended, 'Counts errors that were none');
    assert(stats.oldestAgeMs >= 0, 'Objects wait since a time to come');
  }

  private barrier(): void {
    const { asyncs } = this;
    const stays = [...this.model.waiting.values(), ...asyncs.flatMap((async) => async.stays)];
    this.pending.barrier().then(
      () =>
        this.model.guard(() =>
          assert(
            stays.every(({ done }) => done),
            'A barrier did not wait for everything',
          ),
        ),
      (error: unknown) => this.model.fail(error),
    );
  }

  private settleOne(): void {
    const [async] = this.asyncs.splice(this.rng.below(Math.max(1, this.asyncs.length)), 1);
    if (async !== undefined) {
      for (const stay of async.stays) {
        stay.done = true;
      }
      if (this.rng.below(4) === 0) {
        this.intended++;
        async.reject(new Intended());
      } else {
        async.resolve();
      }
    }
  }

  private process(items: readonly Item[]): unknown {
    const stays = this.model.guard(() => {
      assert(items.length > 0, 'process was called with nothing');
      assert(new Set(items).size === items.length, 'process was called with an object twice');
      const stays = this.model.processed(items);
      this.model.check(this.pending);
      return stays;
    });
    this.idle.push(...items);
    const result = this.model.guard(() => this.react(stays ?? []));
    if (result instanceof Intended) {
      this.intended++;
      throw result;
    }
    return result;
  }

  /** What `process` does besides. */
  private react(stays: readonly Stay[]): unknown {
    const { rng } = this;
    const finish = (): void => {
      for (const stay of stays) {
        stay.done = true;
      }
    };
    if (this.slow) {
      this.loop.timeMs += rng.next();
    }
    if (this.depth < 3 && rng.below(4) === 0) {
      this.depth++;
      for (let times = rng.below(3); times >= 0; times--) {
        this.use();
        this.model.check(this.pending);
      }
      this.depth--;
    }
    const choice = rng.below(30);
    if (choice === 0) {
      finish();
      return new Intended();
    }
    if (choice === 1) {
      return new Promise<void>((resolve, reject) => this.asyncs.push({ stays, resolve, reject }));
    }
    finish();
    return undefined;
  }

  private async finish(): Promise<void> {
    const { pending, loop, rng, model } = this;
    const exit = { done: false };
    pending.exit().then(
      () => {
        exit.done = true;
      },
      (error: unknown) => model.fail(error),
    );
    for (let turns = 0; !exit.done; turns++) {
      assert(turns < 3000, 'exit() does not end');
      if (turns > 100) {
        // Let it end: callbacks come back no more.
        this.depth = 3;
      }
      this.domain.close(rng.below(10));
      this.settleOne();
      loop.runTurn();
      await microtasks();
      model.check(pending);
    }
    pending.checkInvariants();
    model.check(pending);
    assert(model.count === 0, 'exit() has left something behind');
    assert(this.pool.taken === 0, () => `exit() has left ${this.pool.taken} nodes behind`);
    assertThrows('ERR_PENDING_CLOSED', () => pending.enqueue(new Item(0, 0)));
    assert(pending.count === 0 && pending.dequeue() === undefined, 'A closed pending took something');
    while (this.domain.kind !== 'Rcu' && this.domain.readers().length > 0) {
      this.domain.close(0);
    }
    await loop.runAll();
    const { errors } = pending.stats();
    assert(errors === this.intended, () => `Counts ${errors} errors of ${this.intended}`);
    assert(this.errors === this.intended, () => `Was told of ${this.errors} errors of ${this.intended}`);
  }

  private makePool(): NodePool {
    const { rng } = this;
    const nodeEntries = rng.pick([2, 2, 4, 8, 256]);
    const nodeBytes = new NodePool({ nodeEntries }).nodeBytes;
    const budgetBytes = rng.pick([0, 2 * nodeBytes, 5 * nodeBytes, Infinity, Infinity, Infinity]);
    const options = { nodeEntries, budgetBytes, spareNodes: rng.pick([0, 1, 64]) };
    if (rng.below(3) > 0) {
      return new NodePool(options);
    }
    // One whose `take` lets the cookie advance, and fails at times.
    return new FailingPool(options, () => {
      if (rng.below(4) === 0) {
        this.domain.advance();
      }
      return rng.below(20) === 0;
    });
  }

  private makeOptions(): RcuPendingOptions<Item> {
    const { rng, loop } = this;
    const one = (item: Item): unknown => this.process([item]);
    const bulk = (items: readonly Item[], count: number): void => this.process(items.slice(0, count)) as void;
    return {
      rcu: this.domain.flavor,
      process: this.bulk ? { bulk } : one,
      nodes: this.pool,
      clock: loop,
      scheduler: loop,
      debug: this.debug,
      onError: (error, item) => {
        this.errors++;
        this.model.guard(() => {
          assert(error instanceof Intended, () => `Was told of ${String(error)}`);
          assert(item instanceof Item, 'Was told of an error of no object');
        });
      },
      ...(this.weighs ? { sizeOf: (item: Item) => item.bytes } : {}),
      ...(this.lists ? { isBulk: (item: Item) => item.id % 3 !== 0 } : {}),
      ...(this.sharded ? { shards: { current: () => rng.below(3) } } : {}),
      ...(rng.below(4) === 0 ? { expediteAt: { count: 5 + rng.below(40) } } : {}),
      ...(rng.below(4) === 0 ? { budgetMs: 0.1 } : {}),
    };
  }
}

function assertBusy(pending: RcuPending<Item>): void {
  assertThrows('ERR_PENDING_BUSY', () => pending.enqueue(new Item(0, 0)));
  assertThrows('ERR_PENDING_BUSY', () => pending.dequeue());
  assertThrows('ERR_PENDING_BUSY', () => pending.dequeueExpired());
  assertThrows('ERR_PENDING_BUSY', () => pending.dequeueWhere(() => true));
  assertThrows('ERR_PENDING_BUSY', () => pending.drainExpired(1));
}

function assertThrows(code: string, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    assert(PendingError.is(error) && error.code === code, () => `Threw ${String(error)} where ${code} was due`);
    return;
  }
  throw new Error(`Did not throw ${code}`);
}
