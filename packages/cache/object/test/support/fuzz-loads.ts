import { assert, SeededRng } from '@core/base';
import { Rcu } from '@core/rcu';
import {
  type FetchOptions,
  type LoadContext,
  ObjectCache,
  ObjectCacheError,
  type ObjectGuard,
} from '../../src/index.js';
import { Value } from './cache-model.js';
import { deferred, type Deferred } from './make-cache.js';
import { microtasks, TestLoop } from './test-loop.js';

const KEYS = 5;

class Intended extends Error {}

/** A load that has not settled. */
interface Call {
  readonly key: number;
  readonly serial: number;
  readonly context: LoadContext<Value>;
  readonly end: Deferred<Value>;
  readonly stale: Value | undefined;
}

/** Somebody who wants a value, and can give up. */
interface Caller {
  readonly control: AbortController;
  settled: boolean;
}

/** Ways to break a cache, each of which the fuzz must notice. */
export type BustLoads = (parts: { loads: any; table: any; graveyard: any; holds: any }) => void;

/**
 * Loads, aborts, sets, deletes, evicts, expires and closes at random, with loads of every kind.
 *
 * There is no model of who gets what. What must hold whatever happens is checked: a hold is open for each guard and
 * each section that is open, and for nothing else; no value is disposed of while somebody may use it; each goes once;
 * nothing newer is replaced by what was loaded before it; everybody is told.
 */
export async function fuzzLoads(seed: number, operations: number, bust: BustLoads = () => {}): Promise<void> {
  const fuzz = new LoadsFuzz(seed);
  try {
    const cache = fuzz.cache as any;
    bust({ loads: cache.loads, table: cache.table, graveyard: cache.graveyard, holds: cache.holds });
    await fuzz.run(operations);
  } catch (error) {
    throw new Error(`seed ${seed}, ${fuzz.describe()}: ${(error as Error).message}`, { cause: error });
  }
}

class LoadsFuzz {
  readonly cache: ObjectCache<number, Value>;
  private readonly rng: SeededRng;
  private readonly loop = new TestLoop();
  private readonly recycles: boolean;
  private readonly calls: Call[] = [];
  private readonly callers: Caller[] = [];
  private readonly guards: ObjectGuard<number, Value>[] = [];
  private readonly sections: { readonly value: Value; readonly end: Deferred<void> }[] = [];
  private found: Value[] = [];
  private readonly all: Value[] = [];
  /** Those that the cache has taken over. */
  private readonly entered = new Set<Value>();
  /** The load that made a value, unless it stored that value itself. */
  private readonly madeBy = new Map<Value, number>();
  private readonly lastWrite = new Map<number, number>();
  private serial = 0;
  private begun = 0;
  private closed: Promise<void> | null = null;
  private failure: unknown = null;
  private readonly trail: string[] = [];
  private readonly settings: object;

  constructor(seed: number) {
    const rng = new SeededRng(seed);
    const { loop } = this;
    this.rng = rng;
    this.recycles = rng.below(3) === 0;
    const limits = {
      max: rng.pick([1, 2, 4, 100]),
      maxBytes: rng.pick([30, 1000]),
      ttlMs: rng.pick([8, 1e9]),
      staleWhileRevalidateMs: rng.pick([0, 6]),
    };
    this.settings = { ...limits, recycles: this.recycles };
    this.cache = new ObjectCache<number, Value>({
      ...limits,
      rcu: new Rcu({ clock: loop, scheduler: loop }),
      scheduler: loop,
      clock: loop,
      sizeOf: (value) => {
        if (rng.below(40) === 0) {
          throw new Intended();
        }
        this.meddle();
        return value.size;
      },
      dispose: (value) => this.guarded(() => this.disposed(value)),
      onError: (error) => {
        if (!isExpected(error)) {
          this.failure ??= error;
        }
      },
      load: (key, context) => this.load(key, context),
      ...(this.recycles
        ? {
            recycle: () => {
              if (rng.below(10) === 0) {
                throw new Intended();
              }
              this.meddle();
            },
          }
        : {}),
    });
    loop.onBoundary = () => this.endTurn();
  }

  describe(): string {
    return JSON.stringify({ ...this.settings, last: this.trail.slice(-8) });
  }

  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations; done++) {
      if (this.rng.below(8) === 0) {
        await this.turn();
      } else {
        this.step();
      }
      this.compare();
      if (this.rng.below(3) === 0) {
        await this.rest();
      }
    }
    await this.finish();
  }

  private step(): void {
    const { rng } = this;
    rng.pick([
      () => this.fetch(),
      () => this.fetch(),
      () => this.acquireOrLoad(),
      () => this.acquireOrLoad(),
      () => this.use(),
      () => this.settleLoad(),
      () => this.settleLoad(),
      () => this.settleLoad(),
      () => this.giveUp(),
      () => this.giveUp(),
      () => this.write(),
      () => this.getOrCreate(),
      () => this.get(),
      () => this.release(),
      () => this.endSection(),
      () => this.pass(),
    ])();
  }

  private options(): { options: FetchOptions<number, Value>; caller: Caller } {
    const { rng } = this;
    const caller = { control: new AbortController(), settled: false };
    this.callers.push(caller);
    return {
      caller,
      options: {
        ...(rng.below(3) > 0 ? { signal: caller.control.signal } : {}),
        ...(rng.below(3) === 0 ? { forceRefresh: true } : {}),
        ...(rng.below(6) === 0 ? { ttlMs: 3 } : {}),
        ...(rng.below(6) === 0 ? { size: rng.below(12) } : {}),
      },
    };
  }

  private fetch(): void {
    const { options, caller } = this.options();
    const key = this.key();
    this.note(`fetch ${key} ${JSON.stringify(options)}`);
    this.follow(this.cache.fetch(key, options), caller, (value) => this.find(value));
  }

  private acquireOrLoad(): void {
    const { options, caller } = this.options();
    const key = this.key();
    this.note(`acquireOrLoad ${key} ${JSON.stringify(options)}`);
    this.follow(this.cache.acquireOrLoad(key, options), caller, (guard) => {
      this.find(guard.value);
      this.guards.push(guard);
    });
  }

  private use(): void {
    const key = this.key();
    const caller = { control: new AbortController(), settled: false };
    this.callers.push(caller);
    this.note(`use ${key}`);
    const long = this.rng.below(2) === 0;
    const section = (value: Value): Promise<void> | undefined => {
      this.find(value);
      if (this.rng.below(6) === 0) {
        throw new Intended();
      }
      if (!long) {
        return undefined;
      }
      const end = deferred<void>();
      this.sections.push({ value, end });
      return end.promise;
    };
    // Of a value that is there, the section runs and throws on the spot.
    const using = async (): Promise<void> => this.cache.use(key, section);
    this.follow(using(), caller, () => {});
  }

  private follow<T>(promise: Promise<T>, caller: Caller, then: (value: T) => void): void {
    void promise.then(
      (value) => {
        caller.settled = true;
        this.guarded(() => then(value));
      },
      (error: unknown) => {
        caller.settled = true;
        this.guarded(() =>
          assert(isExpected(error) || error === caller.control.signal.reason, () => `Rejected with ${String(error)}`),
        );
      },
    );
  }

  private load(key: number, context: LoadContext<Value>): Value | Promise<Value> {
    const { rng } = this;
    this.begun++;
    const serial = ++this.serial;
    const { stale } = context;
    this.note(`load ${key}`);
    this.guarded(() => assert(stale === undefined || !stale.poisoned, 'The stale value was disposed of'));
    this.meddle();
    switch (rng.below(8)) {
      case 0:
        throw new Intended();
      case 1:
        return this.bring({ key, serial, context, stale, end: deferred() });
      default: {
        const call = { key, serial, context, stale, end: deferred<Value>() };
        this.calls.push(call);
        if (rng.below(2) === 0) {
          // A load that obeys its signal.
          context.signal.addEventListener('abort', () => {
            if (this.take(call)) {
              call.end.reject(context.signal.reason);
            }
          });
        }
        return call.end.promise;
      }
    }
  }

  private settleLoad(): void {
    const call = this.calls[this.rng.below(Math.max(1, this.calls.length))];
    if (call !== undefined && this.take(call)) {
      this.note(`settle ${call.key}`);
      if (this.rng.below(5) === 0) {
        call.end.reject(new Intended());
      } else {
        call.end.resolve(this.bring(call));
      }
    }
  }

  private take(call: Call): boolean {
    const at = this.calls.indexOf(call);
    return at >= 0 && this.calls.splice(at, 1).length === 1;
  }

  /** What a load returns: the stale value, the recycled one, one that it stores itself, or simply another one. */
  private bring({ key, serial, context, stale }: Call): Value {
    const { rng } = this;
    if (stale !== undefined && rng.below(2) === 0) {
      this.guarded(() => assert(!stale.poisoned, 'The stale value was disposed of before the load had settled'));
      return stale;
    }
    const { recycled } = context;
    if (recycled !== undefined && rng.below(4) > 0) {
      this.guarded(() => assert(!recycled.poisoned, 'A recycled value was disposed of'));
      this.madeBy.set(recycled, serial);
      return recycled;
    }
    const value = this.make();
    this.entered.add(value);
    if (rng.below(5) === 0) {
      try {
        this.cache.set(key, value);
        this.lastWrite.set(key, ++this.serial);
        return value;
      } catch (error) {
        this.guarded(() => assert(isExpected(error), String(error)));
      }
    }
    this.madeBy.set(value, serial);
    return value;
  }

  private giveUp(): void {
    const [caller] = this.callers.splice(this.rng.below(Math.max(1, this.callers.length)), 1);
    if (caller !== undefined) {
      this.note('abort');
      caller.control.abort(new Intended());
    }
  }

  private write(): void {
    const key = this.key();
    const choice = this.rng.below(10);
    this.note(`write ${key}, ${choice}`);
    if (choice === 0) {
      for (let each = 0; each < KEYS; each++) {
        this.lastWrite.set(each, ++this.serial);
      }
      this.cache.clear();
    } else if (choice < 4) {
      this.lastWrite.set(key, ++this.serial);
      this.cache.delete(key);
    } else {
      this.store(key);
    }
  }

  private store(key: number): void {
    const value = this.make();
    try {
      this.cache.set(key, value);
      this.lastWrite.set(key, ++this.serial);
      this.entered.add(value);
    } catch (error) {
      assert(isExpected(error), String(error));
    }
  }

  private getOrCreate(): void {
    const key = this.key();
    this.note(`getOrCreate ${key}`);
    try {
      const value = this.cache.getOrCreate(key, () => {
        const made = this.make();
        this.entered.add(made);
        return made;
      });
      this.find(value);
      if (this.cache.peek(key) === value) {
        // Whoever made it, it is here now; and if it was made now, it is newer than any load.
        this.madeBy.delete(value);
      }
    } catch (error) {
      assert(isExpected(error), String(error));
    }
  }

  private get(): void {
    const key = this.key();
    this.note(`get ${key}`);
    const value = this.cache.get(key);
    if (value !== undefined) {
      this.find(value);
    }
    const guard = this.cache.acquire(key);
    if (guard !== undefined) {
      this.find(guard.value);
      this.guards.push(guard);
    }
  }

  private release(): void {
    const [guard] = this.guards.splice(this.rng.below(Math.max(1, this.guards.length)), 1);
    if (guard !== undefined) {
      this.note(`release ${guard.key}`);
      assert(!guard.value.poisoned, 'A held value was disposed of');
      guard.release();
    }
  }

  private endSection(): void {
    const [section] = this.sections.splice(this.rng.below(Math.max(1, this.sections.length)), 1);
    if (section !== undefined) {
      this.note('end section');
      assert(!section.value.poisoned, 'A used value was disposed of');
      section.end.resolve();
    }
  }

  private pass(): void {
    const ms = this.rng.below(5);
    this.note(`${ms} ms pass`);
    this.loop.timeMs += ms;
  }

  /** A turn comes after the microtasks of the one before. */
  private async turn(): Promise<void> {
    await this.rest();
    this.note('turn');
    this.loop.runTurn();
  }

  private endTurn(): void {
    for (const value of this.found) {
      assert(!value.poisoned, () => `Value ${value.id} was disposed of in the turn in which it was found`);
    }
    this.found = [];
  }

  /** What user code that is called by the cache may do to it. */
  private meddle(): void {
    const { rng } = this;
    const key = this.key();
    switch (rng.below(25)) {
      case 0:
        this.lastWrite.set(key, ++this.serial);
        this.cache.delete(key);
        break;
      case 1:
        this.store(key);
        break;
      case 2:
        this.cache.get(key);
        break;
      case 3:
        this.giveUp();
        break;
      case 4:
        if (rng.below(20) === 0) {
          this.close();
        }
        break;
      default:
    }
  }

  private find(value: Value): void {
    assert(!value.poisoned, () => `Value ${value.id} was given out, and had been disposed of`);
    this.found.push(value);
  }

  private disposed(value: Value): void {
    value.ends++;
    value.poisoned = true;
    assert(value.ends === 1, () => `Value ${value.id} was disposed of twice`);
    assert(this.entered.has(value), () => `Value ${value.id} was disposed of, and never came`);
    assert(!this.guards.some((guard) => guard.value === value), () => `Value ${value.id} was disposed of while held`);
    assert(!this.sections.some((section) => section.value === value), () => `Value ${value.id} went while in use`);
  }

  private compare(): void {
    if (this.failure !== null) {
      throw this.failure as Error;
    }
    const { cache } = this;
    cache.checkInvariants();
    for (const [key, value] of cache) {
      const madeBy = this.madeBy.get(value) ?? Infinity;
      assert(!value.poisoned, () => `Value ${value.id} is in the cache, and was disposed of`);
      assert(madeBy > (this.lastWrite.get(key) ?? 0), () => `Value ${value.id} is older than what was set or deleted`);
    }
    if (this.closed !== null) {
      assert(cache.size === 0, 'A closed cache has stored something');
    }
  }

  private async rest(): Promise<void> {
    await microtasks();
    this.compareAtRest();
  }

  /** No microtask is left: everybody who was told has been resumed. */
  private compareAtRest(): void {
    this.compare();
    const { held } = this.cache.stats();
    const open = this.guards.length + this.sections.length;
    assert(held === open, () => `${held} holds are open, for ${open} guards and sections`);
  }

  private close(): void {
    if (this.closed === null) {
      this.note('close');
      this.closed = this.cache.close();
    }
  }

  private async finish(): Promise<void> {
    const { cache, loop } = this;
    await this.rest();
    if (this.rng.below(2) === 0) {
      this.close();
      await this.rest();
    }
    while (this.calls.length > 0 || this.guards.length > 0 || this.sections.length > 0) {
      this.settleLoad();
      this.release();
      this.endSection();
      await this.rest();
    }
    this.close();
    await loop.runAll();
    await this.closed;
    await loop.runAll();
    this.compareAtRest();
    const { held, retired, retiredBytes, size, bytes, loads } = cache.stats();
    assert(held + retired + retiredBytes + size + bytes === 0, () => `Left: ${JSON.stringify(cache.stats())}`);
    assert(loads >= this.begun, 'Loads were not counted');
    assert((cache as any).loads.count === 0 && (cache as any).loads.waiting.size === 0, 'A load is still there');
    assert((cache as any).loads.aborts.listeners.size === 0, 'A listener is still there');
    for (const caller of this.callers) {
      assert(caller.settled, 'A caller was never told');
    }
    for (const value of this.entered) {
      assert(value.ends === 1, () => `Value ${value.id} was disposed of ${value.ends} times`);
    }
  }

  /** Where the cache would catch it, it is kept for the next look. */
  private guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.failure ??= error;
    }
  }

  private key(): number {
    return this.rng.below(KEYS);
  }

  private make(): Value {
    const value = new Value(this.all.length, this.rng.below(10) === 0 ? 31 : this.rng.below(12));
    this.all.push(value);
    return value;
  }

  private note(text: string): void {
    this.trail.push(text);
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof Intended || (ObjectCacheError.is(error) && error.code === 'ERR_OBJECT_CACHE_CLOSED');
}
