import { spansTurns } from '../reader-protocol.js';
import type { TortureContext } from './torture-context.js';
import { emptyPipe, fakeUntilStopped, writeUntilStopped } from './torture-writers.js';
import { readUntilEnough } from './torture-readers.js';

/** How often the time moves on by `stallMs` while a reader is held: a reporter may be coarse. */
const STALL_PERIODS = 4;
const TURNS_PER_STALL_PERIOD = 16;

/** Readers and writers, all at once, until the operations are spent. False when something never ended. */
export async function storm(context: TortureContext): Promise<boolean> {
  const { settings } = context;
  let readersLeft = settings.readers;
  let writersLeft = 1 + settings.fakeWriters;
  const readerDone = (): number => readersLeft--;
  const writerDone = (): number => writersLeft--;
  for (let actor = 0; actor < settings.readers; actor++) {
    const rng = context.rng(1000 + actor);
    void context.actor(`reader ${actor}`, () => readUntilEnough(context, rng)).then(readerDone);
  }
  for (let actor = 0; actor < settings.fakeWriters; actor++) {
    const rng = context.rng(2000 + actor);
    void context.actor(`fake writer ${actor}`, () => fakeUntilStopped(context, rng)).then(writerDone);
  }
  void context.actor('writer', () => writeUntilStopped(context, context.rng(1))).then(writerDone);

  // Every hop of a reader ends by itself, so this ends, whatever the flavour does.
  const read = await context.loop.pump(() => readersLeft === 0, Infinity);
  context.stopping = true;
  if (!read || !(await context.loop.pump(() => writersLeft === 0, settings.drainTurns))) {
    return giveUp(context, `${writersLeft} writers still wait for a grace period, with no reader left`);
  }
  return drain(context);
}

/** Ends what the storm has begun: every callback runs, every object comes back. */
async function drain(context: TortureContext): Promise<boolean> {
  const { ledger, pipe, log } = context;
  const drained = await endsInTime(context, async () => {
    await emptyPipe(context);
    // An object in the hands of callbacks needs one more for each grace period that is left of its pipe.
    for (let round = 0; round <= pipe.length && ledger.waiting > 0; round++) {
      await ledger.barrier();
    }
  });
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
  const ended = await endsInTime(context, async () => {
    // Whatever was wanted ends with this one.
    const cookie = flavor.startPoll();
    while (!flavor.poll(cookie) && !context.abandoned) {
      await context.hop('immediate');
    }
  });
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
  void context.actor('stuck reader', () => flavor.synchronize().then(free));
  void context.actor('stuck reader', () => flavor.synchronizeExpedited().then(free));
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
  if (!(await loop.pump(() => freed === 3 && flavor.poll(cookie), settings.drainTurns))) {
    return giveUp(context, `the stuck reader has left, and only ${freed} of 3 waiters went on`);
  }
  return true;
}

/** Whether `body` ended within the turns that a drain may take. */
async function endsInTime(context: TortureContext, body: () => Promise<void>): Promise<boolean> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  void context.actor('drain', body).then(end);
  const inTime = await context.loop.pump(() => ended, context.settings.drainTurns);
  return inTime || giveUp(context, 'a grace period with no reader left did not end');
}

function giveUp(context: TortureContext, message: string): false {
  context.abandoned = true;
  context.log.add('hang', `${message} after ${context.settings.drainTurns} turns`);
  return false;
}
