import type { ExploreFailure, ExploreOptions, Step } from '../explore-options.js';

/** A point of a schedule where several threads could go on. */
export interface Choice {
  readonly options: readonly number[];
  at: number;
}

/** What a schedule broke. */
export type Failure = Pick<ExploreFailure, 'reason' | 'message'>;

class Thread {
  readonly name: string;
  readonly daemon: boolean;
  readonly #body: Generator<Step | string, void, void>;
  #next: IteratorResult<Step | string, void>;

  constructor(name: string, daemon: boolean, body: Generator<Step | string, void, void>) {
    this.name = name;
    this.daemon = daemon;
    this.#body = body;
    this.#next = body.next();
  }

  get done(): boolean {
    return this.#next.done === true;
  }

  get label(): string {
    const step = this.#next.value;
    return typeof step === 'string' ? step : (step?.label ?? 'done');
  }

  get enabled(): boolean {
    if (this.#next.done === true) {
      return false;
    }
    const step = this.#next.value;
    return typeof step === 'string' || step.when === undefined || step.when();
  }

  step(): void {
    this.#next = this.#body.next();
  }
}

/** One schedule of a model, as far as it has run. */
export class Run<Registers> {
  readonly registers: Registers;
  readonly threads: readonly Thread[];
  readonly nameWidth: number;
  readonly schedule: string[] = [];
  readonly #options: ExploreOptions<Registers>;
  readonly #maxSteps: number;

  constructor(options: ExploreOptions<Registers>) {
    this.#options = options;
    this.#maxSteps = options.maxSteps ?? 1_000;
    this.registers = options.registers();
    this.threads = Object.entries(options.threads).map(
      ([name, body]) => new Thread(name, options.daemons?.includes(name) === true, body(this.registers)),
    );
    this.nameWidth = Math.max(...this.threads.map((thread) => thread.name.length));
  }

  /** The threads that could take a step, in the order of the model. */
  enabled(): number[] {
    const enabled: number[] = [];
    for (let thread = 0; thread < this.threads.length; thread++) {
      if ((this.threads[thread] as Thread).enabled) {
        enabled.push(thread);
      }
    }
    return enabled;
  }

  /** Takes a step of an enabled thread; returns what it broke. */
  step(index: number): Failure | null {
    const thread = this.threads[index] as Thread;
    this.schedule.push(thread.name);
    try {
      thread.step();
    } catch (error) {
      return { reason: 'threw', message: error instanceof Error ? error.message : String(error) };
    }
    const broken = this.#options.invariant?.(this.registers);
    if (broken !== undefined) {
      return { reason: 'invariant', message: broken };
    }
    if (this.schedule.length >= this.#maxSteps && this.enabled().length > 0) {
      return { reason: 'steps', message: `the schedule has not ended after ${this.#maxSteps} steps` };
    }
    return null;
  }

  /** With no thread enabled: whether that is how it should end. */
  end(): Failure | null {
    const blocked = this.threads.filter((thread) => !thread.done && !thread.daemon);
    if (blocked.length > 0) {
      const waits = blocked.map((thread) => `${thread.name} waits for "${thread.label}"`);
      return { reason: 'deadlock', message: waits.join(', ') };
    }
    const broken = this.#options.final?.(this.registers);
    return broken === undefined ? null : { reason: 'final', message: broken };
  }
}
