import { assert, SeededRng } from '@core/base';
import type { BtreeKeyCache, KeyOperation, Update } from '../../src/index.js';
import { bytes, insides, type Made, makeCache, text, turns } from './make-cache.js';
import { TestJournal } from './test-journal.js';
import { TestStore } from './test-store.js';
import { TurnScheduler } from './turn-scheduler.js';

const COUNTERS = 260;
const PAIRS = 40;

/** Ways to break a cache, each of which the fuzz must notice. */
export type Bust = (engine: any, cache: BtreeKeyCache) => void;

/** What a key may hold: a counter that has at least the acknowledged increments and at most the ones asked for. */
interface Expected {
  least: number;
  most: number;
  /** Whether it may be there, and whether it may be missing. */
  there: boolean;
  missing: boolean;
}

/** Runs random operations on a cache over a store and a journal that fail and crash. Throws with the seed. */
export async function fuzzCache(seed: number, rounds: number, bust: Bust = () => {}): Promise<void> {
  const fuzz = new CacheFuzz(seed, bust);
  try {
    await fuzz.run(rounds);
  } catch (error) {
    throw new Error(`seed ${seed}, ${fuzz.trail.slice(-8).join('; ')}: ${(error as Error).message}`, { cause: error });
  } finally {
    fuzz.stop();
  }
}

class CacheFuzz {
  readonly trail: string[] = [];
  private readonly rng: SeededRng;
  private readonly bust: Bust;
  private readonly model = new Map<string, Expected>();
  private readonly maxBytes: number;
  private readonly readsAtOnce: boolean;
  private scheduler = new TurnScheduler();
  private made: Made | null = null;
  private failing = false;
  private readers: (() => void)[] = [];

  constructor(seed: number, bust: Bust) {
    this.rng = new SeededRng(seed);
    this.bust = bust;
    this.maxBytes = this.rng.pick([65_536, 65_536, 90_000, 4_000_000]);
    this.readsAtOnce = seed % 2 === 0;
  }

  async run(rounds: number): Promise<void> {
    await this.open(new TestStore(), new TestJournal());
    for (let round = 0; round < rounds; round++) {
      const crash = this.rng.below(8) === 0;
      await this.round(crash);
      if (!crash) {
        this.cache.checkInvariants();
      }
      if (this.rng.below(12) === 0) {
        await this.closeAndOpen();
      }
    }
    await this.closeAndOpen();
    await this.checkAll();
  }

  stop(): void {
    this.scheduler.alive = false;
  }

  private get cache(): BtreeKeyCache {
    return (this.made as Made).cache;
  }

  private async open(store: TestStore, journal: TestJournal): Promise<void> {
    this.scheduler = new TurnScheduler();
    this.failing = false;
    const { rng } = this;
    store.before = async (action) => {
      await turns(rng.below(3));
      // A key that cannot be read is told to whoever asked, so that its model is as it was.
      if (this.failing && action !== 'mark' && action !== 'get' && rng.below(2) === 0) {
        throw new Error('intended');
      }
    };
    if (this.readsAtOnce) {
      store.readsAtOnce();
    }
    this.made = await makeCache({ store, journal, maxBytes: this.maxBytes, scheduler: this.scheduler });
    this.bust(insides(this.cache), this.cache);
  }

  /** Operations at the same time, of which all are awaited, or which a crash cuts off. */
  private async round(crash: boolean): Promise<void> {
    const { rng, cache } = this;
    this.failing = rng.below(4) === 0;
    const killsJournal = crash && rng.below(3) === 0;
    // Then no record of the round is acknowledged, and the crash leaves some of them.
    (this.made as Made).journal.manual = crash && !killsJournal && rng.below(2) === 0;
    const running: Promise<unknown>[] = [];
    const touched = new Set<string>();
    const count = 1 + rng.below(60);
    for (let index = 0; index < count; index++) {
      running.push(...this.operation(touched));
    }
    this.trail.push(`${count} operations${crash ? ', crash' : ''}`);
    if (rng.below(3) === 0) {
      running.push(this.checkRange());
    }
    if (rng.below(3) === 0) {
      this.shrink();
    }
    if (rng.below(4) === 0) {
      running.push(this.hold());
    }
    if (rng.below(4) === 0) {
      // One that fails leaves everything as it was.
      running.push(cache.flush().catch((error: unknown) => assertIntended(error)));
    }
    if (crash) {
      for (const one of running) {
        // Nobody will be there to hear of it.
        one.catch(() => {});
      }
      if (killsJournal) {
        await this.killJournal();
      }
      await turns(rng.below(6));
      await this.crash();
      return;
    }
    for (const release of this.readers.splice(0)) {
      release();
    }
    const results = await Promise.allSettled(running);
    for (const result of results) {
      if (result.status === 'rejected') {
        throw result.reason;
      }
    }
    this.failing = false;
    await this.checkSome(20);
  }

  private operation(touched: Set<string>): Promise<unknown>[] {
    const { rng, cache } = this;
    const which = rng.below(10);
    if (which < 3) {
      return [this.transfer(`p${rng.below(PAIRS)}`)];
    }
    // Cold keys for evictions, and a few hot ones.
    const key = `c${rng.below(2) === 0 ? rng.below(8) : rng.below(COUNTERS)}`;
    if (which < 4) {
      return [this.checkKey(key)];
    }
    if (which < 6) {
      if (touched.has(key)) {
        return [];
      }
      touched.add(key);
      return [which === 4 ? this.set(key) : this.delete(key)];
    }
    if (touched.has(key)) {
      return [];
    }
    touched.add(key);
    const times = 1 + rng.below(5);
    const slow = rng.below(4) === 0;
    return Array.from({ length: times }, () => this.increment(cache, key, slow));
  }

  private async increment(cache: BtreeKeyCache, key: string, slow: boolean): Promise<void> {
    const expected = this.expected(key);
    const room = this.rng.below(30) === 0 ? 3000 : this.rng.below(120);
    expected.most++;
    expected.there = true;
    const add: Update = (value) => encode(decode(value) + 1, room);
    const slowly: Update = async (value) => {
      await turns(1);
      return add(value);
    };
    await cache.update(key, slow ? slowly : add);
    expected.least++;
    expected.missing = false;
  }

  private async set(key: string): Promise<void> {
    const expected = this.expected(key);
    const value = this.rng.below(1000);
    const { least, most } = expected;
    expected.least = Math.min(least, value);
    expected.most = Math.max(most, value);
    expected.there = true;
    await this.cache.put(key, encode(value, this.rng.below(200)));
    Object.assign(expected, { least: value, most: value, missing: false });
  }

  private async delete(key: string): Promise<void> {
    const expected = this.expected(key);
    expected.missing = true;
    await this.cache.del(key);
    Object.assign(expected, { least: 0, most: 0, there: false });
  }

  /** Both keys of a pair are changed by batches only, and by the same. */
  private async transfer(pair: string): Promise<void> {
    const keys = [`${pair}/a`, `${pair}/b`];
    for (const key of keys) {
      const expected = this.expected(key);
      expected.most++;
      expected.there = true;
    }
    const room = this.rng.below(100);
    await this.cache.batch(
      keys.map((key): KeyOperation => ({ type: 'update', key, update: (value) => encode(decode(value) + 1, room) })),
    );
    for (const key of keys) {
      const expected = this.expected(key);
      expected.least++;
      expected.missing = false;
    }
  }

  private shrink(): void {
    const spec = this.cache.asShrinker();
    const sc = { zone: 'heap' as const, group: null, nrScanned: 0, priority: 0, mode: 'background' as const };
    const nrToScan = 1 + this.rng.below(200);
    spec.count({ ...sc, nrToScan });
    void spec.scan({ ...sc, nrToScan });
  }

  /** A transaction that is open for a while: what it has found is that key, or nothing. */
  private async hold(): Promise<void> {
    const key = `c${this.rng.below(COUNTERS)}`;
    const { cache } = this;
    await cache.transaction(async (transaction) => {
      const handle = transaction.find(key);
      await new Promise<void>((resolve) => {
        this.readers.push(resolve);
      });
      const value = handle?.read();
      if (value !== undefined) {
        this.judge(key, value);
      }
    });
  }

  private async checkKey(key: string): Promise<void> {
    const before = { ...this.expected(key) };
    const value = await this.cache.get(key);
    // What happened meanwhile may have widened what is right, and then narrowed it.
    const expected = this.expected(key);
    const least = Math.min(before.least, expected.least);
    const there = before.there || expected.there;
    const missing = before.missing || expected.missing;
    this.judge(key, value, { least, most: Math.max(before.most, expected.most), there, missing });
  }

  private async checkSome(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const key = `c${this.rng.below(COUNTERS)}`;
      this.judge(key, await this.cache.get(key));
    }
  }

  private async checkAll(): Promise<void> {
    for (const key of this.model.keys()) {
      this.judge(key, await this.cache.get(key));
    }
    await this.checkRange();
  }

  /** One moment of all pairs: in none of them is one half ahead of the other. */
  private async checkRange(): Promise<void> {
    const reverse = this.rng.below(2) === 0;
    const seen = new Map<string, number>();
    const then = new Map(Array.from(this.model, ([key, expected]) => [key, { ...expected }]));
    let before: string | null = null;
    try {
      for await (const [key, value] of this.cache.range({ gte: 'p', lt: 'q', reverse })) {
        const name = text(key) as string;
        assert(before === null || before < name !== reverse, () => `${name} came after ${before}`);
        before = name;
        seen.set(name, decode(value));
        if (this.rng.below(10) === 0) {
          await turns(1);
        }
      }
    } catch (error) {
      assertIntended(error);
      return;
    }
    for (let pair = 0; pair < PAIRS; pair++) {
      const a = seen.get(`p${pair}/a`);
      const b = seen.get(`p${pair}/b`);
      assert(a === b, () => `A range saw half of a batch: ${a} and ${b} of pair ${pair}`);
      const least = then.get(`p${pair}/a`)?.least ?? 0;
      assert((a ?? 0) >= least, () => `A range saw pair ${pair} at ${a}, and ${least} had been acknowledged`);
      const most = this.expected(`p${pair}/a`).most;
      assert((a ?? 0) <= most, () => `A range saw pair ${pair} at ${a}, and ${most} were asked for`);
    }
  }

  /** From the next commit on no write is acknowledged, and reads go on. */
  private async killJournal(): Promise<void> {
    const { journal, cache } = this.made as Made;
    this.trail.push('dead journal');
    await turns(this.rng.below(3));
    journal.failure = new Error('intended');
    await cache.put('late', encode(1, 0)).then(
      () => assert(false, 'A dead journal has acknowledged a write'),
      (error: unknown) => assertCode(error, 'ERR_BTREE_KEY_JOURNAL'),
    );
    await cache.get('late');
    await cache.flush().catch((error: unknown) => assertIntended(error));
  }

  private async crash(): Promise<void> {
    const { store, journal } = this.made as Made;
    this.scheduler.alive = false;
    const keepsAll = this.rng.below(2) === 0;
    const next = store.crash(keepsAll);
    const nextJournal = journal.crash(this.rng.below(journal.lastSequence - journal.durableSequence + 1));
    this.readers = [];
    if (this.rng.below(3) === 0) {
      await this.crashInReplay(next, nextJournal);
    } else {
      await this.open(next, nextJournal);
    }
    await this.settle();
  }

  /** Killed again after so many batches of the replay. */
  private async crashInReplay(store: TestStore, journal: TestJournal): Promise<void> {
    let left = this.rng.below(3);
    store.before = (action) => {
      if (action === 'batch' && left-- <= 0) {
        throw new Error('intended');
      }
    };
    await makeCache({ store, journal }).catch(() => {});
    await this.open(store.crash(), journal.crash());
  }

  /** After a crash each key is one of what it may be, and from then on just that. */
  private async settle(): Promise<void> {
    for (const [key, expected] of this.model) {
      const value = await this.cache.get(key);
      this.judge(key, value);
      const now = decode(value);
      Object.assign(expected, { least: now, most: now, there: value !== undefined, missing: value === undefined });
    }
    await this.checkRange();
  }

  private async closeAndOpen(): Promise<void> {
    const { store, journal } = this.made as Made;
    for (const release of this.readers.splice(0)) {
      release();
    }
    await this.cache.close();
    assert(journal.oldestPinned === journal.lastSequence + 1, 'A pin is left');
    const { keys, dirty, pending, bytes: left } = this.cache.stats();
    assert(keys + dirty + pending + left === 0, 'Something is left');
    this.scheduler.alive = false;
    this.trail.push('closed');
    await this.open(store.crash(), journal.crash());
  }

  private expected(key: string): Expected {
    let expected = this.model.get(key);
    if (expected === undefined) {
      expected = { least: 0, most: 0, there: false, missing: true };
      this.model.set(key, expected);
    }
    return expected;
  }

  private judge(key: string, value: Uint8Array | undefined, expected: Expected = this.expected(key)): void {
    if (value === undefined) {
      assert(expected.missing, () => `${key} is missing, and should be ${expected.least} to ${expected.most}`);
      return;
    }
    const count = decode(value);
    assert(expected.there, () => `${key} is ${count}, and was deleted`);
    assert(
      count >= expected.least && count <= expected.most,
      () => `${key} is ${count}, and should be ${expected.least} to ${expected.most}`,
    );
  }
}

function assertIntended(error: unknown): void {
  assert(/intended|crashed|the journal has failed/.test((error as Error).message), () => String(error));
}

function assertCode(error: unknown, code: string): void {
  assert((error as { code?: unknown }).code === code, () => String(error));
}

function encode(count: number, room: number): Uint8Array {
  return bytes(`${count}:`.padEnd(room, 'x'));
}

/** @throws when the value was torn */
function decode(value: Uint8Array | undefined): number {
  if (value === undefined) {
    return 0;
  }
  const match = /^(\d+):x*$/.exec(text(value) as string);
  assert(match !== null, () => `A value is torn: ${text(value)}`);
  return Number(match[1]);
}
