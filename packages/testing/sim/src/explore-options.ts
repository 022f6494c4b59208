/** What a thread does next, and, with `when`, what it waits for before. */
export interface Step {
  readonly label: string;
  /** The thread is blocked until this is true. Reads registers, changes nothing. */
  readonly when?: () => boolean;
}

/**
 * One thread of a model. Before each access to the registers it yields what comes: everything between two yields is
 * atomic, and another thread may run at each. Nothing shared may be touched before the first yield.
 */
export type ThreadBody<Registers> = (registers: Registers) => Generator<Step | string, void, void>;

export interface ExploreOptions<Registers> {
  /** Makes the shared state anew, for each schedule. */
  readonly registers: () => Registers;
  readonly threads: Readonly<Record<string, ThreadBody<Registers>>>;
  /** Threads that may wait for ever, such as a grace-period machine. */
  readonly daemons?: readonly string[];
  /** Asked after each step: what is wrong, or nothing. */
  readonly invariant?: (registers: Registers) => string | undefined;
  /** Asked when all threads have ended: what is wrong, or nothing. */
  readonly final?: (registers: Registers) => string | undefined;
  /** How often a schedule may switch away from a thread that could go on. Default 3. `Infinity` explores all. */
  readonly preemptions?: number;
  /** A schedule with more steps than this has failed: it would never end. Default 1,000. */
  readonly maxSteps?: number;
  /** Gives up after so many schedules, and says so in `complete`. Default 1,000,000. */
  readonly maxSchedules?: number;
  /** Shows the registers in a trace. Default: JSON. */
  readonly show?: (registers: Registers) => string;
}

export interface ExploreFailure {
  readonly reason: 'invariant' | 'final' | 'deadlock' | 'threw' | 'steps';
  readonly message: string;
  /** The thread that took each step: give it to `replay`. */
  readonly schedule: readonly string[];
  /** The steps with the registers after each, for people. */
  readonly trace: string;
}
