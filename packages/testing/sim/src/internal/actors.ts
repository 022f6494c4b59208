import { SeededRng } from '@core/base';

import { type EventLoop, type Hop, hopOn } from '../event-loop.js';
import { Company } from './company.js';
import { FailureLog } from './failure-log.js';

/** What every torture can find, whatever it tortures. */
export type ActorCheck = 'hang' | 'threw';

export interface ActorSettings {
  readonly seed: number;
  readonly drainTurns: number;
}

/** Actors that were started together. */
export interface Crew {
  /** How many have not ended. */
  left: number;
}

/** What the actors of one run share: the loop that they live in, and the log of what they find. */
export abstract class Actors<Check extends string> {
  readonly loop: EventLoop;
  readonly log: FailureLog<Check | ActorCheck>;
  readonly company: Company;
  /** The run was given up: whoever still polls must end. */
  abandoned = false;
  readonly #seed: number;
  readonly #drainTurns: number;

  constructor(settings: ActorSettings, loop: EventLoop) {
    this.loop = loop;
    this.log = new FailureLog(() => this.operations);
    this.company = new Company(loop);
    this.#seed = settings.seed;
    this.#drainTurns = settings.drainTurns;
  }

  /** How many operations have been begun. */
  abstract get operations(): number;

  /** Each actor has a generator of its own, so that what it does depends on the seed only, not on the others. */
  rng(actor: number): SeededRng {
    return new SeededRng(Math.imul(this.#seed, 0x9e3779b1) ^ Math.imul(actor + 1, 0x85ebca6b));
  }

  hop(hop: Hop): Promise<void> {
    return hopOn(this.loop, hop);
  }

  /** Runs an actor; what it throws is a failure of what is tortured. */
  async run(name: string, body: () => Promise<unknown>): Promise<void> {
    try {
      await body();
    } catch (error) {
      this.log.add('threw', `${name}: ${String(error)}`);
    }
  }

  /** Starts `count` actors; `first` tells their generators from those of others. */
  start(name: string, count: number, first: number, body: (rng: SeededRng) => Promise<void>): Crew {
    const crew = { left: count };
    const leave = (): void => {
      crew.left--;
    };
    for (let actor = first; actor < first + count; actor++) {
      const rng = this.rng(actor);
      void this.run(`${name} ${actor - first}`, () => body(rng)).then(leave);
    }
    return crew;
  }

  /** Whether `body` ends within the turns that grace periods may take to end. */
  async endsInTime(body: () => Promise<unknown>, complaint: () => string): Promise<boolean> {
    const crew = this.start('drain', 1, 0, async () => {
      await body();
    });
    return this.isInTime(() => crew.left === 0, complaint);
  }

  /** Whether `done()` comes true within the turns that grace periods may take to end; gives the run up if not. */
  async isInTime(done: () => boolean, complaint: () => string): Promise<boolean> {
    return (await this.loop.pump(done, this.#drainTurns)) || this.giveUp(complaint());
  }

  giveUp(complaint: string): false {
    this.abandoned = true;
    this.log.add('hang', `${complaint}, after ${this.#drainTurns} turns`);
    return false;
  }
}
