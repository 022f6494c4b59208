import { assert, SeededRng } from '@core/base';
import { Rcu, type RcuFlavor, Srcu, type SrcuIndex } from '@core/rcu';
import {
  EVICTION_POLICIES,
  type EvictionPolicyName,
  ObjectCache,
  type ObjectGuard,
  type SetOptions,
} from '../../src/index.js';
import { CacheModel, type Reader, Value } from './cache-model.js';
import { deferred, type Deferred } from './make-cache.js';
import { plainPolicy } from './plain-policies.js';
import { microtasks, TestLoop } from './test-loop.js';

const KEYS = 12;
/** How deep callbacks call back. */
const MAX_DEPTH = 2;

/** The slots that a policy has, in the order of its lists. */
function slotsOf(policy: any): Iterable<number> {
  return policy.order ?? [...(policy.small ?? policy.inactive), ...(policy.main ?? policy.active)];
}

class Intended extends Error {}

/** Ways to break a cache, each of which the fuzz must notice. */
export type Bust = (parts: { cache: any; table: any; graveyard: any; holds: any }) => void;

/** Runs random operations on a cache and on the model, and compares all there is after each. Throws with the seed. */
export async function fuzzCache(
  seed: number,
  operations: number,
  bust: Bust = () => {},
  policy?: EvictionPolicyName,
): Promise<void> {
  const fuzz = new CacheFuzz(seed, policy);
  try {
    const cache = fuzz.cache as any;
    bust({ cache, table: cache.table, graveyard: cache.graveyard, holds: cache.holds });
    await fuzz.run(operations);
  } catch (error) {
    throw new Error(`seed ${seed}, ${fuzz.describe()}: ${(error as Error).message}`, { cause: error });
  }
}

class CacheFuzz {
  readonly cache: ObjectCache<number, Value>;
  private readonly rng: SeededRng;
  private readonly loop = new TestLoop();
  private readonly model: CacheModel;
  private readonly flavor: RcuFlavor;
  private readonly srcu: Srcu | null;
  private readonly policy: EvictionPolicyName;
  private readonly has: { dispose: boolean; recycle: boolean; sizes: boolean; nesting: boolean };
  private readonly limits: { max: number; maxBytes: number; ttlMs: number; graceMs: number };
  private readonly guards: { readonly guard: ObjectGuard<number, Value>; readonly value: Value }[] = [];
  private readonly uses: { readonly key: number; readonly value: Value; readonly end: Deferred<void> }[] = [];
  private readonly sections: { readonly index: SrcuIndex; readonly reader: Reader }[] = [];
  /** Found in this turn, and so good until its end. */
  private found: Value[] = [];
  private readonly all: Value[] = [];
  /** Those that `recycle` exchanged for another. */
  private readonly exchanged = new Set<Value>();
  private depth = 0;
  /** Of a value that is made of another, or not at all. */
  private failure: unknown = null;
  private readonly trail: string[] = [];

  constructor(seed: number, policy?: EvictionPolicyName) {
    const rng = new SeededRng(seed);
    this.rng = rng;
    const yes = (): boolean => rng.below(2) === 0;
    this.policy = policy ?? rng.pick(EVICTION_POLICIES);
    this.srcu = rng.below(3) === 0 ? new Srcu({ clock: this.loop, scheduler: this.loop }) : null;
    this.flavor = this.srcu ?? new Rcu({ clock: this.loop, scheduler: this.loop });
    this.has = { dispose: rng.below(4) > 0, recycle: rng.below(3) === 0, sizes: yes(), nesting: yes() };
    this.limits = {
      max: rng.pick([1, 2, 5, 9, 9, Infinity]),
      maxBytes: this.has.sizes ? rng.pick([50, 100, Infinity]) : Infinity,
      ttlMs: rng.pick([Infinity, 10]),
      graceMs: rng.pick([0, 5]),
    };
    this.model = new CacheModel({
      ...this.limits,
      wanted: this.has.dispose || this.has.recycle,
      policy: plainPolicy(this.policy),
    });
    this.cache = this.makeCache();
    this.loop.onBoundary = () => this.endTurn();
  }

  describe(): string {
    return JSON.stringify({
      policy: this.policy,
      ...this.has,
      ...this.limits,
      srcu: this.srcu !== null,
      last: this.trail.slice(-6),
    });
  }

  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations; done++) {
      this.step();
      this.compare();
      if (this.rng.below(8) === 0) {
        await this.settleUse();
        this.compare();
      }
    }
    await this.finish();
  }

  private step(): void {
    const { rng } = this;
    const operations: (() => void)[] = [
      () => this.set(),
      () => this.set(),
      () => this.setAgain(),
      () => this.get(),
      () => this.get(),
      () => this.getOrCreate(),
      () => this.getOrCreate(),
      () => this.look(),
      () => this.delete(),
      () => this.acquire(),
      () => this.release(),
      () => this.use(),
      () => this.useAsync(),
      () => this.walk(),
      () => this.rarely(),
      () => this.openSection(),
      () => this.closeSection(),
      () => this.pass(),
    ];
    // Turns and time move between operations only.
    const top = this.depth === 0 ? [() => this.turn(), () => this.turn(), () => this.turn()] : [];
    rng.pick([...operations, ...top])();
    if (this.failure !== null) {
      throw this.failure as Error;
    }
  }

  private note(text: string): void {
    this.trail.push(text);
  }

  private set(): void {
    const key = this.key();
    const value = this.make();
    this.note(`set ${key}`);
    const { options, size, ttlMs } = this.setOptions(value);
    this.cache.set(key, value, options);
    this.model.set(key, value, size, ttlMs);
  }

  /** Stores what is stored, with another size. */
  private setAgain(): void {
    const key = this.key();
    const entry = this.model.entries.get(key);
    // Not if a callback may let the value go before it is stored: then it would be stored after it had left.
    if (entry !== undefined && !this.has.nesting) {
      this.note(`set ${key} again`);
      entry.value.size = this.size();
      const { options, size, ttlMs } = this.setOptions(entry.value);
      this.cache.set(key, entry.value, options);
      this.model.set(key, entry.value, size, ttlMs);
    }
  }

  private get(): void {
    const key = this.key();
    this.note(`get ${key}`);
    const expected = this.model.lookUp(key);
    this.find(this.cache.get(key), expected);
  }

  private getOrCreate(): void {
    const key = this.key();
    this.note(`getOrCreate ${key}`);
    const expected = this.model.lookUp(key);
    let made: Value | undefined;
    let got: Value;
    const sizing = this.setOptions(null);
    try {
      got = this.cache.getOrCreate(
        key,
        () => {
          this.callBack();
          if (this.rng.below(5) === 0) {
            throw new Intended();
          }
          made = this.make();
          return made;
        },
        sizing.options,
      );
    } catch (error) {
      assert(error instanceof Intended && expected === undefined, () => `getOrCreate threw ${String(error)}`);
      return;
    }
    if (expected !== undefined) {
      this.find(got, expected);
      return;
    }
    assert(made === undefined || got === made, 'getOrCreate returned what it has not made');
    assert(!got.poisoned, 'getOrCreate returned what was disposed of');
    this.model.set(key, got, sizing.options?.size ?? this.sizeOf(got), sizing.ttlMs);
    this.found.push(got);
  }

  private look(): void {
    const key = this.key();
    this.note(`look ${key}`);
    assert(this.cache.remainingTtlMs(key) === this.model.remainingMs(key), 'Another time to live is left');
    const expected = this.model.findFresh(key)?.value;
    if (this.rng.below(2) === 0) {
      this.find(this.cache.peek(key), expected);
    } else {
      assert(this.cache.has(key) === (expected !== undefined), 'has() is wrong');
    }
  }

  private delete(): void {
    const key = this.key();
    this.note(`delete ${key}`);
    assert(this.cache.delete(key) === this.model.delete(key), 'delete() is wrong');
  }

  private acquire(): void {
    const key = this.key();
    this.note(`acquire ${key}`);
    const expected = this.model.lookUp(key);
    const guard = this.cache.acquire(key);
    this.find(guard?.value, expected);
    if (guard !== undefined && expected !== undefined) {
      this.model.hold(expected);
      this.guards.push({ guard, value: expected });
    }
  }

  private release(): void {
    const [held] = this.guards.splice(this.rng.below(Math.max(1, this.guards.length)), 1);
    if (held !== undefined) {
      this.note(`release ${held.guard.key}`);
      assert(!held.guard.value.poisoned, 'A held value was disposed of');
      held.guard.release();
      this.model.letGo(held.guard.key, held.value);
    }
  }

  private use(): void {
    const key = this.key();
    this.note(`use ${key}`);
    const expected = this.model.lookUp(key);
    if (expected !== undefined) {
      this.model.hold(expected);
    }
    let ran = false;
    const throws = this.rng.below(3) === 0;
    try {
      this.cache.use(key, (value) => {
        ran = true;
        this.find(value, expected);
        this.callBack();
        if (throws) {
          throw new Intended();
        }
      });
    } catch (error) {
      assert(error instanceof Intended, () => `use threw ${String(error)}`);
    }
    assert(ran === (expected !== undefined), 'use ran its section or not');
    if (expected !== undefined) {
      this.model.letGo(key, expected);
    }
  }

  private useAsync(): void {
    const key = this.key();
    this.note(`use ${key} for long`);
    const expected = this.model.lookUp(key);
    const end = deferred<void>();
    const using = this.cache.use(key, () => end.promise);
    assert((using === undefined) === (expected === undefined), 'use found it or not');
    if (using !== undefined && expected !== undefined) {
      using.catch(() => {});
      this.model.hold(expected);
      this.uses.push({ key, value: expected, end });
    }
  }

  private async settleUse(): Promise<void> {
    const [held] = this.uses.splice(this.rng.below(Math.max(1, this.uses.length)), 1);
    if (held !== undefined) {
      this.note(`end use ${held.key}`);
      assert(!held.value.poisoned, 'A used value was disposed of');
      if (this.rng.below(2) === 0) {
        held.end.resolve();
      } else {
        held.end.reject(new Intended());
      }
      await microtasks();
      this.model.letGo(held.key, held.value);
    }
  }

  private walk(): void {
    const { loop, rng } = this;
    const sc = {
      zone: 'heap',
      group: null,
      nrToScan: rng.below(6),
      nrScanned: 0,
      priority: rng.pick([12, 12, 0]),
      mode: 'direct',
    } as const;
    const reusable = Math.min(this.cache.stats().reusable, sc.nrToScan);
    if (sc.priority === 0) {
      this.model.forget();
    }
    const mine = this.model.walk(sc.nrToScan - reusable);
    const its = { ...sc };
    this.note(`walk ${sc.nrToScan} in turn ${loop.ended}`);
    assert(this.cache.asShrinker().scan(its) === reusable + mine.removed, 'The walk removed another number');
    assert(its.nrScanned === reusable + mine.scanned, 'The walk looked at another number');
  }

  private rarely(): void {
    if (this.rng.below(10) === 0) {
      this.note('clear');
      this.cache.clear();
      this.model.clear();
    } else if (this.rng.below(3) === 0) {
      this.note('purge');
      assert(this.cache.purgeStale() === this.model.purge(), 'purgeStale() is wrong');
    }
  }

  private openSection(): void {
    if (this.srcu !== null && this.sections.length < 3 && this.rng.below(2) === 0) {
      this.note('open section');
      const section = { index: this.srcu.readLock(), reader: { open: true, found: [] } };
      this.sections.push(section);
      this.model.readers.push(section.reader);
    }
  }

  private closeSection(): void {
    const [section] = this.sections.splice(this.rng.below(Math.max(1, this.sections.length)), 1);
    if (section !== undefined) {
      this.note('close section');
      for (const value of section.reader.found) {
        assert(!value.poisoned, () => `Value ${value.id} was disposed of while a section knew it`);
      }
      section.reader.open = false;
      this.model.readers = this.model.readers.filter(({ open }) => open);
      (this.srcu as Srcu).readUnlock(section.index);
    }
  }

  private pass(): void {
    if (this.depth === 0) {
      const ms = this.rng.below(4);
      this.note(`${ms} ms pass`);
      this.loop.timeMs += ms;
      this.model.nowMs += ms;
    }
  }

  private turn(): void {
    this.note('turn');
    this.loop.runTurn();
  }

  private endTurn(): void {
    for (const value of this.found) {
      assert(!value.poisoned, () => `Value ${value.id} was disposed of in the turn in which it was found`);
    }
    this.found = [];
    this.model.turn++;
  }

  /** What was found: the right one, and good for this turn. */
  private find(value: Value | undefined, expected: Value | undefined): void {
    assert(value === expected, () => `Found ${value?.id}, and not ${expected?.id}`);
    if (value !== undefined) {
      assert(!value.poisoned, () => `Found value ${value.id}, which was disposed of`);
      this.found.push(value);
      for (const { reader } of this.sections) {
        reader.found.push(value);
      }
    }
  }

  /** What a callback of the cache does besides. */
  private callBack(): void {
    if (this.has.nesting && this.depth < MAX_DEPTH && this.rng.below(3) === 0) {
      this.depth++;
      this.note('(');
      this.step();
      this.compare();
      this.note(')');
      this.depth--;
    }
  }

  private compare(): void {
    const { cache, model } = this;
    if (this.failure !== null) {
      throw this.failure as Error;
    }
    cache.checkInvariants();
    const table = (cache as any).table;
    const keysOf = (list: Iterable<number> | null): string => [...(list ?? [])].map((slot) => table.keys[slot]).join();
    const order = keysOf(slotsOf(table.policy));
    const expectedOrder = model.policy.entries.map(({ key }) => key).join();
    assert(order === expectedOrder, () => `Order ${order}, not ${expectedOrder}`);
    assert(
      keysOf(table.parked) === model.parked.join(),
      () => `Parked ${keysOf(table.parked)}, not ${model.parked.join()}`,
    );
    const fresh = [...model.entries].filter(([key]) => !model.isStale(key));
    const entries = [...cache];
    assert(
      entries.length === fresh.length &&
        entries.every(([key, value], at) => key === fresh[at]?.[0] && value === fresh[at][1].value),
      'Other entries',
    );
    const stats = cache.stats();
    const { disposed, ...counts } = model.counts;
    // Without a dispose nobody says what was dropped of those kept for reuse.
    const dropped = this.has.dispose || !this.has.recycle ? 0 : stats.disposed;
    const expected = {
      size: model.entries.size,
      bytes: model.bytes,
      held: model.held,
      retired: model.leaving.size - dropped,
      ...counts,
      ...(this.has.dispose ? { disposed, retiredBytes: model.retiredBytes } : {}),
    };
    for (const [name, value] of Object.entries(expected)) {
      const found = stats[name as keyof typeof stats];
      assert(found === value, () => `stats().${name} is ${found}, not ${value}`);
    }
    assert(cache.size === model.entries.size && cache.bytes === model.bytes, 'size or bytes are wrong');
    // An eighth would be fewer than 16.
    const mostReusable = this.limits.max === Infinity ? 1024 : this.limits.max;
    assert(stats.reusable <= (this.has.recycle ? mostReusable : 0), 'Keeps too many');
  }

  private async finish(): Promise<void> {
    const { cache, model, loop, rng } = this;
    const late = rng.below(2) === 0;
    const letAllGo = async (): Promise<void> => {
      while (this.guards.length > 0) {
        this.release();
      }
      while (this.uses.length > 0) {
        await this.settleUse();
      }
    };
    this.depth = MAX_DEPTH;
    if (!late) {
      await letAllGo();
    }
    while (this.sections.length > 0) {
      this.closeSection();
    }
    this.note('close');
    let closed = false;
    const closing = cache.close().then(() => {
      closed = true;
    });
    model.clear();
    this.compare();
    await loop.runAll();
    await microtasks();
    assert(closed, 'close() does not resolve');
    await closing;
    this.compare();
    if (late) {
      await letAllGo();
      this.compare();
      await loop.runAll();
    }
    this.compare();
    const { held, retired, retiredBytes, reusable, size, bytes } = cache.stats();
    assert(held + retired + retiredBytes + reusable + size + bytes === 0, 'Something is left after close()');
    if (this.has.dispose) {
      for (const value of this.all) {
        const ends = this.exchanged.has(value) ? 0 : 1;
        assert(value.ends === ends, () => `Value ${value.id} was disposed of ${value.ends} times`);
      }
    }
  }

  private makeCache(): ObjectCache<number, Value> {
    const { loop, limits, has } = this;
    return new ObjectCache<number, Value>({
      rcu: this.flavor,
      scheduler: loop,
      clock: loop,
      policy: this.policy,
      max: limits.max,
      maxBytes: limits.maxBytes,
      staleWhileRevalidateMs: limits.graceMs,
      onError: (error) => {
        this.failure ??= error;
      },
      ...(limits.ttlMs === Infinity ? {} : { ttlMs: limits.ttlMs }),
      ...(has.sizes
        ? {
            sizeOf: (value: Value): number => {
              const { size } = value;
              this.callBack();
              return size;
            },
          }
        : {}),
      ...(has.dispose
        ? {
            dispose: (value, key, reason) => {
              this.model.disposed(value, key, reason);
              this.callBack();
            },
          }
        : {}),
      ...(has.recycle ? { recycle: (value: Value) => this.recycle(value) } : {}),
    });
  }

  private recycle(value: Value): Value | undefined {
    const leaving = this.model.taken(value);
    this.callBack();
    const choice = this.rng.below(6);
    if (choice === 0) {
      // It has to wait once more, and is disposed of.
      const { turn, readers } = this.model;
      this.model.leaving.set(value, { ...leaving, sinceTurn: turn, readers: [...readers] });
      throw new Intended();
    }
    this.model.counts.recycled++;
    if (choice === 1) {
      this.exchanged.add(value);
      return this.make();
    }
    value.size = this.size();
    return undefined;
  }

  private setOptions(value: Value | null): {
    options: SetOptions | undefined;
    size: number;
    ttlMs: number | undefined;
  } {
    const { rng } = this;
    const own = this.has.sizes && rng.below(5) === 0 ? { size: this.size() } : {};
    const ttl = rng.below(5) === 0 ? { ttlMs: rng.pick([3, 10, Infinity]) } : {};
    const options = { ...own, ...ttl };
    const size = own.size ?? (value === null ? 0 : this.sizeOf(value));
    return { options: Object.keys(options).length === 0 ? undefined : options, size, ttlMs: ttl.ttlMs };
  }

  private sizeOf(value: Value): number {
    return this.has.sizes ? value.size : 0;
  }

  private size(): number {
    return this.rng.below(20) === 0 ? 120 : this.rng.below(30);
  }

  private key(): number {
    return this.rng.below(KEYS);
  }

  private make(): Value {
    const value = new Value(this.all.length, this.size());
    this.all.push(value);
    return value;
  }
}
