import type { ExploreOptions, Step } from '../explore-options.js';

/**
 * What the model takes for a quiescent state. `turn` is right; `microtask` is none at all, and `await` is one of a reader
 * who will resume in the same turn.
 */
export type QuiescentState = 'turn' | 'microtask' | 'await';

export const QUIESCENT_STATES: readonly QuiescentState[] = ['turn', 'microtask', 'await'];

export interface TurnModelOptions {
  readonly quiescentState?: QuiescentState;
  /** Default 2. */
  readonly readers?: number;
}

export interface TurnRegisters {
  /** By reader: whether its turn goes on, and whether it awaits just now. */
  readonly inTurn: boolean[];
  readonly awaiting: boolean[];
  pointer: number;
  readonly held: (number | null)[];
  freed: boolean;
  wanted: boolean;
  done: boolean;
}

/**
 * One event loop: readers that await within their turn, a writer whose microtasks run in between, and a grace period.
 *
 * The invariant: no reader holds a freed object.
 */
export function turnModel(options: TurnModelOptions = {}): ExploreOptions<TurnRegisters> {
  const quiescentState = options.quiescentState ?? 'turn';
  const readers = options.readers ?? 2;
  const names = Array.from({ length: readers }, (_, reader) => `reader${reader}`);
  return {
    registers: () => ({
      inTurn: names.map(() => false),
      awaiting: names.map(() => false),
      pointer: 0,
      held: names.map(() => null),
      freed: false,
      wanted: false,
      done: false,
    }),
    threads: {
      ...Object.fromEntries(names.map((name, reader) => [name, (r: TurnRegisters) => read(r, reader)])),
      writer: write,
      machine: (r) => endGracePeriod(r, quiescentState),
    },
    invariant: (r) => {
      const reader = r.held.findIndex((object) => object === 0 && r.freed);
      return reader < 0 ? undefined : `reader${reader} holds object 0, which is freed`;
    },
  };
}

function* read(r: TurnRegisters, reader: number): Generator<Step | string, void, void> {
  yield 'begin a turn';
  r.inTurn[reader] = true;
  yield 'object = pointer, await';
  r.held[reader] = r.pointer;
  r.awaiting[reader] = true;
  yield `resume with object ${r.held[reader]}`;
  r.awaiting[reader] = false;
  r.held[reader] = null;
  yield 'end the turn';
  r.inTurn[reader] = false;
}

function* write(r: TurnRegisters): Generator<Step | string, void, void> {
  yield 'publish object 1';
  r.pointer = 1;
  yield 'want a grace period';
  r.wanted = true;
  yield { label: 'free object 0', when: () => r.done };
  r.freed = true;
}

function* endGracePeriod(r: TurnRegisters, quiescentState: QuiescentState): Generator<Step | string, void, void> {
  const quiescent: Record<QuiescentState, () => boolean> = {
    turn: () => !r.inTurn.includes(true),
    microtask: () => true,
    await: () => r.inTurn.every((inTurn, reader) => !inTurn || r.awaiting[reader]),
  };
  yield { label: 'end the grace period', when: () => r.wanted && quiescent[quiescentState]() };
  r.done = true;
}
