import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';

import {
  ALL_HOPS,
  type EventLoop,
  type Hop,
  hopOn,
  HOPS_WITHIN_A_TURN,
  RealLoop,
  SimLoop,
  withRandomYields,
} from '../src/index.js';

/** Whether a hop stays in the turn in which it begins: no other turn may come in between. */
async function staysInTurn(loop: EventLoop, hop: Hop): Promise<boolean> {
  let done = false;
  let stays = false;
  loop.run('immediate', () => {
    let sameTurn = true;
    loop.run('immediate', () => {
      sameTurn = false;
    });
    loop.run(hop, () => {
      stays = sameTurn;
      done = true;
    });
  });
  // An immediate of the same round is another turn, and may come before or after the one that marks the end of the turn.
  expect(await loop.pump(() => done, 1_000)).toBe(true);
  return stays;
}

const LOOPS: readonly [string, () => EventLoop][] = [
  ['real', () => new RealLoop()],
  ['simulated', () => new SimLoop()],
];

describe.each(LOOPS)('%s loop', (_, make) => {
  test.each(HOPS_WITHIN_A_TURN)('%s stays within the turn', async (hop) => {
    const loop = make();
    expect(await staysInTurn(loop, hop)).toBe(true);
    loop.close();
  });

  test('every hop comes back, and never on the caller’s stack', async () => {
    const loop = make();
    const back: Hop[] = [];
    for (const hop of ALL_HOPS) {
      void hopOn(loop, hop).then(() => back.push(hop));
    }
    expect(back).toEqual([]);
    expect(await loop.pump(() => back.length === ALL_HOPS.length, 10_000)).toBe(true);
    expect(back.toSorted()).toEqual(ALL_HOPS.toSorted());
    loop.close();
    loop.close();
  });

  test('an immediate is another turn', async () => {
    const loop = make();
    expect(await staysInTurn(loop, 'immediate')).toBe(false);
    loop.close();
  });

  test('pump gives up', async () => {
    const loop = make();
    let turns = 0;
    const again = (): void => {
      turns++;
      loop.run('immediate', again);
    };
    again();
    expect(await loop.pump(() => false, 20)).toBe(false);
    expect(turns).toBeGreaterThan(1);
    loop.close();
  });
});

describe('SimLoop', () => {
  test('stops when nothing can run', async () => {
    const loop = new SimLoop();
    expect(await loop.pump(() => false, Infinity)).toBe(false);
    expect(loop.turn).toBe(0);
  });

  test('moves the time to timers', async () => {
    const loop = new SimLoop();
    let ran = false;
    loop.scheduler.after(1e6, () => {
      ran = true;
    });
    expect(await loop.pump(() => ran, 10)).toBe(true);
    expect(loop.clock.peek()).toBe(1e6);
    loop.advance(1);
    expect(loop.clock.peek()).toBe(1e6 + 1);
  });
});

describe('withRandomYields', () => {
  /** A read and a write with a gap: right only if nobody comes in between. */
  async function lostUpdates(seed: number): Promise<number> {
    const loop = new SimLoop({ seed });
    let value = 0;
    const rng = new SeededRng(seed);
    const load = withRandomYields(() => value, loop, rng);
    let done = 0;
    const increment = async (): Promise<void> => {
      value = (await load()) + 1;
      done++;
    };
    for (let actor = 0; actor < 4; actor++) {
      void increment();
    }
    await loop.pump(() => done === 4, 1_000);
    return 4 - value;
  }

  test('finds the orders that lose updates, and finds them again with the same seed', async () => {
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
    const first = await Promise.all(seeds.map(lostUpdates));
    expect(first.some((lost) => lost > 0)).toBe(true);
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(await Promise.all(seeds.map(lostUpdates))).toEqual(first);
  });
});
