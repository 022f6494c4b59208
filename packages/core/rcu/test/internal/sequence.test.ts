import { describe, expect, it } from 'vitest';
import { LAST_IDLE, ended, snap, started } from '../../src/internal/sequence.js';

type Arithmetic = Readonly<Record<'snap' | 'started' | 'ended', (sequence: number) => number>>;

/** What the arithmetic promises for a grace period from the idle value `idle` on, whatever way it is computed. */
function checkGracePeriod({ snap, started, ended }: Arithmetic, idle: number): void {
  const running = started(idle);
  // The next full grace period for who asks while idle; not the rest of this one for who asks while it runs.
  expect(snap(idle)).toBe(idle + 4);
  expect(ended(running)).toBe(idle + 4);
  for (const state of [running, running + 1, running + 2]) {
    expect(snap(state) - snap(idle)).toBe(4);
    expect(ended(state)).toBe(snap(idle));
  }
  // The end changes no cookie, since a caller of just before and one of just after wait for the same.
  expect(snap(ended(running))).toBe(snap(running));
}

describe('sequence', () => {
  it.each([
    [0, 4],
    [1, 8],
    [2, 8],
    [3, 8],
    [4, 8],
    [5, 12],
  ])('snaps %i to %i', (sequence, cookie) => {
    expect(snap(sequence)).toBe(cookie);
  });

  it.each([0, 4, 400, 2 ** 31 - 4, 2 ** 31, 2 ** 32, 2 ** 52, LAST_IDLE - 4, LAST_IDLE])(
    'is exact from %i on',
    (idle) => {
      checkGracePeriod({ snap, started, ended }, idle);
    },
  );

  it('would not be exact with bit operations', () => {
    const busted = {
      started,
      snap: (sequence: number) => (sequence + 7) & ~3,
      ended: (sequence: number) => (sequence + 3) & ~3,
    };
    checkGracePeriod(busted, 400);
    expect(() => checkGracePeriod(busted, 2 ** 31 - 4)).toThrow();
  });

  it('would not be exact if the rest of a running grace period counted', () => {
    const busted = { started, ended, snap: (sequence: number) => ended(sequence + 1) };
    expect(() => checkGracePeriod(busted, 0)).toThrow();
  });

  it('refuses the first grace period that it could not name', () => {
    expect(() => started(LAST_IDLE + 4)).toThrow(/has reached 2\^53/);
    expect(snap(LAST_IDLE + 8)).not.toBe(LAST_IDLE + 12);
  });
});
