import type { SeededRng } from '@core/base';

import { ALL_HOPS } from '../event-loop.js';
import type { PendingObject } from '../pending-under-test.js';
import { hopWithinTurn } from './hop-within-turn.js';
import type { PendingContext } from './pending-context.js';
import { awaitOrigin } from './torture-readers.js';

type Operation = 'retire' | 'dequeue' | 'dequeueExpired' | 'dequeueWhere' | 'dequeueFromAll' | 'barrier' | 'hop';

/** Weighted by how often each stands here. Retiring outweighs, so that something is pending. */
const OPERATIONS: readonly Operation[] = [
  ...Array.from({ length: 12 }, (): Operation => 'retire'),
  ...Array.from({ length: 8 }, (): Operation => 'hop'),
  'dequeue',
  'dequeue',
  'dequeueExpired',
  'dequeueExpired',
  'dequeueWhere',
  'dequeueFromAll',
];
const HOT_PLACES = 2;
const BARRIER_CHANCE = 1 / 64;
/** A writer leaves the turn after so many operations at the latest, whatever it draws. */
const MAX_OPERATIONS_PER_TURN = 16;

/** Reads sections, holding what is published, until the writers have done enough. */
export async function readPublished(context: PendingContext, rng: SeededRng): Promise<void> {
  while (!context.stopping) {
    await awaitOrigin(context, rng);
    const inside = context.enter();
    const object = context.published[pickPlace(context, rng)] as PendingObject;
    const { generation } = object;
    let sawPending = false;
    for (let hops = rng.below(context.settings.maxHops + 1); hops > 0; hops--) {
      await context.hop(rng.pick(context.settings.reader.hops));
      sawPending ||= object.generation === generation && object.state === 'pending';
    }
    context.heldPending += sawPending ? 1 : 0;
    context.heldReused += object.generation === generation ? 0 : 1;
    context.reads++;
    context.leave(inside);
  }
}

/** Retires, dequeues, waits, until enough has been done. */
export async function writeUntilEnough(context: PendingContext, rng: SeededRng): Promise<void> {
  for (let inTurn = 0; !context.enough; inTurn++) {
    context.operations++;
    const operation = rng.next() < BARRIER_CHANCE ? 'barrier' : rng.pick(OPERATIONS);
    context.company.release();
    // Readers that were let in have begun, and may know what is retired now.
    await hopWithinTurn(context, rng);
    if (operation === 'barrier') {
      await barrier(context);
    } else if (operation === 'hop' || inTurn === MAX_OPERATIONS_PER_TURN) {
      inTurn = 0;
      await context.hop(rng.pick(ALL_HOPS));
    } else {
      operate(context, rng, operation);
    }
    context.check(operation);
  }
}

export async function barrier(context: PendingContext): Promise<void> {
  const { books, log } = context;
  const ticket = books.enqueued;
  await context.pending.barrier();
  context.barriers++;
  const left = books.pendingBefore(ticket);
  log.addUnless(left === 0, 'barrier', () => `barrier() resolved, and ${left} objects enqueued before it are pending`);
}

function operate(context: PendingContext, rng: SeededRng, operation: Exclude<Operation, 'barrier' | 'hop'>): void {
  const { pending, books } = context;
  const place = pickPlace(context, rng);
  if (operation === 'retire') {
    context.retire(place, books.take(), rng.below(4) === 0 ? { maySleep: true } : undefined);
    return;
  }
  const object = operation === 'dequeueWhere' ? claim(context) : pending[operation]?.();
  if (object !== undefined && books.leave(object, operation === 'dequeueExpired' ? 'expired' : 'dequeue')) {
    // Published again, as another. Readers of the old one may still hold it: they look at the generation.
    context.retire(place, object);
  }
}

/** Every other time one of a few places, so that what a reader holds is often what a writer retires. */
function pickPlace({ published }: PendingContext, rng: SeededRng): number {
  return rng.below(rng.below(2) === 0 ? Math.min(HOT_PLACES, published.length) : published.length);
}

/** Claims by a rule of its own, which rejects many. */
function claim({ pending, log }: PendingContext): PendingObject | undefined {
  const claimable = (object: PendingObject): boolean => object.id % 3 === 0;
  const object = pending.dequeueWhere?.(claimable);
  log.addUnless(
    object === undefined || claimable(object),
    'claim',
    () => `dequeueWhere() handed out object ${object?.id}, which was not claimed`,
  );
  return object;
}
