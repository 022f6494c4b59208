import { assert, SeededRng } from '@core/base';
import { faultySource, memorySource } from '@core/fs-source';
import { Rcu } from '@core/rcu';
import { ShrinkerRegistry } from '@core/shrinker';
import {
  alwaysRevalidate,
  byAge,
  DerivedKind,
  type FileContents,
  type Inode,
  InodeCache,
  type InodeCacheStats,
  SuperBlock,
} from '../../src/index.js';
import { GatedSource } from './gated-source.js';
import { microtasks, TestTime } from './test-time.js';

/** Breaks a cache, given its insides. */
export type Bust = (insides: any) => void;

interface Value {
  readonly text: string;
  readonly madeMs: number;
  disposed: number;
}

/** A file as the model knows it: one that gets the number again is another one. */
interface File {
  readonly id: string;
  /** What is in it is the number of the write that put it there. */
  written: number;
  /** By change stamp, what was in it last under that stamp. */
  readonly byStamp: Map<string, string>;
  /** Its ctime when the cache was told of a change last. */
  toldNs: bigint;
  /** When that was. */
  toldMs: number;
  /** When it was changed last without the cache being told. */
  changedMs: number;
}

const NAMES = ['/a', '/b', '/c', '/d/a', '/d/b'];
const MAX_AGE_MS = 80;
const TRUST_MS = 15;
const FREEING = 4;

/**
 * Random operations on a cache over a file system in memory, which others change at the same time, compared with what
 * the file system says. Throws an error that begins with the seed.
 *
 * @returns what has happened: a run in which nothing has proves nothing
 */
export async function fuzzInodes(seed: number, steps: number, bust?: Bust): Promise<InodeCacheStats> {
  const run = new Run(seed);
  try {
    bust?.(run.cache);
    for (let step = 0; step < steps; step++) {
      await run.step();
    }
    await run.finish();
    return run.cache.stats();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).stack}`, { cause: error });
  }
}

class Run {
  readonly cache: InodeCache;
  private readonly rng: SeededRng;
  private readonly time = new TestTime();
  private readonly memory = memorySource({ clock: this.time });
  private readonly gated: GatedSource;
  private readonly isStrict: boolean;
  private readonly files = new Map<string, File>();
  /** Which file an inode was first seen as. */
  private readonly fileOf = new Map<Inode, File>();
  private readonly held: Inode[] = [];
  private readonly cached = new Set<Inode>();
  private readonly made: Value[] = [];
  private readonly underWay: Promise<void>[] = [];
  private readonly failures: unknown[] = [];
  private readonly errors: unknown[] = [];
  private readonly group;
  private readonly kind: DerivedKind<Value>;
  /** Makers of one inode that are at work. */
  private readonly making = new Map<Inode, number>();
  /** Values on trial that were made, and that their callers have not seen yet. */
  private handingOut = 0;
  private writes = 0;
  private syncDepth = 0;

  constructor(seed: number) {
    this.rng = new SeededRng(seed);
    const { time, rng } = this;
    const faults = [{ code: 'EIO', on: ['lstat' as const], rate: 0.04 }];
    const faulty = faultySource(this.memory, { rng, faults });
    faulty.active = false;
    this.gated = new GatedSource(faulty);
    this.isStrict = rng.below(2) === 0;
    const registry = new ShrinkerRegistry();
    this.group = rng.below(2) === 0 ? registry.root.child('tenant', { max: rng.pick([2000, 6000, 100_000]) }) : null;
    this.kind = new DerivedKind<Value>('text', {
      sizeOf: () => this.rng.below(400),
      trustMs: rng.pick([0, TRUST_MS]),
      dispose: (value) => void value.disposed++,
    });
    const contents: FileContents = {
      has: (inode) => this.cached.has(inode),
      drop: (inode) => this.drop(inode),
    };
    this.cache = new InodeCache({
      source: this.gated.source,
      policy: this.isStrict
        ? alwaysRevalidate()
        : byAge({ acregminMs: 20, acregmaxMs: MAX_AGE_MS, acdirminMs: 20, acdirmaxMs: MAX_AGE_MS }),
      contents,
      maxUnused: rng.pick([2, 4, 100]),
      maxDerivedBytes: rng.pick([500, 100_000]),
      racyMs: 4,
      group: this.group,
      rcu: new Rcu({ clock: time, scheduler: time }),
      clock: time,
      wallClock: time,
      scheduler: time,
      onError: (error) => void this.errors.push(error),
    });
    const block = new SuperBlock({
      inodes: this.cache,
      contents: [this.cache.derivedValues],
      groupAware: true,
    });
    const shrinker = registry.alloc(block.asShrinker());
    registry.register(shrinker);
    block.attach(shrinker);
    this.memory.mkdirSync('/d');
    // The cache learns that times of birth are told here.
    time.advance(1);
    this.memory.chmodSync('/d', 0o755);
    this.cache.release(this.cache.igetSync('/d'));
    for (const path of NAMES) {
      this.write(path);
    }
    faulty.active = true;
  }

  async step(): Promise<void> {
    const { rng } = this;
    const inode = this.held.length > 0 ? rng.pick(this.held) : null;
    const path = inode !== null && rng.below(2) === 0 ? inode.path : rng.pick(NAMES);
    switch (rng.below(20)) {
      case 0:
      case 1:
        this.write(path);
        break;
      case 2:
        this.foreign(() => this.memory.unlinkSync(path));
        break;
      case 3:
        this.foreign(() => this.memory.renameSync(path, rng.pick(NAMES)));
        break;
      case 4:
        this.foreign(() => this.memory.linkSync(path, rng.pick(NAMES)));
        break;
      case 5:
      case 6:
        this.time.advance(rng.pick([1, 1, 3, 10, 40]));
        break;
      case 7:
      case 8:
        this.igetSync(path);
        break;
      case 9:
        this.start(this.iget(path));
        break;
      case 10:
      case 11:
        this.release();
        break;
      case 12:
        this.revalidateSync(inode, path);
        break;
      case 13:
        this.start(this.revalidate(inode, path));
        break;
      case 14:
        this.tell(inode, path);
        break;
      case 15:
        this.deriveSync(inode);
        break;
      case 16:
      case 17:
        this.start(this.derive(inode));
        break;
      case 18:
        this.prune();
        break;
      case 19:
        this.cacheContents(inode);
        break;
    }
    this.checkKnown();
    for (let count = rng.below(4); count > 0 && this.gated.gates.length > 0; count--) {
      this.openOne();
      await microtasks();
    }
    if (rng.below(3) === 0) {
      if (this.handingOut > 0) {
        // No turn begins before all microtasks of the one before have run.
        await microtasks();
      }
      this.time.runTurn();
    }
    this.check();
  }

  async finish(): Promise<void> {
    this.gated.isGated = false;
    for (let round = 0; round < 100; round++) {
      while (this.gated.gates.length > 0) {
        this.openOne();
      }
      await this.time.runAll();
    }
    await Promise.all(this.underWay);
    this.check();
    this.syncDepth = Infinity;
    for (const inode of this.held.splice(0)) {
      this.cache.release(inode);
    }
    const closing = this.cache.close();
    await this.time.runAll();
    await closing;
    const { inodes, unused, holds, derived, derivedBytes, retired, chargedBytes } = this.cache.stats();
    assert(
      inodes + unused + holds + derived + derivedBytes + retired + chargedBytes === 0,
      () =>
        `Something is left: ${JSON.stringify({ inodes, unused, holds, derived, derivedBytes, retired, chargedBytes })}`,
    );
    assert((this.group?.usage() ?? 0) === 0, 'Bytes are left in the group');
    for (const { disposed, text } of this.made) {
      assert(disposed === 1, () => `A value of ${text} was disposed of ${disposed} times`);
    }
    for (const inode of this.fileOf.keys()) {
      assert((inode as any).state === (FREEING | 8), () => `An inode ends in state ${(inode as any).state}`);
    }
  }

  // Others

  private write(path: string): void {
    // Only sometimes another tick: within one, a second write does not show in any time.
    if (this.memoryFile(path) === null || this.rng.below(3) > 0) {
      this.time.advance(1);
    }
    this.foreign(() => {
      // Always as long, so that the size tells nothing.
      this.memory.writeFileSync(path, String(1_000_000 + ++this.writes));
    });
    const file = this.memoryFile(path);
    if (file !== null) {
      file.written = this.writes;
      file.byStamp.set(this.stampOf(path), this.textOf(path));
    }
  }

  /** Changes the file system, and notes for all files that the cache was not told. */
  private foreign(change: () => void): void {
    this.time.advance(this.rng.below(2));
    try {
      change();
    } catch (error) {
      assert(typeof (error as { code?: unknown }).code === 'string', () => String(error));
    }
    for (const path of NAMES) {
      const file = this.memoryFile(path);
      if (file !== null) {
        file.byStamp.set(this.stampOf(path), this.textOf(path));
        file.changedMs = this.time.nowMs;
      }
    }
  }

  private openOne(): void {
    const { gates } = this.gated;
    const index = this.rng.below(gates.length);
    const gate = gates[index]!;
    if (this.rng.below(2) === 0) {
      gate.call();
    } else {
      gates.splice(index, 1);
      gate.deliver();
    }
  }

  /** What is cached of a file's contents: its dropping calls back. */
  private drop(inode: Inode): boolean {
    const { rng, cache } = this;
    if (rng.below(5) === 0) {
      return false;
    }
    this.cached.delete(inode);
    if (this.syncDepth++ < 3) {
      const leaving: string[] = [];
      for (const one of this.fileOf.keys()) {
        // What leaves is not found, nor can it be taken.
        const { state } = one as any;
        if ((state & 8) === 0) {
          leaving.push(...((state & FREEING) === 0 ? [] : [one.path]));
          const found = cache.get(one.dev, one.ino);
          assert(found === undefined || ((found as any).state & FREEING) === 0, 'An inode that leaves was found');
        }
      }
      switch (rng.below(4)) {
        case 0:
          this.igetSync(rng.pick([...leaving, ...NAMES]));
          break;
        case 1:
          cache.prune(2);
          break;
        case 2:
          this.release();
          break;
        case 3:
          break;
      }
    }
    this.syncDepth--;
    return true;
  }

  // The cache

  private igetSync(path: string): void {
    const expected = this.memoryFile(path);
    let inode: Inode;
    try {
      inode = this.cache.igetSync(path);
    } catch (error) {
      const { code } = error as { code?: unknown };
      assert(code === 'EIO' || (expected === null && code === 'ENOENT'), () => String(error));
      return;
    }
    this.took(inode, path);
  }

  private took(inode: Inode, path: string): void {
    const file = this.memoryFile(path) as File;
    assert(!inode.isStale, `The inode of ${path} is stale`);
    this.identify(inode, file);
    assert(inode.stats.ctimeNs === this.memory.lstatSync(path).ctimeNs, `The attributes of ${path} are old`);
    this.held.push(inode);
  }

  private identify(inode: Inode, file: File): void {
    const before = this.fileOf.get(inode);
    assert(before === undefined || before === file, () => `An inode of ${before?.id} was taken for ${file.id}`);
    this.fileOf.set(inode, file);
  }

  private async iget(path: string): Promise<void> {
    try {
      const inode = await this.cache.iget(path);
      const file = this.files.get(`${inode.ino}:${inode.stats.birthtimeNs}`);
      assert(file !== undefined, 'An inode of no file');
      this.identify(inode, file);
      this.held.push(inode);
    } catch (error) {
      this.checkError(error);
    }
  }

  private release(): void {
    if (this.held.length > 0) {
      const [inode] = this.held.splice(this.rng.below(this.held.length), 1);
      this.cache.release(inode as Inode);
    }
  }

  private revalidateSync(inode: Inode | null, path: string): void {
    if (inode === null) {
      return;
    }
    let shown;
    try {
      shown = this.cache.revalidateSync(inode, path);
    } catch (error) {
      this.checkError(error);
      return;
    }
    if (shown === 'unchanged' || shown === 'changed') {
      const stats = this.memory.lstatSync(path);
      assert(this.fileOf.get(inode) === this.memoryFile(path), 'Another file was taken for the old one');
      assert(stats.ctimeNs === inode.stats.ctimeNs, 'The attributes are old after a look');
    } else if (shown !== 'fresh') {
      assert(inode.isStale || this.fileOf.get(inode) !== this.memoryFile(path), `The file is there, and ${shown}`);
    }
  }

  private async revalidate(inode: Inode | null, path: string): Promise<void> {
    try {
      await (inode === null ? null : this.cache.revalidate(inode, path));
    } catch (error) {
      this.checkError(error);
    }
  }

  /** Changes a file through the cache, or says of an inode that it may have changed. */
  private tell(inode: Inode | null, path: string): void {
    if (inode === null || inode.isStale) {
      return;
    }
    const file = this.fileOf.get(inode) as File;
    const isOfPath = this.memoryFile(path) === file;
    if (isOfPath && this.rng.below(2) === 0) {
      this.write(path);
      const stats = this.memory.lstatSync(path);
      assert(this.cache.changed(inode, stats), 'The file is taken for another one');
      file.toldNs = stats.ctimeNs;
      file.toldMs = this.time.nowMs;
      assert(inode.derived(this.kind) === undefined, 'A value was kept after a change');
    } else {
      const known = NAMES.find((name) => this.memoryFile(name) === file);
      file.toldMs = this.time.nowMs;
      if (known !== undefined) {
        file.toldNs = this.memory.lstatSync(known).ctimeNs;
      }
      this.cache.invalidate(inode);
    }
  }

  private deriveSync(inode: Inode | null): void {
    if (inode === null || inode.isStale) {
      return;
    }
    const { path } = inode;
    const file = this.fileOf.get(inode) as File;
    try {
      const value = inode.deriveSync(this.kind, (context) => this.make(context.path));
      this.checkValue(inode, value);
      if (this.isStrict && this.memoryFile(path) === file) {
        assert(value.text === this.textOf(path), 'A value is old, and the policy is strict');
      }
    } catch (error) {
      this.checkError(error);
    }
  }

  private async derive(inode: Inode | null): Promise<void> {
    if (inode === null || inode.isStale) {
      return;
    }
    const { path } = inode;
    const file = this.fileOf.get(inode) as File;
    const from = file.written;
    const isThere = this.memoryFile(path) === file;
    const changesAlways = this.rng.below(4) === 0;
    let isMade = false;
    try {
      const value = await inode.derive(this.kind, async (context) => {
        const atWork = (this.making.get(inode) ?? 0) + 1;
        this.making.set(inode, atWork);
        assert(atWork === 1, 'Two makers are at work');
        try {
          if (this.rng.below(2) === 0) {
            await microtasks();
          }
          const made = this.make(context.path);
          if (changesAlways || this.rng.below(8) === 0) {
            this.write(context.path);
          }
          if (this.rng.below(2) === 0) {
            await microtasks();
          }
          return made;
        } finally {
          this.making.set(inode, atWork - 1);
          if (!isMade && this.kind.trustMs > 0) {
            isMade = true;
            this.handingOut++;
          }
        }
      });
      assert(value.disposed === 0, 'A value was disposed of before it was seen');
      if (this.isStrict && isThere && this.memoryFile(path) === file && !inode.isStale) {
        const written = Number(value.text) - 1_000_000;
        assert(written >= from, () => `What was asked for after write ${from} is of write ${written}`);
      }
    } catch (error) {
      this.checkError(error);
    } finally {
      this.handingOut -= isMade ? 1 : 0;
    }
  }

  private make(path: string): Value {
    const value = { text: this.textOf(path), madeMs: this.time.nowMs, disposed: 0 };
    this.made.push(value);
    return value;
  }

  private checkError(error: unknown): void {
    const { code } = error as { code?: unknown };
    if (code !== 'EIO' && code !== 'ENOENT' && code !== 'ERR_INODE_STALE') {
      throw error;
    }
  }

  private prune(): void {
    const { rng, cache } = this;
    const part = rng.pick([cache, cache.derivedValues]);
    part.prune(rng.below(12));
  }

  private cacheContents(inode: Inode | null): void {
    if (inode !== null && !inode.isStale) {
      this.cached.add(inode);
    }
  }

  private start(work: Promise<void>): void {
    this.underWay.push(
      work.catch((error: unknown) => {
        this.failures.push(error);
      }),
    );
  }

  // What must hold

  private check(): void {
    if (this.failures.length > 0) {
      throw this.failures[0];
    }
    assert(this.errors.length === 0, () => `An error was reported: ${String(this.errors[0])}`);
    this.cache.checkInvariants();
    this.checkKnown();
    const { holds, chargedBytes } = this.cache.stats();
    assert(holds >= this.held.length, () => `${holds} holds for ${this.held.length}`);
    assert(this.group === null || this.group.usage() === chargedBytes, 'The group was charged something else');
    for (const inode of this.held) {
      assert(inode.stats.ino === inode.ino, 'An inode was destroyed while it was held');
    }
  }

  /** What the cache says of its inodes without a look. */
  private checkKnown(): void {
    for (const [inode, file] of this.fileOf) {
      if ((inode as any).state & FREEING) {
        continue;
      }
      const truth = NAMES.find((name) => this.memoryFile(name) === file);
      if (this.cache.isFresh(inode) && truth !== undefined) {
        const { ctimeNs } = this.memory.lstatSync(truth);
        assert(inode.stats.ctimeNs >= file.toldNs, 'An inode is believed, and is older than what the cache was told');
        assert(
          inode.stats.ctimeNs === ctimeNs || this.time.nowMs - file.changedMs <= MAX_AGE_MS,
          'An inode is believed for longer than may be',
        );
      }
      const value = inode.derived(this.kind);
      if (value !== undefined) {
        this.checkValue(inode, value);
        const { mtimeNs, ctimeNs } = inode.stats;
        const last = file.byStamp.get(`${mtimeNs}:${ctimeNs}`);
        const isYoung = value.madeMs > this.time.nowMs - this.kind.trustMs && value.madeMs >= file.toldMs;
        assert(value.text === last || isYoung, () => `A value is ${value.text}, and its stamp is that of ${last}`);
      }
    }
  }

  private checkValue(_: Inode, value: Value): void {
    assert(value.disposed === 0, 'A value was disposed of while it could be seen');
  }

  // The model

  private memoryFile(path: string): File | null {
    let stats;
    try {
      stats = this.memory.lstatSync(path);
    } catch {
      return null;
    }
    const id = `${stats.ino}:${stats.birthtimeNs}`;
    let file = this.files.get(id);
    if (file === undefined) {
      file = { id, written: 0, byStamp: new Map(), toldNs: 0n, toldMs: 0, changedMs: this.time.nowMs };
      this.files.set(id, file);
    }
    return file;
  }

  private stampOf(path: string): string {
    const { mtimeNs, ctimeNs } = this.memory.lstatSync(path);
    return `${mtimeNs}:${ctimeNs}`;
  }

  private textOf(path: string): string {
    return this.memory.readFileSync(path).toString();
  }
}
