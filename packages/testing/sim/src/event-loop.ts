import type { Rng } from '@core/base';

/**
 * A way to go on later.
 *
 * `await` and `tick` stay within the turn; the others are turns of their own, from the sources an event loop has.
 */
export type Hop = 'await' | 'tick' | 'immediate' | 'timer' | 'message' | 'io';

/** The hops that stay within the turn. */
export const HOPS_WITHIN_A_TURN: readonly Hop[] = ['await', 'tick'];

/** Every hop. */
export const ALL_HOPS: readonly Hop[] = ['await', 'tick', 'immediate', 'timer', 'message', 'io'];

/** Where the actors of a torture run: {@link RealLoop}, or {@link SimLoop} for runs that repeat exactly. */
export interface EventLoop {
  readonly name: string;
  /** Turns that {@link pump} has seen. */
  readonly turn: number;
  /** Runs `callback` later, in the way that `hop` says. */
  run(hop: Hop, callback: () => void): void;
  /**
   * Lets turns pass until `done()`; false when `maxTurns` have passed first, or nothing is left that could run.
   *
   * `done` is asked between turns, with all microtasks run. A loop whose time is not the real one moves it on to the next
   * timer when nothing else can run.
   */
  pump(done: () => boolean, maxTurns: number): Promise<boolean>;
  /** Lets so many turns pass, or as many as there are before something must wait for a timer. */
  rest(turns: number): Promise<void>;
  /** Moves the time by hand. A loop whose time is the real one has no such method. */
  advance?(ms: number): void;
  /** Gives back what the loop holds. */
  close(): void;
}

/** Resolves later, in the way that `hop` says. */
export function hopOn(loop: EventLoop, hop: Hop): Promise<void> {
  return new Promise((resolve) => {
    loop.run(hop, resolve);
  });
}

/** Resolves after one hop, or none, chosen by `rng`. */
export async function randomYield(loop: EventLoop, rng: Rng, hops: readonly Hop[] = ALL_HOPS): Promise<void> {
  // One choice more than there are hops: none.
  const hop = hops[Math.floor(rng.next() * (hops.length + 1))];
  if (hop !== undefined) {
    await hopOn(loop, hop);
  }
}

/**
 * Wraps `operation` so that a random yield comes before it and another after: the orders that a test of asynchronous
 * code would otherwise never see.
 */
export function withRandomYields<Args extends unknown[], T>(
  operation: (...args: Args) => T | PromiseLike<T>,
  loop: EventLoop,
  rng: Rng,
  hops: readonly Hop[] = ALL_HOPS,
): (...args: Args) => Promise<T> {
  return async (...args) => {
    await randomYield(loop, rng, hops);
    const result = await operation(...args);
    await randomYield(loop, rng, hops);
    return result;
  };
}
