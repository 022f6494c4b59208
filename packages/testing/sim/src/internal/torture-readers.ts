import type { SeededRng } from '@core/base';

import { ALL_HOPS, type Hop } from '../event-loop.js';
import type { ReaderProtocol } from '../reader-protocol.js';
import type { PipeObject } from './pipe.js';
import type { TortureContext } from './torture-context.js';

/** Where sections begin: from every source, and in company of a writer. */
const ORIGINS: readonly (Hop | 'company')[] = [...ALL_HOPS, 'company', 'company'];
const NESTING_CHANCE = 1 / 8;

/** Reads sections until the run has had enough of them. */
export async function readUntilEnough(context: TortureContext, rng: SeededRng): Promise<void> {
  while (!context.enough) {
    context.readsBegun++;
    await awaitOrigin(context, rng);
    await readOnce(context, context.settings.reader, rng);
  }
}

/** Resolves in a context in which a section may begin. */
export function awaitOrigin(actors: Pick<TortureContext, 'company' | 'hop'>, rng: SeededRng): Promise<void> {
  const origin = rng.pick(ORIGINS);
  return origin === 'company' ? actors.company.join() : actors.hop(origin);
}

async function readOnce<Token>(context: TortureContext, reader: ReaderProtocol<Token>, rng: SeededRng): Promise<void> {
  const { flavor, pipe } = context;
  const token = reader.enter();
  const { gracePeriods } = flavor.stats();
  const object = pipe.current;
  const { generation } = object;
  const nested = rng.next() < NESTING_CHANCE ? { token: reader.enter() } : null;
  for (let hops = rng.below(context.settings.maxHops + 1); hops > 0; hops--) {
    await context.hop(rng.pick(reader.hops));
    checkHeld(context, object, generation);
  }
  // Sections of one reader need not end in the order of a stack.
  if (nested !== null) {
    reader.leave(nested.token);
  }
  count(context.readerAges, object.generation === generation ? object.age : pipe.length);
  const batch = flavor.stats().gracePeriods - gracePeriods;
  count(context.readerBatches, batch);
  context.log.addUnless(
    batch <= 1,
    'reader-batch',
    () => `${batch} grace periods ended while a reader stayed in one section`,
  );
  context.reads++;
  reader.leave(token);
}

function checkHeld({ log }: TortureContext, object: PipeObject, generation: number): void {
  log.addUnless(
    object.generation === generation && !object.poisoned,
    'reader-reuse',
    () => `a reader holds object ${object.id}, which was freed under it`,
  );
  log.addUnless(
    object.age <= 1 || object.generation !== generation,
    'reader-age',
    () => `a reader holds object ${object.id} of age ${object.age}: a grace period has ended since it was removed`,
  );
}

function count(histogram: number[], value: number): void {
  while (histogram.length <= value) {
    histogram.push(0);
  }
  histogram[value] = (histogram[value] as number) + 1;
}
