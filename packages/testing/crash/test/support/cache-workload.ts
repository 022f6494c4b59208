import { BtreeKeyCache } from '@cache/btree-key';
import { must, SeededRng } from '@core/base';
import type { Durability } from '@core/journal';

import { crashStates, type DiskCapture, type SimDisk } from '../../src/index.js';
import { DiskStore, type StoreLies } from './disk-store.js';
import { DIRECTORY, ManualTimers } from './workload.js';

/** How many keys there are, and how soon journal and store turn over. */
export interface Scale {
  readonly counters: number;
  readonly pairs: number;
  readonly versioned: number;
  readonly segmentBytes: number;
  readonly journalRecords: number;
  /** Steps from one flush of everything to the next, about. */
  readonly flushedAfter: number;
}

/** Segments go, and keys are flushed for the journal's sake, all the time. */
export const SMALL: Scale = {
  counters: 12,
  pairs: 4,
  versioned: 6,
  segmentBytes: 500,
  journalRecords: 25,
  flushedAfter: 8,
};
/** More dirty keys than one batch has, and more records than share a pin. */
export const LARGE: Scale = {
  counters: 200,
  pairs: 30,
  versioned: 40,
  segmentBytes: 2000,
  journalRecords: 300,
  flushedAfter: 200,
};

/** A key got this value, 0 for none, with this record of the journal. */
interface Change {
  readonly key: string;
  readonly value: number;
  readonly sequence: number;
}

/** What a power loss at one instant has to leave: what was there at first, with the first of the changes. */
export interface CacheInstant {
  readonly capture: DiskCapture;
  /** Everything up to here was acknowledged as on disk. */
  readonly acknowledged: number;
  /** How many changes had been made. */
  readonly made: number;
}

export interface CacheRun {
  readonly scale: Scale;
  readonly instants: readonly CacheInstant[];
  /** What was found when it was opened. */
  readonly first: ReadonlyMap<string, number>;
  /** In the order of the journal. */
  readonly changes: readonly Change[];
}

/** Breaks a cache that was just opened. */
export type Bust = (engine: any) => void;

export interface CacheWorkloadOptions {
  readonly seed: number;
  readonly steps: number;
  readonly durability?: Durability;
  readonly scale?: Scale;
  /** Share of the instants that are noted. Default: all. */
  readonly noted?: number;
  readonly lies?: StoreLies;
  readonly bust?: Bust;
}

/** Counts, puts, deletes and batches at the same time, over a journal and a store on one disk; notes instants. */
export async function runCacheWorkload(
  disk: SimDisk,
  { seed, steps, durability = 'every', scale = SMALL, noted = 1, lies = {}, bust }: CacheWorkloadOptions,
): Promise<CacheRun> {
  const rng = new SeededRng(seed);
  const noting = new SeededRng(seed + 1);
  const changes: Change[] = [];
  const instants: CacheInstant[] = [];
  let acknowledged = 0;
  const note = (): void => {
    instants.push({ capture: disk.capture(), acknowledged, made: changes.length });
  };
  const cache = await openCache(disk, { seed, durability, scale, lies });
  const { core, journal } = enginesOf(cache);
  const first = await valuesOf(cache, scale);
  acknowledged = journal.lastSequence;
  const { apply } = core;
  core.apply = (key: { key: string }, value: Uint8Array | undefined, sequence: number) => {
    apply.call(core, key, value, sequence);
    changes.push({ key: key.key, value: numberOf(value), sequence });
  };
  bust?.(enginesOf(cache));
  let before = '';
  disk.onCall = () => {
    const now = [disk.version, acknowledged, changes.length].join();
    if (now !== before && noting.next() < noted) {
      note();
    }
    before = now;
  };
  const change = async (value: number): Promise<void> => {
    const from = changes.length;
    const { key, done } = changed(cache, rng, scale, value);
    await done;
    // The first one since then: its own, or one that was before it at the key. None if there was nothing to delete.
    const sequence = changes.slice(from).find((one) => one.key === key)?.sequence ?? 0;
    acknowledged = durability === 'every' ? Math.max(acknowledged, sequence) : acknowledged;
  };
  for (let step = 0; step < steps; step++) {
    const running: Promise<void>[] = [];
    if (rng.below(scale.flushedAfter) === 0) {
      const last = journal.lastSequence;
      running.push(
        cache.flush().then(() => {
          acknowledged = Math.max(acknowledged, last);
        }),
      );
    }
    for (let count = 1 + rng.below(6); count > 0; count--) {
      running.push(change(changes.length + 1));
    }
    if (rng.below(6) === 0) {
      // What is clean is read from the store again: the first walk takes it for used.
      core.walker.evict();
      core.walker.evict();
    }
    await Promise.all(running);
    if (bust === undefined) {
      cache.checkInvariants();
    }
  }
  await cache.close();
  note();
  disk.onCall = null;
  return { scale, instants, first, changes };
}

/** One change, which is under way when this returns. @param value that the key has never had */
function changed(
  cache: BtreeKeyCache,
  rng: SeededRng,
  scale: Scale,
  value: number,
): { readonly key: string; readonly done: Promise<unknown> } {
  const which = rng.below(10);
  if (which < 5) {
    // A few are hot.
    const key = `c${rng.below(2) === 0 ? rng.below(3) : rng.below(scale.counters)}`;
    return { key, done: cache.update(key, plusOne) };
  }
  if (which < 8) {
    const keys = ['a', 'b'].map((half) => `p${rng.below(scale.pairs)}/${half}`);
    const key = keys[0] as string;
    return { key, done: cache.batch(keys.map((one) => ({ type: 'update', key: one, update: plusOne }))) };
  }
  const key = `v${rng.below(scale.versioned)}`;
  return { key, done: which < 9 ? cache.put(key, bytesOf(value)) : cache.del(key) };
}

/** The first fault in what a power loss leaves at any instant; else null. @param limit states for each instant */
export async function judgeRun(
  run: CacheRun,
  limit: number,
  rng: SeededRng,
): Promise<{ readonly fault: string | null; readonly states: number }> {
  let states = 0;
  for (const [index, instant] of run.instants.entries()) {
    for (const disk of crashStates(instant.capture, { limit, rng })) {
      states++;
      const fault = await judgeState(disk, run, instant);
      if (fault !== null) {
        return { fault: `at instant ${index} of ${run.instants.length}: ${fault}`, states };
      }
    }
  }
  return { fault: null, states };
}

/** What is wrong with what is left on `disk`, which is opened, and so replayed; null if nothing is. */
async function judgeState(disk: SimDisk, run: CacheRun, instant: CacheInstant): Promise<string | null> {
  try {
    const cache = await openCache(disk, { seed: 1, durability: 'every', scale: run.scale, lies: {} });
    const found = await valuesOf(cache, run.scale);
    const { store } = enginesOf(cache).flusher.options;
    for (const [key, value] of found) {
      if (numberOf(await store.get(Buffer.from(key))) !== value) {
        return `${key} is ${value} in the cache, and not so in the store`;
      }
    }
    cache.checkInvariants();
    await cache.close();
    return faultOf(found, run, instant);
  } catch (error) {
    return String(error);
  }
}

/** Null if what was found is what there was after one of the records, and nothing acknowledged came later. */
function faultOf(
  found: ReadonlyMap<string, number>,
  { first, changes }: CacheRun,
  { acknowledged, made }: CacheInstant,
): string | null {
  const state = new Map(first);
  const wrong = new Set([...state].filter(([key, value]) => found.get(key) !== value).map(([key]) => key));
  let most = '';
  for (let index = 0; index <= made; index++) {
    const next = changes[index];
    const sequence = changes[index - 1]?.sequence ?? 0;
    const whole = index === made || next?.sequence !== sequence;
    const enough = index === made || (next as Change).sequence > acknowledged;
    if (whole && enough) {
      if (wrong.size === 0) {
        return null;
      }
      most ||= [...wrong].map((key) => `${key} is ${found.get(key)} and was ${state.get(key)}`).join(', ');
    }
    if (index < made) {
      const { key, value } = next as Change;
      state.set(key, value);
      if (found.get(key) === value) {
        wrong.delete(key);
      } else {
        wrong.add(key);
      }
    }
  }
  return `it is of no moment after record ${acknowledged}, which was acknowledged; then ${most}`;
}

interface OpenOptions {
  readonly seed: number;
  readonly durability: Durability;
  readonly scale: Scale;
  readonly lies: StoreLies;
}

function openCache(disk: SimDisk, { seed, durability, scale, lies }: OpenOptions): Promise<BtreeKeyCache> {
  const scheduler = new ManualTimers();
  const rng = new SeededRng(seed);
  const { segmentBytes, journalRecords } = scale;
  return BtreeKeyCache.open({
    store: () => DiskStore.open(disk, lies),
    journal: { directory: DIRECTORY, files: disk, segmentBytes, durability, scheduler, rng },
    maxJournalRecords: journalRecords,
    scheduler,
    rng,
  });
}

async function valuesOf(cache: BtreeKeyCache, { counters, pairs, versioned }: Scale): Promise<Map<string, number>> {
  const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  const values = new Map<string, number>();
  const halves = names(pairs, 'p').flatMap((pair) => [`${pair}/a`, `${pair}/b`]);
  for (const key of [...names(counters, 'c'), ...halves, ...names(versioned, 'v')]) {
    values.set(key, numberOf(await cache.get(key)));
  }
  return values;
}

function enginesOf(cache: BtreeKeyCache): any {
  return must((cache as unknown as { engine?: unknown }).engine, 'a cache has an engine');
}

function plusOne(value: Uint8Array | undefined): Uint8Array {
  return bytesOf(numberOf(value) + 1);
}

/** Not all of one length. */
function bytesOf(value: number): Uint8Array {
  return Buffer.from(String(value).padStart(1 + ((value * 7) % 23), '0'));
}

function numberOf(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : Number(Buffer.from(value).toString());
}
