import { checkCount } from './internal/check-count.js';
import { type Choice, type Failure, Run } from './internal/explorer-run.js';
import type { ExploreFailure, ExploreOptions } from './explore-options.js';
import { SimError } from './sim-error.js';

export interface ExploreResult {
  readonly ok: boolean;
  /** Schedules that ran. */
  readonly schedules: number;
  /** Steps of all of them. */
  readonly steps: number;
  /** Whether every schedule within `preemptions` has run; false when one failed or `maxSchedules` was reached. */
  readonly complete: boolean;
  readonly failure: ExploreFailure | null;
}

/**
 * Runs a model under every schedule that switches threads at most `preemptions` times without need, depth first, until
 * one fails. The order is fixed: the same model gives the same result.
 *
 * Most bugs of concurrent code need two or three preemptions. The cost grows with the number of steps to the power of
 * `preemptions`, times the schedules' length, since a schedule is run anew from the start.
 *
 * @throws {RangeError} when a bound is not a positive integer, there are no threads, or a daemon is none of them
 * @see Musuvathi and Qadeer, Iterative context bounding for systematic testing of multithreaded programs, PLDI 2007
 */
export function explore<Registers>(options: ExploreOptions<Registers>): ExploreResult {
  const preemptions = options.preemptions ?? 3;
  if (preemptions !== Infinity) {
    checkCount('preemptions', preemptions, 0);
  }
  checkCount('number of threads', Object.keys(options.threads).length);
  checkCount('maxSteps', options.maxSteps ?? 1);
  for (const name of options.daemons ?? []) {
    if (!Object.hasOwn(options.threads, name)) {
      throw new RangeError(`Cannot explore the model: daemon "${name}" is not one of its threads`);
    }
  }
  const maxSchedules = checkCount('maxSchedules', options.maxSchedules ?? 1_000_000);
  const path: Choice[] = [];
  let schedules = 0;
  let steps = 0;
  do {
    if (schedules === maxSchedules) {
      return { ok: true, schedules, steps, complete: false, failure: null };
    }
    const run = new Run(options);
    const failure = runAlong(run, path, preemptions);
    schedules++;
    steps += run.schedule.length;
    if (failure !== null) {
      // A second time, with a trace: the first has no time for strings.
      return { ok: false, schedules, steps, complete: false, failure: replay(options, run.schedule) };
    }
  } while (nextPath(path));
  return { ok: true, schedules, steps, complete: true, failure: null };
}

/**
 * Runs one schedule and returns its failure with a trace, or null when it does not fail.
 *
 * @throws {SimError} ERR_SIM_SCHEDULE_MISMATCH when the model has no such schedule
 */
export function replay<Registers>(
  options: ExploreOptions<Registers>,
  schedule: readonly string[],
): ExploreFailure | null {
  const run = new Run(options);
  const show = options.show ?? ((registers: Registers): string => JSON.stringify(registers));
  const lines: string[] = [];
  let failure: Failure | null = null;
  for (const name of schedule) {
    const index = run.threads.findIndex((candidate) => candidate.name === name);
    const thread = run.threads[index];
    if (failure !== null || thread?.enabled !== true) {
      throw new SimError(
        'ERR_SIM_SCHEDULE_MISMATCH',
        `Cannot replay the schedule: "${name}" has no step ${lines.length + 1} in this model; explore it again`,
      );
    }
    const { label } = thread;
    failure = run.step(index);
    lines.push(
      `${String(lines.length + 1).padStart(4)}  ${name.padEnd(run.nameWidth)}  ${label}  ${show(run.registers)}`,
    );
  }
  failure ??= run.enabled().length === 0 ? run.end() : null;
  if (failure === null) {
    return null;
  }
  lines.push(`      ${failure.reason}: ${failure.message}`);
  return { ...failure, schedule: [...run.schedule], trace: lines.join('\n') };
}

/** Follows the choices of `path`, then always the first, which it adds to `path`. */
function runAlong<Registers>(run: Run<Registers>, path: Choice[], preemptions: number): Failure | null {
  let depth = 0;
  let spent = 0;
  for (let last = -1; ; depth++) {
    const enabled = run.enabled();
    if (enabled.length === 0) {
      return run.end();
    }
    const goesOn = enabled.includes(last);
    if (depth === path.length) {
      path.push({ options: optionsOf(enabled, last, goesOn, spent < preemptions), at: 0 });
    }
    // The path reaches this deep by now, and `at` never leaves the options.
    const choice = path[depth] as Choice;
    const next = choice.options[choice.at] as number;
    spent += goesOn && next !== last ? 1 : 0;
    const failure = run.step(next);
    if (failure !== null) {
      path.length = depth + 1;
      return failure;
    }
    last = next;
  }
}

/** The threads that may go next. Going on comes first, so that the first schedules are the plainest. */
function optionsOf(enabled: readonly number[], last: number, goesOn: boolean, mayPreempt: boolean): readonly number[] {
  if (!goesOn) {
    return enabled;
  }
  return mayPreempt ? [last, ...enabled.filter((thread) => thread !== last)] : [last];
}

/** Turns `path` into the start of the next schedule; false when there is none. */
function nextPath(path: Choice[]): boolean {
  while (path.length > 0) {
    const choice = path[path.length - 1] as Choice;
    if (choice.at + 1 < choice.options.length) {
      choice.at++;
      return true;
    }
    path.pop();
  }
  return false;
}
