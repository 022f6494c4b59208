import type { Scheduler } from '@core/base';
import type { Srcu } from '@core/rcu';
import type { Belonging, Exitable } from './belongings.js';
import { type HostParts, domainOwnerOf, ownerOf } from './plugin-services.js';
import { Teardown } from './teardown.js';
import type { Unit } from './unit.js';

/** Longer than any process: its one purpose is to be there. */
const FOREVER_MS = 2 ** 31 - 1;
/** Callbacks may queue callbacks; these many barriers must do. */
const BARRIERS = 8;

export interface TakeDownOptions {
  readonly scheduler: Scheduler;
  readonly timeoutMs: number;
}

const always = (): boolean => true;

/**
 * Takes a host down, in the order in which data flows backwards: no scan runs in a plugin that stops, no plugin runs
 * when its pendings exit, and no pending waits for a domain that is closed.
 */
export async function takeDown(units: readonly Unit[], parts: HostParts, options: TakeDownOptions): Promise<Teardown> {
  // What the teardown waits for keeps no process alive by itself, and its caller is owed an answer.
  const alive = setInterval(() => {}, FOREVER_MS);
  const teardown = new Teardown(options.scheduler, options.timeoutMs);
  try {
    await freeShrinkers(teardown, parts);
    for (const unit of units.toReversed()) {
      await stopUnit(teardown, unit, parts);
    }
    await closeRegistry(teardown, parts);
    for (const belonging of parts.belongings.exitables.toReversed()) {
      await exit(teardown, belonging, parts);
    }
    for (const { owner, value } of parts.belongings.domains.toReversed()) {
      await closeDomain(teardown, value);
      parts.timers.cancelOf(domainOwnerOf(owner));
    }
    await closeHostDomains(teardown, parts);
    for (const { owner, delayMs } of parts.timers.cancelAll()) {
      teardown.leaks.push(`timer of ${delayMs} ms set by ${owner}`);
    }
  } finally {
    clearInterval(alive);
  }
  return teardown;
}

/** Those whose scan does not end are left to `closeRegistry` to tell. */
async function freeShrinkers(teardown: Teardown, { shrinkers }: HostParts): Promise<void> {
  await Promise.all(
    shrinkers.registered.map((shrinker) =>
      teardown.step(`freeing ${shrinkers.describe(shrinker)}`, () => shrinkers.freeForOwner(shrinker), always),
    ),
  );
}

async function closeRegistry(teardown: Teardown, { shrinkers }: HostParts): Promise<void> {
  for (const late of shrinkers.registered) {
    teardown.leaks.push(shrinkers.describe(late));
  }
  const ended = await teardown.step('closing the shrinkers', () => shrinkers[Symbol.asyncDispose](), always);
  for (const hung of ended ? [] : shrinkers.debug.list()) {
    teardown.leaks.push(`${shrinkers.describe(hung)}, in a scan that has not ended`);
  }
}

async function stopUnit(teardown: Teardown, unit: Unit, parts: HostParts): Promise<void> {
  const { announcer, clock, shrinkers, timers } = parts;
  const startedMs = clock.now();
  const wasStarted = unit.state === 'started';
  shrinkers.owner = unit.name;
  for (const work of unit.end()) {
    // It may wait for a grace period that an open guard holds up; for anything else it has all the time it wants.
    await teardown.mustEnd(`stopping plugin "${unit.name}"`, work, () => readersOf(parts) > 0);
  }
  shrinkers.owner = null;
  timers.cancelOf(ownerOf(unit.name));
  if (wasStarted && announcer.heard('pluginStopped')) {
    announcer.emit('pluginStopped', { plugin: unit.name, durationMs: clock.now() - startedMs });
  }
}

function readersOf({ srcu, belongings }: HostParts): number {
  return belongings.domains.reduce((sum, { value }) => sum + value.stats().readers, srcu.stats().readers);
}

async function exit(teardown: Teardown, { owner, value }: Belonging<Exitable>, parts: HostParts): Promise<void> {
  const what = `disposing of what plugin "${owner}" owns`;
  const waiting = (): number => value.count ?? 0;
  let before = waiting();
  // Objects that wait must become fewer. When none does, what is left is the owner's work, as in a stop().
  const isStuck = (): boolean => {
    const now = waiting();
    const stuck = now > 0 ? now >= before : readersOf(parts) > 0;
    before = now;
    return stuck;
  };
  if (!(await teardown.step(what, () => value[Symbol.asyncDispose](), isStuck))) {
    teardown.leaks.push(waiting() > 0 ? `${waiting()} pending objects of plugin "${owner}"` : `${what} has not ended`);
  }
}

async function closeDomain(teardown: Teardown, domain: Srcu): Promise<void> {
  const ended = await teardown.step(`closing domain "${domain.name}"`, () => domain[Symbol.asyncDispose](), always);
  if (!ended) {
    teardown.leaks.push(...describeReaders(domain));
  }
}

function describeReaders(domain: Srcu): string[] {
  const { readers, callbacksWaiting } = domain.stats();
  const oldest = domain.oldestReader();
  if (readers === 0) {
    return [`${callbacksWaiting} callbacks waiting in "${domain.name}"`];
  }
  if (oldest === null) {
    return [`${readers} read locks open in "${domain.name}"`];
  }
  const guard = `guard "${oldest.label}" open for ${Math.round(oldest.ageMs)} ms in "${domain.name}"`;
  return readers === 1 ? [guard] : [guard, `${readers - 1} more readers open in "${domain.name}"`];
}

async function closeHostDomains(teardown: Teardown, { rcu, srcu, timers }: HostParts): Promise<void> {
  await closeDomain(teardown, srcu);
  for (let round = 0; round < BARRIERS && rcu.stats().callbacksWaiting > 0; round++) {
    await teardown.step(`the last barrier of "${rcu.name}"`, () => rcu.barrier(), always);
  }
  const { callbacksWaiting } = rcu.stats();
  if (callbacksWaiting > 0) {
    teardown.leaks.push(`${callbacksWaiting} callbacks waiting in "${rcu.name}"`);
  }
  if (srcu.stats().readers > 0) {
    // The watch over readers that have just been reported.
    timers.cancelOf('the host');
  }
}
