import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import {
  openLmdb,
  openSqlite,
  type OrderedStore,
  StoreError,
  storeOfLevel,
  type StoreOperation,
} from '../../src/index.js';
import { keyOfSlot, SLOTS, slotsOf, valueOf } from './rounds.js';

/** So many rounds ahead of the store the broken child says that it has stored. */
const LIES_AHEAD = 10_000;
const LANES = 3;

const [task, kind, directory = ''] = process.argv.slice(2);

// Nobody may be left to be surprised: a promise that a library forgot would end a real service.
process.on('unhandledRejection', (error) => {
  say({ unhandled: String(error) });
});
// Sent where a file may not grow; without a listener it ends the process.
process.on('SIGXFSZ', () => {});

function say(fact: object): void {
  writeSync(1, `${JSON.stringify(fact)}\n`);
}

function open(): OrderedStore | Promise<OrderedStore> {
  switch (kind) {
    case 'lmdb':
      return openLmdb({ path: join(directory, 'lmdb') });
    case 'sqlite':
      return openSqlite({ path: join(directory, 'store.db') });
    default:
      return storeOfLevel(new ClassicLevel(join(directory, 'level')));
  }
}

/** Stores rounds without end, each with its number as the mark, and says of each that it is stored. */
async function write(liesAhead: number): Promise<void> {
  const store = await open();
  let round = await store.mark();
  say({ ready: round });
  const lane = async (): Promise<void> => {
    for (;;) {
      const mine = ++round;
      const operations = slotsOf(mine).map((slot): StoreOperation => {
        const value = valueOf(mine, slot);
        return value === null ? { type: 'del', key: keyOfSlot(slot) } : { type: 'put', key: keyOfSlot(slot), value };
      });
      if (liesAhead > 0) {
        say({ stored: mine + liesAhead });
      }
      await store.batch(operations, { durable: true, mark: mine });
      if (liesAhead === 0) {
        say({ stored: mine });
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Stores until there is no room, makes room, and goes on. */
async function fill(): Promise<void> {
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, new Uint8Array(8 * 2 ** 20));
  const store = await open();
  let round = 0;
  for (;;) {
    round++;
    const mine = round;
    const value = new Uint8Array(50_000).fill(mine);
    const batch = (): Promise<void> =>
      store.batch(
        Array.from({ length: SLOTS }, (_, slot) => ({ type: 'put', key: keyOfSlot(slot * 1000 + mine), value })),
        { durable: true, mark: mine },
      );
    try {
      await batch();
    } catch (error) {
      say({ failed: mine, code: StoreError.is(error) ? error.code : String(error), mark: await store.mark() });
      const entry = await store.range({ reverse: true }).next();
      say({ readable: entry.done !== true, torn: (await store.get(keyOfSlot(mine))) !== undefined });
      rmSync(ballast, { force: true });
      if (task === 'fill') {
        await batch();
        say({ again: await store.mark() });
      }
      break;
    }
  }
  await store.close();
  const opened = await open();
  say({ reopened: await opened.mark() });
  await opened.close();
}

if (task === 'write' || task === 'lie') {
  await write(task === 'lie' ? LIES_AHEAD : 0);
} else {
  await fill();
}
