import { assert } from '@core/base';
import { GroupLimitError, type MemoryGroup, ShrinkerError } from '@core/shrinker';
import { Buf } from '../buf.js';

const ZONE = 'external';

export interface ArenaPoolOptions {
  readonly blockBytes: number;
  /** Blocks of an arena. */
  readonly arenaBlocks: number;
  /** Whose memory arenas take, or null. */
  readonly group: MemoryGroup | null;
  /** There are so many slots from now on. */
  readonly onGrow: (slots: number) => void;
}

/** One `ArrayBuffer` of many blocks. */
export class Arena {
  readonly id: number;
  readonly bufs: readonly Buf[];
  /** Those that nobody has; taken from the end. */
  readonly free: Buf[];
  /** Where the arena is among those with free blocks, or -1. */
  openAt = -1;

  constructor(id: number, blockBytes: number, blocks: number) {
    const memory = new ArrayBuffer(blockBytes * blocks);
    this.id = id;
    this.bufs = Array.from(
      { length: blocks },
      (_, index) => new Buf(this, id * blocks + index, new Uint8Array(memory, index * blockBytes, blockBytes)),
    );
    // Taken from the end: neighbours in memory are handed out one after the other.
    this.free = this.bufs.toReversed();
  }
}

/**
 * The memory of a cache: arenas of equal size, each with its buffers, which are bound to their place in it for ever.
 *
 * Memory is charged to the group by arenas, as it is taken and given back. An arena whose blocks are all free goes at
 * once, unless it has the only free blocks.
 */
export class ArenaPool {
  readonly arenaBlocks: number;
  /** Blocks that nobody has. */
  freeCount = 0;
  /** Whether memory is being charged for an arena: shrinkers may be called for it. */
  isCharging = false;
  private readonly blockBytes: number;
  private readonly group: MemoryGroup | null;
  private readonly onGrow: (slots: number) => void;
  private readonly arenas: (Arena | null)[] = [];
  private readonly spareIds: number[] = [];
  /** The arenas that have free blocks; taken from the last. */
  private readonly open: Arena[] = [];

  constructor(options: ArenaPoolOptions) {
    this.blockBytes = options.blockBytes;
    this.arenaBlocks = options.arenaBlocks;
    this.group = options.group;
    this.onGrow = options.onGrow;
  }

  /** How many arenas there are. */
  get arenaCount(): number {
    return this.arenas.length - this.spareIds.length;
  }

  /** Blocks of all arenas, free or not. */
  get blocks(): number {
    return this.arenaCount * this.arenaBlocks;
  }

  get bytes(): number {
    return this.blocks * this.blockBytes;
  }

  /** The buffer of a slot, which must be one of an arena. */
  at(slot: number): Buf {
    const { arenaBlocks } = this;
    return (this.arenas[Math.floor(slot / arenaBlocks)] as Arena).bufs[slot % arenaBlocks] as Buf;
  }

  /** A free buffer, or null. Its bytes are whatever they were. */
  take(): Buf | null {
    const arena = this.open.at(-1);
    return arena === undefined ? null : this.takeFrom(arena);
  }

  /** As {@link take}, from any arena but this one, from the one with the fewest free blocks. */
  takeBeside(other: Arena): Buf | null {
    let fullest: Arena | null = null;
    for (const arena of this.open) {
      if (arena !== other && (fullest === null || arena.free.length < fullest.free.length)) {
        fullest = arena;
      }
    }
    return fullest === null ? null : this.takeFrom(fullest);
  }

  give(buf: Buf): void {
    const { arena } = buf;
    arena.free.push(buf);
    this.freeCount++;
    if (arena.openAt < 0) {
      arena.openAt = this.open.push(arena) - 1;
    }
    if (arena.free.length === this.arenaBlocks && this.freeCount > this.arenaBlocks) {
      this.release(arena);
    }
  }

  /**
   * Takes the memory of one more arena. Calls back where the group has to be reclaimed for it, this cache included.
   *
   * @returns false where the group has no room
   */
  grow(): boolean {
    if (!this.charge()) {
      return false;
    }
    const id = this.spareIds.pop() ?? this.arenas.length;
    const arena = new Arena(id, this.blockBytes, this.arenaBlocks);
    this.arenas[id] = arena;
    this.freeCount += this.arenaBlocks;
    arena.openAt = this.open.push(arena) - 1;
    this.onGrow(this.arenas.length * this.arenaBlocks);
    return true;
  }

  /** The arena with the most free blocks, but not free as a whole; null if there is none. */
  sparsest(): Arena | null {
    let sparsest: Arena | null = null;
    for (const arena of this.open) {
      if (arena.free.length < this.arenaBlocks && (sparsest === null || arena.free.length > sparsest.free.length)) {
        sparsest = arena;
      }
    }
    return sparsest;
  }

  /** Gives back every arena whose blocks are all free. */
  trim(): void {
    for (const arena of this.open.slice()) {
      if (arena.free.length === this.arenaBlocks) {
        this.release(arena);
      }
    }
  }

  *[Symbol.iterator](): IterableIterator<Buf> {
    for (const arena of this.arenas) {
      yield* arena?.bufs ?? [];
    }
  }

  checkInvariants(): void {
    let free = 0;
    for (const arena of this.arenas) {
      if (arena !== null) {
        free += arena.free.length;
        assert(new Set(arena.free).size === arena.free.length, () => `Arena ${arena.id} has a block free twice`);
        assert(
          arena.free.every((buf) => buf.file === null && buf.holds === 0 && buf.flags === 0),
          () => `Arena ${arena.id} has a free block that somebody has`,
        );
        assert(
          arena.free.length === 0 ? arena.openAt === -1 : this.open[arena.openAt] === arena,
          () => `Arena ${arena.id} is not where it should be among those with free blocks`,
        );
      }
    }
    assert(free === this.freeCount, () => `${free} blocks are free, and ${this.freeCount} counted`);
  }

  private takeFrom(arena: Arena): Buf {
    const buf = arena.free.pop() as Buf;
    this.freeCount--;
    if (arena.free.length === 0) {
      this.shut(arena);
    }
    return buf;
  }

  private release(arena: Arena): void {
    this.shut(arena);
    this.freeCount -= this.arenaBlocks;
    this.arenas[arena.id] = null;
    this.spareIds.push(arena.id);
    this.group?.uncharge(this.arenaBlocks * this.blockBytes, ZONE);
  }

  /** Takes the arena off those with free blocks. */
  private shut(arena: Arena): void {
    const last = this.open.pop() as Arena;
    if (last !== arena) {
      this.open[arena.openAt] = last;
      last.openAt = arena.openAt;
    }
    arena.openAt = -1;
  }

  private charge(): boolean {
    if (this.group === null) {
      return true;
    }
    for (;;) {
      const group = this.group.heir;
      this.isCharging = true;
      try {
        group.charge(this.arenaBlocks * this.blockBytes, ZONE);
        return true;
      } catch (error) {
        if (GroupLimitError.is(error)) {
          return false;
        }
        // What has ended while it was charged has an heir, up to the root, which never ends.
        if (!(ShrinkerError.is(error) && error.code === 'ERR_GROUP_OFFLINE' && group.isOffline)) {
          throw error;
        }
      } finally {
        this.isCharging = false;
      }
    }
  }
}
