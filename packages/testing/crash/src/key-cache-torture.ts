import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { BtreeKeyCache } from '@cache/btree-key';
import { SeededRng } from '@core/base';
import type { Durability } from '@core/journal';

import { type Death, decode, type KeyCacheChildSettings, openKeyCache } from './internal/key-cache-child-settings.js';
import { type Heard, killed, remove } from './internal/killed.js';

/** A child is killed at the latest so many milliseconds after its first line. */
const MOST_MS = 400;
/** Batches of the store at which a child may kill itself: where something is left to replay, the first are for that. */
const REPLAY_BATCHES = 2;
const MOST_BATCHES = 25;
/** After so many runs, another directory. */
const RUNS_A_DIRECTORY = 10;

export interface KeyCacheTortureOptions {
  /** How many children are killed. */
  readonly runs: number;
  /** What they do, and where they are killed if they do it themselves. */
  readonly seed: number;
  /** Takes the lines of the report. */
  readonly write: (text: string) => void;
  /** Makes the children say "acknowledged" of what is not: a torture that finds nothing then is none. */
  readonly busted?: boolean;
  /** The child's program. Default: the built one beside this file. */
  readonly child?: string;
}

export interface KeyCacheTortureReport {
  readonly runs: number;
  /** Updates of which a child said that they are acknowledged. */
  readonly acknowledged: number;
  /** Keys that were read after the kills, and compared. */
  readonly checked: number;
  /** Kills while the cache was being opened, which is when it replays. */
  readonly killedOpening: number;
  /** Children that were to kill themselves at a batch of their store, which a flush or a replay begins. */
  readonly killedInBatch: number;
  /** Records that were replayed by the inspections. */
  readonly replayed: number;
  readonly faults: readonly string[];
}

/** What a key may be: a count between two bounds, or for a key with versions, one of the values that were asked for. */
class Promised {
  private readonly least = new Map<string, number>();
  private readonly most = new Map<string, number>();
  private readonly allowed = new Map<string, number[]>();

  ask(key: string, version: number | null): void {
    if (version === null) {
      this.most.set(key, (this.most.get(key) ?? 0) + 1);
    } else {
      this.allowed.set(key, [...(this.allowed.get(key) ?? [0]), version]);
    }
  }

  acknowledge(key: string, version: number | null): void {
    if (version === null) {
      this.least.set(key, (this.least.get(key) ?? 0) + 1);
    } else {
      this.allowed.set(key, [version]);
    }
  }

  /** Whether a value is right. From then on the key is that. */
  judge(key: string, count: number): string | null {
    const allowed = this.allowed.get(key);
    const least = this.least.get(key) ?? 0;
    const most = this.most.get(key) ?? 0;
    if (allowed === undefined ? !(count >= least && count <= most) : !allowed.includes(count)) {
      return `${key} is ${count}, and should be ${allowed === undefined ? `${least} to ${most}` : allowed.join(' or ')}`;
    }
    if (allowed === undefined) {
      this.least.set(key, count);
      this.most.set(key, count);
    } else {
      this.allowed.set(key, [count]);
    }
    return null;
  }

  keys(): string[] {
    return [...this.most.keys(), ...this.allowed.keys()];
  }
}

interface Said extends Heard {
  opened: boolean;
  acknowledged: number;
}

/**
 * Kills processes that update keys through a cache over lmdb and a journal: at any moment, inside a flush, and inside
 * the replay of what the one before has left. Every update that was acknowledged must be there afterwards, of a batch
 * both keys or none, and of what was only asked for anything from none to all.
 */
export async function runKeyCacheTorture({
  runs,
  seed,
  write,
  busted = false,
  child = fileURLToPath(new URL('key-cache-child.js', import.meta.url)),
}: KeyCacheTortureOptions): Promise<KeyCacheTortureReport> {
  const rng = new SeededRng(seed);
  const report = { runs, acknowledged: 0, checked: 0, killedOpening: 0, killedInBatch: 0, replayed: 0 };
  const all: string[] = [];
  let directory = '';
  let promised = new Promised();
  let replays = false;
  try {
    for (let run = 0; run < runs; run++) {
      if (run % RUNS_A_DIRECTORY === 0) {
        await remove(directory);
        directory = await mkdtemp(join(tmpdir(), 'key-cache-torture-'));
        promised = new Promised();
        replays = false;
      }
      const settings = settingsOf(directory, rng, replays, busted);
      const said = await kill(child, settings, promised, rng);
      report.acknowledged += said.acknowledged;
      report.killedOpening += said.opened ? 0 : 1;
      report.killedInBatch += settings.dieAtBatch > 0 ? 1 : 0;
      const faults = said.wrong;
      // Else the next child replays what this one left, and may be killed while it does.
      replays = true;
      if (rng.next() < 0.5 || run === runs - 1 || (run + 1) % RUNS_A_DIRECTORY === 0) {
        const found = await inspect(settings, promised);
        replays = false;
        report.checked += found.checked;
        report.replayed += found.replayed;
        faults.push(...found.faults);
      }
      for (const fault of faults) {
        all.push(`run ${run} (${JSON.stringify(settings)}): ${fault}`);
        write(`${all.at(-1)}\n`);
      }
    }
  } finally {
    await remove(directory);
  }
  write(
    `key-cache: ${runs} kills, ${report.killedOpening} of them while opening, ${report.killedInBatch} set for a batch of ` +
      `the store; ${report.acknowledged} updates acknowledged, ${report.checked} keys read back, ${report.replayed} ` +
      `records replayed, seed ${seed}: ${all.length === 0 ? 'ok' : `${all.length} FAULTS`}\n`,
  );
  return { ...report, faults: all };
}

function settingsOf(directory: string, rng: SeededRng, replays: boolean, busted: boolean): KeyCacheChildSettings {
  const inBatch = !busted && rng.next() < 0.6;
  return {
    directory,
    // A kill takes nothing from the system: with each of them all that was committed is there.
    durability: rng.pick<Durability>(['every', 'interval', 'none']),
    // Some hold all keys, some evict all the time.
    maxBytes: rng.pick([65_536, 100_000, 10_000_000]),
    maxJournalRecords: rng.pick([200, 1000, 100_000]),
    segmentBytes: rng.pick([4096, 65_536]),
    seed: rng.below(2 ** 31),
    dieAtBatch: inBatch ? 1 + rng.below(replays ? REPLAY_BATCHES : MOST_BATCHES) : 0,
    death: rng.pick<Death>(['before', 'after']),
    busted,
  };
}

async function kill(child: string, settings: KeyCacheChildSettings, promised: Promised, rng: SeededRng): Promise<Said> {
  const said: Said = { opened: false, lines: 0, acknowledged: 0, wrong: [] };
  await killed(child, settings, said, {
    delayMs: rng.below(MOST_MS),
    mostLines: Infinity,
    hear: (line) => hear(said, promised, line),
  });
  return said;
}

function hear(said: Said, promised: Promised, line: string): void {
  said.lines++;
  const [word, name = '', version] = line.split(' ');
  const number = version === undefined ? null : Number(version);
  if (word === 'opened') {
    said.opened = true;
  } else if (word === 'ask' || word === 'ack') {
    for (const key of name.startsWith('p') ? [`${name}/a`, `${name}/b`] : [name]) {
      if (word === 'ask') {
        promised.ask(key, number);
      } else {
        promised.acknowledge(key, number);
      }
    }
    said.acknowledged += word === 'ack' ? 1 : 0;
  } else {
    said.wrong.push(`the child said: ${line}`);
  }
}

interface Found {
  readonly checked: number;
  readonly replayed: number;
  readonly faults: readonly string[];
}

/** Opens the cache as the next process would, and reads all that was ever written, by key and as a range. */
async function inspect(settings: KeyCacheChildSettings, promised: Promised): Promise<Found> {
  let cache: BtreeKeyCache;
  try {
    cache = await openKeyCache(settings);
  } catch (error) {
    return { checked: 0, replayed: 0, faults: [String(error)] };
  }
  const faults: string[] = [];
  const ranged = new Map<string, number>();
  for await (const [key, value] of cache.range()) {
    ranged.set(Buffer.from(key).toString('latin1'), decode(value));
  }
  const keys = promised.keys();
  for (const key of keys) {
    const count = decode(await cache.get(key));
    const fault = promised.judge(key, count);
    if (fault !== null) {
      faults.push(fault);
    }
    if (count !== (ranged.get(key) ?? 0)) {
      faults.push(`${key} is ${count}, and ${ranged.get(key)} in a range`);
    }
    const twin = key.replace('/a', '/b');
    if (twin !== key && (ranged.get(twin) ?? 0) !== count) {
      faults.push(`${key} is ${count}, and ${twin} is ${ranged.get(twin)}: half of a batch`);
    }
  }
  for (const key of ranged.keys()) {
    if (!keys.includes(key)) {
      faults.push(`${key} is there, and was never written`);
    }
  }
  const replayed = cache.stats().replayedRecords;
  try {
    cache.checkInvariants();
    await cache.close();
  } catch (error) {
    faults.push(String(error));
  }
  return { checked: keys.length, replayed, faults };
}
