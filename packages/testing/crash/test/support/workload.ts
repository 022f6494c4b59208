import { type Scheduled, type Scheduler, SeededRng, systemScheduler } from '@core/base';
import { type Durability, Journal, type JournalFiles } from '@core/journal';

import { crashStates, type CrashStatesOptions, type DiskCapture, type SimDisk } from '../../src/index.js';

export const DIRECTORY = '/journal';
export const SEGMENT_BYTES = 700;

/** What a power loss at one instant has to leave. */
export interface Instant {
  readonly capture: DiskCapture;
  /** Everything up to here was acknowledged as on disk. */
  readonly acknowledged: number;
  /** Everything from here on is pinned. */
  readonly pinned: number;
  /** What was appended so far, the payload of sequence 1 first. */
  readonly appended: number;
}

/** Turns as they are; time passes when the test says so. */
export class ManualTimers implements Scheduler {
  private readonly timers = new Set<() => void>();

  nextTurn(callback: () => void, keepAlive: boolean): void {
    systemScheduler.nextTurn(callback, keepAlive);
  }

  after(_delayMs: number, callback: () => void): Scheduled {
    this.timers.add(callback);
    return { cancel: () => this.timers.delete(callback) };
  }

  fire(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const callback of due) {
      callback();
    }
  }
}

/** Differs for each sequence and each life, in length and in every byte. */
export function payloadOf(sequence: number, life: number): Buffer {
  const payload = Buffer.alloc((sequence * 7 + life) % 61);
  for (let index = 0; index < payload.length; index++) {
    payload[index] = (sequence * 31 + life * 101 + index * 7) & 0xff;
  }
  return payload;
}

export interface WorkloadOptions {
  readonly durability: Durability;
  readonly seed: number;
  readonly steps: number;
  readonly life?: number;
  /** The instant at which an earlier life ended, and what was appended until then. */
  readonly after?: Instant;
  readonly payloads?: ReadonlyMap<number, Buffer>;
  /** The journal's files; the disk itself if it is not given. */
  readonly files?: (disk: SimDisk) => JournalFiles;
}

export interface WorkloadResult {
  readonly instants: Instant[];
  /** By sequence: what was appended. */
  readonly payloads: Map<number, Buffer>;
}

/** Appends in groups, pins behind, syncs, closes and opens again; notes before each call what must not be lost. */
export async function runWorkload(
  disk: SimDisk,
  { durability, seed, steps, life = 1, after, payloads: earlier, files = (one) => one }: WorkloadOptions,
): Promise<WorkloadResult> {
  const rng = new SeededRng(seed);
  const scheduler = new ManualTimers();
  const options = {
    directory: DIRECTORY,
    durability,
    segmentBytes: SEGMENT_BYTES,
    files: files(disk),
    scheduler,
    rng: new SeededRng(seed + life * 1000),
  };
  const instants: Instant[] = [];
  const payloads = new Map(earlier);
  let { acknowledged, appended, pinned } = after ?? { acknowledged: 0, appended: 0, pinned: 1 };
  let before = '';
  disk.onCall = () => {
    const now = [disk.version, acknowledged, pinned, appended].join();
    if (now !== before) {
      instants.push({ capture: disk.capture(), acknowledged, pinned, appended });
      before = now;
    }
  };
  let journal = await Journal.open(options);
  await readAll(journal);
  // What was found when it was opened is on disk from then on.
  acknowledged = journal.lastSequence;
  appended = journal.lastSequence;
  pinned = journal.firstSequence;
  let pin = journal.createPin();
  journal.pin(pin, pinned);
  for (let step = 0; step < steps; step++) {
    const count = 1 + rng.below(4);
    let last = 0;
    for (let index = 0; index < count; index++) {
      const payload = payloadOf(journal.lastSequence + 1, life);
      last = journal.append(payload);
      payloads.set(last, payload);
      appended = last;
    }
    if (rng.next() < 0.8) {
      await journal.committed(last);
      acknowledged = durability === 'every' ? last : acknowledged;
    }
    if (rng.next() < 0.2) {
      scheduler.fire();
    }
    if (rng.next() < 0.15) {
      await journal.sync();
      acknowledged = last;
    }
    if (rng.next() < 0.3) {
      pinned = Math.max(pin.sequence, journal.lastSequence - rng.below(20));
      journal.pin(pin, pinned);
    }
    journal.checkInvariants();
    if (rng.next() < 0.06) {
      await journal.close();
      acknowledged = durability === 'none' ? acknowledged : last;
      journal = await Journal.open(options);
      acknowledged = journal.lastSequence;
      await readAll(journal);
      pin = journal.createPin();
      journal.pin(pin, Math.max(pinned, journal.firstSequence));
    }
  }
  await journal.close();
  acknowledged = durability === 'none' ? acknowledged : appended;
  instants.push({ capture: disk.capture(), acknowledged, pinned, appended });
  disk.onCall = null;
  return { instants, payloads };
}

/** The first fault that {@link judge} finds in what a power loss leaves at any instant, with where it was; else null. */
export async function judgeAll(
  { instants, payloads }: WorkloadResult,
  { limit, rng }: CrashStatesOptions,
): Promise<{ readonly fault: string | null; readonly states: number }> {
  let states = 0;
  for (const [index, instant] of instants.entries()) {
    for (const disk of crashStates(instant.capture, { limit, rng })) {
      // The second half of a judgement costs as much as the first, and depends less on where the power went.
      const fault = await judge(disk, instant, payloads, states++ % 8 === 0);
      if (fault !== null) {
        return { fault: `at instant ${index} of ${instants.length}: ${fault}`, states };
      }
    }
  }
  return { fault: null, states };
}

/** By sequence, in order. */
export async function readAll(journal: Journal): Promise<Map<number, Buffer>> {
  const found = new Map<number, Buffer>();
  for await (const { sequence, payload } of journal.replay()) {
    found.set(sequence, Buffer.from(payload));
  }
  return found;
}

/**
 * What is wrong with what a power loss at `instant` left on `disk`; null if nothing is.
 *
 * @param goOn whether to append to what is left, and to open it once more
 */
export async function judge(
  disk: SimDisk,
  instant: Instant,
  payloads: ReadonlyMap<number, Buffer>,
  goOn: boolean,
): Promise<string | null> {
  const options = { directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: disk };
  try {
    const journal = await Journal.open(options);
    journal.checkInvariants();
    const fault = faultOf(await readAll(journal), instant, payloads, journal.lastSequence);
    if (fault !== null || !goOn) {
      return fault;
    }
    const next = journal.append(payloadOf(0, 99));
    await journal.committed(next);
    await journal.close();
    const again = await Journal.open(options);
    const records = await readAll(again);
    await again.close();
    const added = records.get(next);
    return added?.equals(payloadOf(0, 99)) === true && again.lastSequence === next
      ? null
      : `record ${next}, appended after the power loss, is not there`;
  } catch (error) {
    return String(error);
  }
}

function faultOf(
  records: ReadonlyMap<number, Buffer>,
  { acknowledged, pinned, appended }: Instant,
  payloads: ReadonlyMap<number, Buffer>,
  last: number,
): string | null {
  const sequences = [...records.keys()];
  const first = sequences[0] ?? 0;
  if (last < acknowledged) {
    return `${acknowledged} was acknowledged, and ${last} is the last one there`;
  }
  if (last > appended) {
    return `${last} is there, and ${appended} was the last to be appended`;
  }
  if (acknowledged >= pinned && (first === 0 || first > pinned)) {
    return `${pinned} was pinned, and ${first} is the first one there`;
  }
  for (const [index, [sequence, payload]] of [...records].entries()) {
    if (sequence !== first + index) {
      return `${sequence} is there after ${first + index - 1}`;
    }
    if (!(payloads.get(sequence)?.equals(payload) ?? false)) {
      return `${sequence} is not what was appended`;
    }
  }
  return sequences.length > 0 && sequences.at(-1) !== last ? `the records end before ${last}` : null;
}
