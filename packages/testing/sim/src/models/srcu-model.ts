import type { ExploreOptions, Step, ThreadBody } from '../explore-options.js';

/**
 * How the model goes about it.
 *
 * Right: `right`, the kernel's two scans, and `one-thread`, one flip and one scan, for readers that cannot be interrupted
 * between reading the index and counting. Busted, each by one thing: `no-flip` waits for the slot that nobody uses;
 * `wrong-epoch` flips and waits for the new slot; `one-scan` skips the first scan although readers can be interrupted;
 * `locks-first` sums locks before unlocks; `late-count` lets a reader count after it has loaded the pointer.
 */
export type SrcuVariant =
  | 'right'
  | 'one-thread'
  | 'no-flip'
  | 'wrong-epoch'
  | 'one-scan'
  | 'locks-first'
  | 'late-count';

export const SRCU_VARIANTS: readonly SrcuVariant[] = [
  'right',
  'one-thread',
  'no-flip',
  'wrong-epoch',
  'one-scan',
  'locks-first',
  'late-count',
];

export interface SrcuModelOptions {
  readonly variant?: SrcuVariant;
  /** Default 1. */
  readonly readers?: number;
  /** Objects that the writer replaces, one grace period each. Default 2. */
  readonly updates?: number;
}

export interface SrcuRegisters {
  index: 0 | 1;
  readonly locks: [number, number];
  readonly unlocks: [number, number];
  /** The published object. */
  pointer: number;
  /** By reader, the object it holds. */
  readonly held: (number | null)[];
  readonly freed: boolean[];
  wanted: number;
  done: number;
}

/**
 * SRCU with two slots of counters: readers, a writer that replaces and frees, and a grace-period machine.
 *
 * The invariant: no reader holds a freed object.
 *
 * @see kernel/rcu/srcutree.c
 */
export function srcuModel(options: SrcuModelOptions = {}): ExploreOptions<SrcuRegisters> {
  const variant = options.variant ?? 'right';
  const readers = options.readers ?? 1;
  const updates = options.updates ?? 2;
  const threads: Record<string, ThreadBody<SrcuRegisters>> = {};
  for (let reader = 0; reader < readers; reader++) {
    threads[`reader${reader}`] = (r) => read(r, reader, variant);
  }
  threads['writer'] = (r) => write(r, updates);
  threads['machine'] = (r) => runGracePeriods(r, variant);
  return {
    registers: () => ({
      index: 0,
      locks: [0, 0],
      unlocks: [0, 0],
      pointer: 0,
      held: Array.from({ length: readers }, () => null),
      freed: Array.from({ length: updates + 1 }, () => false),
      wanted: 0,
      done: 0,
    }),
    threads,
    daemons: ['machine'],
    invariant: (r) => {
      const reader = r.held.findIndex((object) => object !== null && r.freed[object]);
      return reader < 0 ? undefined : `reader${reader} holds object ${r.held[reader]}, which is freed`;
    },
    final: (r) => {
      const freed = r.freed.filter((isFreed) => isFreed).length;
      return freed === updates ? undefined : `${freed} of ${updates} removed objects were freed`;
    },
  };
}

function* read(r: SrcuRegisters, reader: number, variant: SrcuVariant): Generator<Step | string, void, void> {
  let slot: 0 | 1;
  if (variant === 'late-count') {
    yield 'object = pointer';
    r.held[reader] = r.pointer;
  }
  if (variant === 'one-thread') {
    yield 'locks[index]++';
    slot = r.index;
  } else {
    yield 'slot = index';
    slot = r.index;
    yield `locks[${slot}]++`;
  }
  r.locks[slot]++;
  if (variant !== 'late-count') {
    yield 'object = pointer';
    r.held[reader] = r.pointer;
  }
  yield `use object ${r.held[reader]}`;
  r.held[reader] = null;
  yield `unlocks[${slot}]++`;
  r.unlocks[slot]++;
}

function* write(r: SrcuRegisters, updates: number): Generator<Step | string, void, void> {
  for (let update = 1; update <= updates; update++) {
    yield `publish object ${update}`;
    r.pointer = update;
    yield 'want a grace period';
    r.wanted = update;
    yield { label: `free object ${update - 1}`, when: () => r.done >= update };
    r.freed[update - 1] = true;
  }
}

function* runGracePeriods(r: SrcuRegisters, variant: SrcuVariant): Generator<Step | string, void, void> {
  for (;;) {
    yield { label: 'start a grace period', when: () => r.wanted > r.done };
    if (variant !== 'one-thread' && variant !== 'one-scan') {
      yield* waitUntilEmpty(r, other(r.index), variant);
    }
    if (variant !== 'no-flip') {
      yield 'flip index';
      r.index = other(r.index);
    }
    yield* waitUntilEmpty(r, variant === 'wrong-epoch' ? r.index : other(r.index), variant);
    yield 'end the grace period';
    r.done++;
  }
}

/**
 * Scans until the sums are equal. Unlocks first: a lock and unlock that come between the two sums are then seen as a
 * reader, who is there no more, and not the other way round.
 */
function* waitUntilEmpty(r: SrcuRegisters, slot: 0 | 1, variant: SrcuVariant): Generator<Step | string, void, void> {
  for (;;) {
    let locks = 0;
    if (variant === 'locks-first') {
      yield `sum locks[${slot}]`;
      locks = r.locks[slot];
    }
    yield `sum unlocks[${slot}]`;
    const unlocks = r.unlocks[slot];
    if (variant !== 'locks-first') {
      yield `sum locks[${slot}]`;
      locks = r.locks[slot];
    }
    if (locks === unlocks) {
      return;
    }
    // Without a change another scan would find the same: waiting for one keeps the number of schedules finite.
    yield { label: `scan slot ${slot} again`, when: () => r.unlocks[slot] !== unlocks || r.locks[slot] !== locks };
  }
}

function other(slot: 0 | 1): 0 | 1 {
  return slot === 0 ? 1 : 0;
}
