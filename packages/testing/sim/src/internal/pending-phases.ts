import { spansTurns } from '../reader-protocol.js';
import { barrier, readPublished, writeUntilEnough } from './pending-actors.js';
import type { PendingContext } from './pending-context.js';

const STUCK_TURNS = 64;
const LAST_OBJECTS = 8;

/** Readers and writers, all at once, until the operations are spent. False when something never ended. */
export async function pendingStorm(context: PendingContext): Promise<boolean> {
  const { readers, writers } = context.settings;
  const reading = context.start('reader', readers, 1000, (rng) => readPublished(context, rng));
  const writing = context.start('writer', writers, 2000, (rng) => writeUntilEnough(context, rng));
  const written = await pumpWhileOperating(context, () => writing.left === 0);
  context.stopping = true;
  // Every hop of a reader ends by itself.
  await context.loop.pump(() => reading.left === 0, Infinity);
  if (!written) {
    return context.giveUp(`${writing.left} writers still wait for a barrier`);
  }
  return drained(context, () => barrier(context));
}

/** A reader that stays keeps everything that was enqueued since from being processed. */
export async function stuckPendingReader(context: PendingContext): Promise<boolean> {
  if (!spansTurns(context.settings.reader)) {
    return true;
  }
  const inside = context.enter();
  for (let place = 0; place < context.published.length; place++) {
    context.retire(place, context.books.take());
  }
  await context.loop.rest(STUCK_TURNS);
  context.check('turns with a reader stuck');
  context.leave(inside);
  return drained(context, () => barrier(context));
}

/** After `exit()` nothing is left, and nothing goes in. */
export async function closing(context: PendingContext): Promise<boolean> {
  const { pending, books, log } = context;
  for (let place = 0; place < Math.min(LAST_OBJECTS, context.published.length); place++) {
    context.retire(place, books.take());
  }
  if (!(await drained(context, () => pending.exit()))) {
    return false;
  }
  log.addUnless(books.count === 0, 'exit', () => `exit() resolved, and ${books.count} objects are pending`);
  let refused = false;
  try {
    pending.enqueue(books.take());
  } catch {
    refused = true;
  }
  log.addUnless(refused, 'exit', () => 'enqueue() took an object after exit()');
  return true;
}

/** A barrier that never resolves must not keep the readers going: false when nothing has happened for long. */
async function pumpWhileOperating(context: PendingContext, done: () => boolean): Promise<boolean> {
  for (let operations = -1; operations !== context.operations;) {
    ({ operations } = context);
    if (await context.loop.pump(done, context.settings.drainTurns)) {
      return true;
    }
  }
  return false;
}

async function drained(context: PendingContext, wait: () => Promise<void>): Promise<boolean> {
  const inTime = await context.endsInTime(
    wait,
    () => `${context.books.count} objects are pending, with no reader left`,
  );
  if (inTime) {
    context.check('a barrier with no reader left');
  }
  return inTime;
}
