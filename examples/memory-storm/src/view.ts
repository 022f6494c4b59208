import type { createLogUpdate } from 'log-update';
import type { MemoryState } from './contender.js';
import { bar, count, LOADS, mb, percent, TITLES } from './format.js';
import type { Outcome } from './outcome.js';
import type { Job, Sample } from './protocol.js';

/** Where nothing can be rewritten, one line for each so much of the load. */
const PLAIN_STEP = 0.2;

export interface ViewOptions {
  /** Null: plain lines. */
  readonly live: ReturnType<typeof createLogUpdate> | null;
  readonly print: (line: string) => void;
}

/** Shows children while they run: a picture that changes on a terminal, else a line now and then. */
export class View {
  private readonly options: ViewOptions;
  private nextPlain = PLAIN_STEP;

  constructor(options: ViewOptions) {
    this.options = options;
  }

  update(job: Job, sample: Sample): void {
    const { live, print } = this.options;
    if (live !== null) {
      live(pictureOf(job, sample).join('\n'));
    } else if (sample.progress >= this.nextPlain && sample.progress < 1) {
      this.nextPlain = sample.progress + PLAIN_STEP;
      print(`  ${nameOf(job, sample)} ${numbersOf(job, sample)}`);
    }
  }

  /** Leaves one line of a child that has ended. */
  end(outcome: Outcome): void {
    const { live, print } = this.options;
    live?.clear();
    this.nextPlain = PLAIN_STEP;
    const { job, survived, exit, seconds, last } = outcome;
    const end = survived ? 'survived' : `died (${exit}) at ${percent(last?.progress ?? 0)} of the load`;
    print(`${survived ? '✔' : '✖'} ${LOADS[job.load]}, ${TITLES[job.contender]}: ${end}, ${seconds.toFixed(1)} s`);
  }
}

/** A child as lines of no more than 80 columns. */
export function pictureOf(job: Job, sample: Sample): string[] {
  return [nameOf(job, sample), `  ${numbersOf(job, sample)}`, ...memoryLines(sample.memory), ...cacheLines(sample)];
}

function nameOf(job: Job, { progress }: Sample): string {
  return `${`${LOADS[job.load]}, ${TITLES[job.contender]}`.padEnd(30)} ${bar(progress)}`;
}

function numbersOf(job: Job, { requests, hitRatio, rssBytes }: Sample): string {
  const hits = job.load === 'storm' ? `, ${percent(hitRatio)} hits` : '';
  return `${count(requests)} requests${hits}, RSS ${mb(rssBytes)}`;
}

function memoryLines(memory: MemoryState | null): string[] {
  if (memory === null) {
    return [];
  }
  const { budgets, direct, directBytes, directMs, background, backgroundBytes } = memory;
  return [
    ...budgets.map(
      ({ name, usedBytes, limitBytes, level }) =>
        `  ${name.padEnd(10)} ${bar(usedBytes / limitBytes)} ${mb(usedBytes)} of ${mb(limitBytes)}, ${level}`,
    ),
    `  reclaim    ${count(direct)} direct (${mb(directBytes)}, ${directMs.toFixed(0)} ms), ${count(background)} background (${mb(backgroundBytes)})`,
  ];
}

function cacheLines({ caches }: Sample): string[] {
  return caches.map(({ name, entries, bytes, evictions }) => {
    const size = bytes === null ? 'bytes unknown' : mb(bytes);
    return `  ${name.padEnd(10)} ${count(entries).padStart(9)} entries  ${size.padStart(13)}  ${count(evictions).padStart(9)} evicted`;
  });
}
