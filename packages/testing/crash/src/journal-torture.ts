import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SeededRng } from '@core/base';
import { type Durability, Journal } from '@core/journal';

import { type ChildSettings, payloadOf } from './internal/journal-child-settings.js';
import { type Heard, killed, remove } from './internal/killed.js';

/** A child that does not kill itself is killed after so many lines at most, and milliseconds after the first of them. */
const MOST_LINES = 3_000;
const MOST_MS = 300;
/** About so many calls are made for opening a journal, more of them when it has many segments; the rest is work. */
const OPENING_CALLS = 60;
const MOST_CALLS = 1_200;
/** After so many runs, another directory: else all journals would be old ones. */
const RUNS_A_DIRECTORY = 10;

export interface JournalTortureOptions {
  /** How many children are killed. */
  readonly runs: number;
  /** What they do, and where they are killed if they do it themselves. */
  readonly seed: number;
  /** Takes the lines of the report. */
  readonly write: (text: string) => void;
  /** Makes the children say "committed" of what they have only appended: a torture that finds nothing then is none. */
  readonly busted?: boolean;
  /** The child's program. Default: the built one beside this file. */
  readonly child?: string;
}

export interface JournalTortureReport {
  readonly runs: number;
  /** Records of which a child said that they are committed. */
  readonly acknowledged: number;
  /** Records that were read after the kills, and compared. */
  readonly checked: number;
  /** Kills while the journal was being opened or read. */
  readonly killedOpening: number;
  /** Opens that found a torn tail. */
  readonly torn: number;
  /** Inspections that found old segments gone since the last one. */
  readonly dropped: number;
  readonly faults: readonly string[];
}

/** What the children may be held to. */
interface Said extends Heard {
  opened: boolean;
  acked: number;
  pinned: number;
}

/**
 * Kills processes that work with a journal, and looks at what they leave: everything that a child said was committed is
 * there, in order and without a gap, from what it had pinned on. Then another child goes on with the same directory.
 */
export async function runJournalTorture({
  runs,
  seed,
  write,
  busted = false,
  child = fileURLToPath(new URL('journal-child.js', import.meta.url)),
}: JournalTortureOptions): Promise<JournalTortureReport> {
  const rng = new SeededRng(seed);
  const report = { runs, acknowledged: 0, checked: 0, killedOpening: 0, torn: 0, dropped: 0 };
  const all: string[] = [];
  let directory = '';
  let acked = 0;
  let pinned = 1;
  let first = 1;
  try {
    for (let run = 0; run < runs; run++) {
      if (run % RUNS_A_DIRECTORY === 0) {
        await remove(directory);
        directory = await mkdtemp(join(tmpdir(), 'journal-torture-'));
        acked = 0;
        pinned = 1;
        first = 1;
      }
      const settings: ChildSettings = {
        directory,
        // A kill takes nothing from the system: with each of them all that was committed is there.
        durability: rng.pick<Durability>(['every', 'interval', 'none']),
        segmentBytes: rng.pick([512, 4_096, 16_384]),
        seed: rng.below(2 ** 31),
        busted,
        dieAtCall: rng.next() < 0.5 ? 1 + rng.below(rng.next() < 0.5 ? OPENING_CALLS : MOST_CALLS) : 0,
      };
      const said = await kill(child, settings, { opened: false, acked, pinned, lines: 0, wrong: [] }, rng);
      report.killedOpening += said.opened ? 0 : 1;
      report.acknowledged += said.acked - acked;
      ({ acked, pinned } = said);
      const faults = said.wrong;
      // Else the next child finds what this one left, and may be killed while it puts it right.
      if (rng.next() < 0.5 || run === runs - 1 || (run + 1) % RUNS_A_DIRECTORY === 0) {
        const found = await inspect(directory, acked, pinned, rng.pick<Durability>(['every', 'none']));
        report.checked += found.checked;
        report.torn += found.torn ? 1 : 0;
        report.dropped += found.first > first ? 1 : 0;
        first = Math.max(first, found.first);
        // From here on these are there, and stay.
        acked = found.last;
        pinned = Math.max(pinned, found.first);
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
    `journal: ${runs} kills, ${report.killedOpening} of them while opening; ${report.acknowledged} records acknowledged, ` +
      `${report.checked} read back, ${report.torn} torn tails cut, seed ${seed}: ${all.length === 0 ? 'ok' : `${all.length} FAULTS`}\n`,
  );
  return { ...report, faults: all };
}

async function kill(child: string, settings: ChildSettings, said: Said, rng: SeededRng): Promise<Said> {
  const killsItself = settings.dieAtCall > 0;
  const mostLines = killsItself ? Infinity : 1 + rng.below(MOST_LINES);
  const delayMs = rng.below(MOST_MS);
  await killed(child, settings, said, {
    delayMs: killsItself ? Infinity : delayMs,
    mostLines,
    hear: (line) => hear(said, line),
  });
  return said;
}

function hear(said: Said, line: string): void {
  const [word, value] = line.split(' ');
  said.lines++;
  if (word === 'acked') {
    said.acked = Math.max(said.acked, Number(value));
  } else if (word === 'pinned') {
    said.pinned = Math.max(said.pinned, Number(value));
  } else if (word === 'opened') {
    said.opened = true;
    if (Number(value) < said.acked) {
      said.wrong.push(`${said.acked} was acknowledged, and a child found ${value} to be the last`);
    }
  } else {
    said.wrong.push(`the child read: ${line}`);
  }
}

interface Found {
  readonly last: number;
  readonly first: number;
  readonly checked: number;
  readonly torn: boolean;
  readonly faults: readonly string[];
}

/** Opens the journal as the next process would, and reads it; with `none` it is not marked as closed. */
async function inspect(directory: string, acked: number, pinned: number, durability: Durability): Promise<Found> {
  const faults: string[] = [];
  let first = pinned;
  let last = acked;
  let checked = 0;
  let torn = false;
  try {
    const journal = await Journal.open({ directory, durability });
    ({ firstSequence: first, lastSequence: last } = journal);
    torn = journal.stats().cutBytes > 0;
    for await (const { sequence, payload } of journal.replay()) {
      if (sequence !== first + checked || !payloadOf(sequence).equals(payload)) {
        faults.push(`${sequence} is not what was appended, or not in its place`);
      }
      checked++;
    }
    await journal.close();
    if (first + checked !== last + 1) {
      faults.push(`${checked} records from ${first} on, and ${last} should be the last`);
    }
  } catch (error) {
    faults.push(String(error));
  }
  if (last < acked) {
    faults.push(`${acked} was acknowledged, and ${last} is the last one there`);
  }
  if (last > 0 && first > pinned) {
    faults.push(`${pinned} was pinned, and ${first} is the first one there`);
  }
  return { last, first, checked, torn, faults };
}
