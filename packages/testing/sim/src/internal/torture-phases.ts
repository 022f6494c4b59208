import { spansTurns } from '../reader-protocol.js';
import type { TortureContext } from './torture-context.js';
import { emptyPipe, fakeUntilStopped, writeUntilStopped } from './torture-writers.js';
import { readUntilEnough } from './torture-readers.js';

/** How often the time moves on by `stallMs` while a reader is held: a reporter may be coarse. */
const STALL_PERIODS = 4;
const TURNS_PER_STALL_PERIOD = 16;

/** Readers and writers, all at once, until the operations are spent. False when something never ended. */
export async function storm(context: TortureContext): Promise<boolean> {
  const { readers, fakeWriters } = context.settings;
  const reading = context.start('reader', readers, 1000, (rng) => readUntilEnough(context, rng));
  const faking = context.start('fake writer', fakeWriters, 2000, (rng) => fakeUntilStopped(context, rng));
  const writing = context.start('writer', 1, 1, (rng) => writeUntilStopped(context, rng));

  // Every hop of a reader ends by itself, so this ends, whatever the flavour does.
  await context.loop.pump(() => reading.left === 0, Infinity);
  context.stopping = true;
  const ended = await context.isInTime(
    () => faking.left + writing.left === 0,
    () => `${faking.left + writing.left} writers still wait for a grace period, with no reader left`,
  );
  if (!ended) {
    return false;
  }
  return drain(context);
}

/** Ends what the storm has begun: every callback runs, every object comes back. */
async function drain(context: TortureContext): Promise<boolean> {
  const { ledger, pipe, log } = context;
  const drained = await context.endsInTime(async () => {
    await emptyPipe(context);
    // An object in the hands of callbacks needs one more for each grace period that is left of its pipe.
    for (let round = 0; round <= pipe.length && ledger.waiting > 0; round++) {
      await ledger.barrier();
    }
  }, complaint);
  if (!drained) {
    return false;
  }
  log.addUnless(ledger.waiting === 0, 'call-once', () => `${ledger.waiting} callbacks have never run`);
  log.addUnless(pipe.inPipe === 0, 'circulation', () => `${pipe.inPipe} objects have not come back to the free list`);
  return true;
}

/** With nobody about, `getState()` alone must not start a grace period. */
export async function quiet(context: TortureContext): Promise<boolean> {
  const { flavor, loop, log, settings } = context;
  const ended = await context.endsInTime(async () => {
    // Whatever was wanted ends with this one.
    const cookie = flavor.startPoll();
    while (!flavor.poll(cookie) && !context.abandoned) {
      await context.hop('immediate');
    }
  }, complaint);
  if (!ended) {
    return false;
  }
  await loop.pump(() => false, settings.quietTurns);
  const before = flavor.stats().gracePeriods;
  const cookie = flavor.getState();
  await loop.pump(() => false, settings.quietTurns);
  const started = flavor.stats().gracePeriods - before;
  log.addUnless(
    started === 0,
    'quiet-get-state',
    () => `${started} grace periods ended after getState(), and nobody asked for one`,
  );
  log.addUnless(
    !flavor.poll(cookie),
    'quiet-get-state',
    () => 'a cookie of getState() is over, and nobody asked for a grace period',
  );
  return true;
}

/** A reader that stays holds everything up, is reported, and holds nothing up any more when it leaves. */
export async function stuckReader(context: TortureContext): Promise<boolean> {
  const { flavor, loop, log, settings } = context;
  const { reader } = settings;
  if (!spansTurns(reader)) {
    return true;
  }
  const stallsBefore = flavor.stats().stalls;
  const token = reader.enter();
  let freed = 0;
  const free = (): void => {
    freed++;
  };
  const cookie = flavor.startPoll();
  context.ledger.call(free);
  void context.run('waiter for a stuck reader', () => flavor.synchronize().then(free));
  void context.run('waiter for a stuck reader', () => flavor.synchronizeExpedited().then(free));
  for (let period = 0; period < STALL_PERIODS; period++) {
    if (settings.stallMs !== null) {
      loop.advance?.(settings.stallMs);
    }
    await loop.rest(TURNS_PER_STALL_PERIOD);
  }
  log.addUnless(
    freed === 0 && !flavor.poll(cookie),
    'stuck-reader-freed',
    () => 'a grace period ended while a reader from before it was still in its section',
  );
  if (settings.stallMs !== null && loop.advance !== undefined) {
    context.stallReports = flavor.stats().stalls - stallsBefore;
    log.addUnless(
      context.stallReports > 0,
      'stall-report',
      () => `a reader stayed for ${STALL_PERIODS} times stallMs, and stats().stalls did not move`,
    );
  }
  reader.leave(token);
  return context.isInTime(
    () => freed === 3 && flavor.poll(cookie),
    () => `the stuck reader has left, and only ${freed} of 3 waiters went on`,
  );
}

function complaint(): string {
  return 'a grace period with no reader left did not end';
}
