import type { SeededRng } from '@core/base';
import type { Cookie } from '@core/rcu';

import { ALL_HOPS, type Hop } from '../event-loop.js';
import type { Primitive } from '../torture-report.js';
import { hopWithinTurn } from './hop-within-turn.js';
import type { PipeObject } from './pipe.js';
import type { TortureContext } from './torture-context.js';

/** A poller spins so often before it starts to wait for timers. */
const SPINS = 16;
/** How many callbacks a fake writer queues at once, now and then. */
const FLOOD = 200;
const FLOOD_CHANCE = 1 / 64;
/** How a poller waits at first: an end that comes too early may be over with the turn. */
const SPIN_HOPS: readonly Hop[] = ['await', 'tick', 'immediate'];

/** Replaces the published object again and again, each time waiting for the grace period in another way. */
export async function writeUntilStopped(context: TortureContext, rng: SeededRng): Promise<void> {
  const { pipe } = context;
  for (let round: Primitive[] = []; !context.stopping;) {
    if (round.length === 0) {
      round = nextRound(context, rng);
    }
    const fresh = pipe.take();
    if (fresh === null) {
      await context.hop('immediate');
      continue;
    }
    context.company.release();
    await hopWithinTurn(context, rng);
    context.updates++;
    await retire(context, rng, round.pop() as Primitive, pipe.publish(fresh));
    // A grace period that ends in a microtask must not let the writer go round for ever within one turn.
    await (round.length === 0 ? context.hop('immediate') : hopWithinTurn(context, rng));
  }
}

/** Waits for grace periods of which nobody needs the end, so that those of the true writer meet others. */
export async function fakeUntilStopped(context: TortureContext, rng: SeededRng): Promise<void> {
  while (!context.stopping) {
    for (const primitive of nextRound(context, rng)) {
      if (context.stage.length > 1 && rng.below(4) === 0) {
        await context.ledger.barrier();
        context.barriers++;
      }
      if (primitive === 'call') {
        for (let calls = rng.next() < FLOOD_CHANCE ? FLOOD : 1; calls > 0; calls--) {
          context.ledger.call(() => context.primitives.call++);
        }
      } else {
        await waitFor(context, rng, primitive);
      }
      context.company.release();
      context.cookies.check();
      await context.hop(rng.pick(ALL_HOPS));
    }
  }
}

/** Pushes all that was removed to the end of the pipe. */
export async function emptyPipe(context: TortureContext): Promise<void> {
  while (context.pipe.removed > 0 && !context.abandoned) {
    await context.flavor.synchronize();
    context.pipe.ageRemoved();
  }
}

async function retire(context: TortureContext, rng: SeededRng, primitive: Primitive, old: PipeObject): Promise<void> {
  if (primitive === 'call') {
    callThroughPipe(context, old);
  } else {
    context.pipe.retire(old);
    await waitFor(context, rng, primitive);
    context.pipe.ageRemoved();
  }
}

function callThroughPipe(context: TortureContext, old: PipeObject): void {
  context.ledger.call(() => {
    context.primitives.call++;
    if (!context.pipe.age(old)) {
      callThroughPipe(context, old);
    }
  });
}

async function waitFor(context: TortureContext, rng: SeededRng, primitive: Exclude<Primitive, 'call'>): Promise<void> {
  const { flavor, cookies, log } = context;
  switch (primitive) {
    case 'synchronize': {
      const before = cookies.note(flavor.getState());
      await flavor.synchronize();
      log.addUnless(
        flavor.poll(before),
        'cookie-late',
        () => 'synchronize() resolved, and a cookie from before it is not over',
      );
      break;
    }
    case 'synchronizeExpedited':
      await flavor.synchronizeExpedited();
      break;
    case 'getState+poll': {
      // Somebody else may start the grace period; if nobody does, it must be waited for, as the kernel's cond_synchronize does.
      const cookie = cookies.note(flavor.getState());
      for (let hops = rng.below(4); hops > 0 && !flavor.poll(cookie); hops--) {
        await context.hop(rng.pick(ALL_HOPS));
      }
      if (!flavor.poll(cookie)) {
        await flavor.synchronize();
      }
      log.addUnless(
        flavor.poll(cookie),
        'cookie-late',
        () => 'synchronize() resolved, and a cookie from before it is not over',
      );
      break;
    }
    case 'startPoll+poll':
      await pollUntilOver(context, rng, cookies.note(flavor.startPoll()));
      break;
  }
  context.primitives[primitive]++;
}

async function pollUntilOver(context: TortureContext, rng: SeededRng, cookie: Cookie): Promise<void> {
  for (let spins = 0; !context.flavor.poll(cookie) && !context.abandoned; spins++) {
    await context.hop(spins < SPINS ? rng.pick(SPIN_HOPS) : 'timer');
  }
}

/** The primitives of this stage of the storm, in another order each time. */
function nextRound(context: TortureContext, rng: SeededRng): Primitive[] {
  const rest = [...context.stage];
  const order: Primitive[] = [];
  while (rest.length > 0) {
    order.push(...rest.splice(rng.below(rest.length), 1));
  }
  return order;
}
