import { assert, type Scheduler } from '@core/base';
import { type LruStatus, REMOVED, ROTATE, SKIP, SlotLinks, SlotLru, STOP, type WalkControl } from '@core/list-lru';
import type { RcuFlavor } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import type { MemoryGroup } from '@core/shrinker';
import type { Buf } from '../buf.js';
import { ArenaPool } from './arena-pool.js';
import { BlockIndex } from './block-index.js';
import type { FileState } from './file-state.js';
import { BUSY, DELWRI_Q, DONE, LOCKED, READING, STALE, WRITING } from './flags.js';

/** Of what the budget allows, so much more may wait for readers of this turn: one part in so many. */
const STRANDED_SHARE = 4;

export interface BlockStoreOptions {
  readonly blockBytes: number;
  readonly maxBlocks: number;
  readonly arenaBlocks: number;
  readonly maxLruRef: number;
  readonly group: MemoryGroup | null;
  readonly rcu: RcuFlavor;
  readonly scheduler: Scheduler;
}

/**
 * The buffers: who has which block, who holds what, and who goes when there is no room.
 *
 * ```
 * free ─take─▶ in the index, held ─last release─▶ on the LRU ─isolated─▶ killed ─┬─ nobody can be looking ▶ free
 *                    ▲      │                        │                          └─ pending ─grace period─▶ free
 *                    └─hold─┼────────────────────────┘
 *                           └─ stale: out of the index, killed at the last release
 * ```
 * The LRU holds nothing: what is on it nobody has. Everything here is synchronous.
 *
 * @see Linux fs/xfs/xfs_buf.c
 */
export class BlockStore {
  readonly blockBytes: number;
  readonly maxBlocks: number;
  readonly index: BlockIndex = new BlockIndex();
  readonly pool: ArenaPool;
  readonly lru: SlotLru;
  readonly rcu: RcuFlavor;
  /** Buffers that were shown, and wait for those who may still look. */
  readonly pending: RcuPending<Buf>;
  /** Buffers on delayed-write queues. */
  dirty = 0;
  evictions = 0;
  private closed = false;
  private readonly links = new SlotLinks();
  private readonly spareLists: SlotLru[] = [];
  private readonly strandedBlocks: number;
  /** So many walks over the whole list have met every buffer that can go, however young. */
  private readonly rounds: number;
  /** Of the walk in progress: how many may go, and whether those may that somebody may be looking at. */
  private goal = 0;
  private mayStrand = true;
  private readonly roomWaiters: (() => void)[] = [];

  constructor(options: BlockStoreOptions) {
    this.blockBytes = options.blockBytes;
    this.maxBlocks = options.maxBlocks;
    this.rcu = options.rcu;
    this.rounds = options.maxLruRef + 1;
    this.strandedBlocks = Math.max(options.arenaBlocks, Math.floor(options.maxBlocks / STRANDED_SHARE));
    this.lru = new SlotLru(this.links);
    this.pool = new ArenaPool({
      blockBytes: options.blockBytes,
      arenaBlocks: options.arenaBlocks,
      group: options.group,
      onGrow: (slots) => this.links.grow(slots),
    });
    this.pending = new RcuPending<Buf>({
      rcu: options.rcu,
      scheduler: options.scheduler,
      sizeOf: () => options.blockBytes,
      process: (buf) => this.free(buf),
    });
  }

  /** Blocks that are somebody's: neither free nor waiting for a grace period. */
  get used(): number {
    return this.pool.blocks - this.pool.freeCount - this.pending.count;
  }

  /**
   * A buffer for a new block, evicting another where it must; or null. Its bytes are whatever they were. May call other
   * shrinkers, when memory is charged for it, so everything may be different afterwards.
   */
  tryTake(): Buf | null {
    const { pool, maxBlocks } = this;
    if (this.used >= maxBlocks && this.evict(1) === 0) {
      return null;
    }
    const buf = pool.take() ?? this.takeExpired();
    if (buf !== null) {
      return buf;
    }
    if (pool.blocks < maxBlocks + this.strandedBlocks && pool.grow()) {
      return pool.take();
    }
    return pool.take() ?? (this.evict(1) > 0 ? pool.take() : null);
  }

  /**
   * As {@link tryTake}, so many, or as many as there is room for; in the order of their places in memory, so that what
   * is read into them as one needs few pieces.
   */
  takeUpTo(count: number): Buf[] {
    const excess = this.used + count - this.maxBlocks;
    if (excess > 1) {
      // In one walk; one by one below, if it was not enough.
      this.evict(excess);
    }
    const room = this.maxBlocks - this.used;
    const bufs: Buf[] = [];
    let isSorted = true;
    while (bufs.length < count) {
      const buf = (bufs.length < room ? this.pool.take() : null) ?? this.tryTake();
      if (buf === null) {
        break;
      }
      isSorted &&= bufs.length === 0 || (bufs.at(-1) as Buf).slot < buf.slot;
      bufs.push(buf);
    }
    return isSorted ? bufs : bufs.sort(bySlot);
  }

  /** Gives back what {@link tryTake} gave. */
  giveBack(buf: Buf): void {
    this.pool.give(buf);
    this.wake();
  }

  /** Makes a buffer this block's, held once. Nobody may have the block. */
  insert(buf: Buf, file: FileState, block: number): void {
    buf.file = file;
    buf.block = block;
    buf.holds = 1;
    buf.typeRef = file.lruRef;
    buf.lruRef = file.lruRef;
    this.link(buf);
  }

  hold(buf: Buf): void {
    if (buf.holds++ === 0) {
      this.lru.del(buf.slot);
    }
  }

  release(buf: Buf): void {
    if (--buf.holds === 0) {
      if (buf.lruRef > 0 && (buf.flags & (DONE | STALE)) === DONE) {
        this.lru.add(buf.slot);
      } else {
        this.kill(buf);
      }
      this.wake();
    }
  }

  /** Out of the index, off the LRU and off its queue; gone with its last holder. May make others stale as well. */
  stale(buf: Buf): void {
    if ((buf.flags & STALE) !== 0) {
      return;
    }
    const { queue } = buf;
    const file = buf.file as FileState;
    // So that nothing here is the last release.
    this.hold(buf);
    buf.flags |= STALE;
    buf.lruRef = 0;
    this.unlink(buf);
    if (queue !== null) {
      queue.remove(buf);
      this.release(buf);
      file.dropped(buf);
      file.settle();
    }
    this.release(buf);
  }

  /**
   * Makes `fresh` the buffer of this one's block, which is stale from then on, and on no queue. `fresh` was taken, and is
   * held once. Copies the bytes.
   */
  supersede(buf: Buf, fresh: Buf): void {
    const { queue } = buf;
    this.hold(buf);
    fresh.bytes.set(buf.bytes);
    this.unlink(buf);
    this.insert(fresh, buf.file as FileState, buf.block);
    fresh.flags = buf.flags & DONE;
    fresh.typeRef = buf.typeRef;
    fresh.lruRef = buf.lruRef;
    buf.flags |= STALE;
    buf.lruRef = 0;
    queue?.replace(buf, fresh);
    this.release(buf);
  }

  /** Evicts up to so many. @returns how many */
  evict(count: number): number {
    const { lru } = this;
    // With too much stranded, evicting what is looked at makes no room.
    const mayStrand = this.pending.count < this.strandedBlocks;
    let evicted = 0;
    for (let round = 0; round < this.rounds && evicted < count && lru.length > 0; round++) {
      evicted += this.walk({ nrToScan: lru.length, nrScanned: 0 }, count - evicted, mayStrand);
    }
    return evicted;
  }

  /** Whether a charge that is under way need not go on: there is a block for whoever it is for. */
  get isServed(): boolean {
    return this.pool.isCharging && this.pool.freeCount > 0;
  }

  /** Looks at so many of the LRU, and evicts what can go. */
  scan(sc: WalkControl): number {
    const evicted = this.walk(sc, Infinity, true);
    this.pool.trim();
    this.compact();
    this.pool.trim();
    return evicted;
  }

  /**
   * Moves buffers out of arenas that are nearly free, so that these can go: memory is given back by arenas. Whoever may
   * be looking at a buffer, or holds it, is left alone.
   */
  compact(): void {
    const { pool, lru } = this;
    for (;;) {
      const arena = pool.sparsest();
      if (arena === null || pool.freeCount - arena.free.length < pool.arenaBlocks - arena.free.length) {
        return;
      }
      const used = arena.bufs.filter((buf) => buf.file !== null);
      if (used.length !== pool.arenaBlocks - arena.free.length || !used.every((buf) => this.isMovable(buf))) {
        return;
      }
      for (const buf of used) {
        const fresh = pool.takeBeside(arena) as Buf;
        const wasFirst = lru.head() === buf.slot;
        this.supersede(buf, fresh);
        // No release: that is the end of a buffer that has no round left.
        fresh.holds = 0;
        if (wasFirst) {
          lru.addHead(fresh.slot);
        } else {
          lru.add(fresh.slot);
        }
      }
    }
  }

  /** A list of slots, for a queue. A slot is on one list at most, of all the lists there are. */
  takeList(): SlotLru {
    return this.spareLists.pop() ?? new SlotLru(this.links);
  }

  giveList(list: SlotLru): void {
    this.spareLists.push(list);
  }

  /** Resolves when there may be room. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.roomWaiters.push(resolve);
    });
  }

  /** There may be room, or nothing may come any more that would make some. */
  wake(): void {
    if (this.roomWaiters.length > 0) {
      for (const resolve of this.roomWaiters.splice(0)) {
        resolve();
      }
    }
  }

  /** No memory is kept for later any more. Resolves when what was released has been freed. */
  async close(): Promise<void> {
    this.closed = true;
    await this.pending.barrier();
    this.pool.trim();
  }

  checkInvariants(): void {
    const { pool, index, lru, pending } = this;
    index.checkInvariants();
    pool.checkInvariants();
    pending.checkInvariants();
    let live = 0;
    let dirty = 0;
    let indexed = 0;
    const waiting: Buf[] = [];
    for (const buf of pool) {
      const { file, flags } = buf;
      if (file === null) {
        continue;
      }
      const at = () => `Block ${buf.block} of file ${file.id}`;
      const isOut = (flags & STALE) !== 0;
      if (buf.holds === 0 && isOut) {
        waiting.push(buf);
      } else {
        live++;
      }
      assert(index.find(file, buf.block) === buf || isOut, () => `${at()} is not in the index, and not stale`);
      assert(!isOut || index.find(file, buf.block) !== buf, () => `${at()} is stale, and found`);
      indexed += isOut ? 0 : 1;
      assert(
        lru.has(buf.slot) === (buf.holds === 0 && !isOut),
        () => `${at()} has ${buf.holds} holds: the LRU differs`,
      );
      assert((buf.queue !== null) === ((flags & DELWRI_Q) !== 0), () => `${at()} is on a queue, or not, and differs`);
      if (buf.queue !== null) {
        dirty++;
        assert(!isOut && buf.holds > 0, () => `${at()} is queued, and stale or not held`);
        assert([...buf.queue].includes(buf), () => `${at()} is on another queue than it says`);
      }
      assert((flags & BUSY) === 0 || buf.holds > 0, () => `${at()} is busy, and nobody holds it`);
      assert((flags & READING) === 0 || (flags & (DONE | WRITING | LOCKED)) === 0, () => `${at()} is in two states`);
      assert((flags & WRITING) === 0 || (flags & LOCKED) === 0, () => `${at()} is written and locked`);
      assert((flags & BUSY) !== 0 || !(buf.waiters?.length ?? 0), () => `${at()} has waiters, and no lock`);
    }
    assert(dirty === this.dirty, () => `${dirty} buffers are queued, and ${this.dirty} counted`);
    assert(indexed === index.count, () => `${index.count} buffers are indexed, and ${indexed} should be`);
    assert(waiting.length === pending.count, () => `${waiting.length} wait for readers, and ${pending.count} counted`);
    assert(live === this.used, () => `${live} blocks are used, and ${this.used} counted`);
    assert(
      pool.freeCount + pending.count + live === pool.blocks,
      () => `${pool.blocks} blocks: ${pool.freeCount} free, ${pending.count} pending, ${live} used`,
    );
  }

  private link(buf: Buf): void {
    const file = buf.file as FileState;
    const { first } = file;
    this.index.insert(buf);
    buf.filePrev = null;
    buf.fileNext = first;
    if (first !== null) {
      first.filePrev = buf;
    }
    file.first = buf;
    file.cached++;
  }

  private unlink(buf: Buf): void {
    const file = buf.file as FileState;
    const { filePrev, fileNext } = buf;
    this.index.delete(buf);
    if (filePrev === null) {
      file.first = fileNext;
    } else {
      filePrev.fileNext = fileNext;
    }
    if (fileNext !== null) {
      fileNext.filePrev = filePrev;
    }
    file.cached--;
  }

  /** The last one has let go, or it was evicted. */
  private kill(buf: Buf): void {
    if ((buf.flags & STALE) === 0) {
      this.unlink(buf);
      buf.flags |= STALE;
    }
    if (!this.isWatched(buf)) {
      this.free(buf);
      return;
    }
    try {
      this.pending.enqueue(buf);
    } catch {
      // The domain was closed, which waits for its readers: there is nobody left to wait for.
      this.free(buf);
    }
  }

  private free(buf: Buf): void {
    clear(buf);
    this.pool.give(buf);
    if (this.closed) {
      this.pool.trim();
    }
    this.wake();
  }

  private takeExpired(): Buf | null {
    const buf = this.pending.dequeueExpired() ?? null;
    if (buf !== null) {
      clear(buf);
    }
    return buf;
  }

  private walk(sc: WalkControl, goal: number, mayStrand: boolean): number {
    const before = this.evictions;
    const outer = { goal: this.goal, mayStrand: this.mayStrand };
    this.goal = goal;
    this.mayStrand = mayStrand;
    this.lru.walk(sc, this.isolate);
    this.goal = outer.goal;
    this.mayStrand = outer.mayStrand;
    return this.evictions - before;
  }

  private readonly isolate = (slot: number): LruStatus => {
    if (this.goal === 0) {
      return STOP;
    }
    const buf = this.pool.at(slot);
    if (!this.mayStrand && this.isWatched(buf)) {
      return SKIP;
    }
    if (this.ages(buf)) {
      return ROTATE;
    }
    this.goal--;
    this.evictions++;
    this.lru.del(slot);
    this.kill(buf);
    return REMOVED;
  };

  /** Takes one round from a buffer that has any left: it stays. */
  private ages(buf: Buf): boolean {
    if (buf.lruRef > 0) {
      buf.lruRef--;
      return true;
    }
    return false;
  }

  /**
   * Whether somebody may be looking who does not hold it. Those who were given its bytes were readers then, and every
   * reader of then has ended when the grace period is over that was named then.
   */
  private isWatched(buf: Buf): boolean {
    return buf.shownIn !== null && !this.rcu.poll(buf.shownIn);
  }

  private isMovable(buf: Buf): boolean {
    return buf.holds === 0 && !buf.isStale && !this.isWatched(buf);
  }
}

function bySlot(one: Buf, other: Buf): number {
  return one.slot - other.slot;
}

function clear(buf: Buf): void {
  buf.file = null;
  buf.block = -1;
  buf.flags = 0;
  buf.lruRef = 0;
  buf.attempts = 0;
  buf.flight = null;
  buf.after = null;
  buf.shownIn = null;
  buf.filePrev = null;
  buf.fileNext = null;
}
