import { assert } from '@core/base';

/**
 * Grace-period sequence arithmetic, as in the kernel's kernel/rcu/rcu.h, on integer-valued doubles.
 *
 * The value modulo 4 is the state (0 idle, 1 running), the rest counts grace periods. No bit operations: they would
 * truncate at 2^31, and these numbers are good up to 2^53, which is 71 years of a million grace periods a second.
 */

/** Values per grace period: two low bits of state. */
const STATES = 4;

// One constant each: a sum that is added step by step is rounded on the way when it passes 2^53.
const TO_NEXT_IDLE = STATES - 1;
const TO_FULL_GRACE_PERIOD = 2 * STATES - 1;

/** The last idle sequence from which a grace period can run such that every cookie until its end, and then, is exact. */
export const LAST_IDLE: number = 2 ** 53 - 3 * STATES;

/**
 * The sequence when the grace period starts.
 *
 * @throws {AssertionError} all of them are used up: no wrap, which would make old cookies unsafe, and no silent stop
 */
export function started(sequence: number): number {
  assert(sequence <= LAST_IDLE, 'Cannot start a grace period: the sequence has reached 2^53');
  return sequence + 1;
}

/** The sequence when the running grace period ends: rounded up to idle. */
export function ended(sequence: number): number {
  const up = sequence + TO_NEXT_IDLE;
  return up - (up % STATES);
}

/**
 * The sequence at which a full grace period that starts from now on will have ended.
 *
 * 0→4, 1→8, 2→8, 3→8, 4→8, 5→12: what is left of a running grace period does not count, because it may have started
 * before the caller unpublished its object.
 */
export function snap(sequence: number): number {
  const up = sequence + TO_FULL_GRACE_PERIOD;
  return up - (up % STATES);
}
