import { SeededRng } from '@core/base';
import { Rcu } from '../../src/index.js';
import { GracePeriodModel, choose } from './grace-period-model.js';
import { TestLoop, microtasks } from './test-loop.js';

class Intended extends Error {}

/**
 * Random operations on a domain whose readers are turns: one that began in a macrotask is open until that ends.
 * Throws with the seed in the message.
 */
export async function fuzzRcu(seed: number, prepare: (rcu: Rcu, loop: TestLoop) => void = () => {}): Promise<void> {
  const fuzz = new RcuFuzz(seed, prepare);
  try {
    await fuzz.run(300);
  } catch (error) {
    throw new Error(`Seed ${seed}: ${String(error)}`, { cause: error });
  }
}

class RcuFuzz {
  private readonly rng: SeededRng;
  private readonly loop = new TestLoop();
  private readonly rcu: Rcu;
  private readonly model: GracePeriodModel;

  constructor(seed: number, prepare: (rcu: Rcu, loop: TestLoop) => void) {
    this.rng = new SeededRng(seed);
    this.rcu = new Rcu({
      clock: this.loop,
      scheduler: this.loop,
      debug: this.rng.below(3) === 0,
      firstSequence: this.rng.pick([0, 4, 2 ** 31 - 8, 2 ** 53 - 2 ** 20]),
      onError: (error) => {
        if (!(error instanceof Intended)) {
          this.model.fail(error);
        }
      },
    });
    this.model = new GracePeriodModel(this.rcu, this.loop);
    this.loop.onBoundary = () => this.model.endAll();
    prepare(this.rcu, this.loop);
  }

  async run(operations: number): Promise<void> {
    for (let i = 0; i < operations; i++) {
      await this.operate();
      this.model.check();
    }
    await microtasks();
    await this.loop.runAll();
    // With nothing else to do, a grace period runs for whoever only polls.
    this.model.take('startPoll');
    await this.loop.runAll();
    this.model.checkAtRest();
  }

  private async operate(): Promise<void> {
    await choose<() => void | Promise<void>>(this.rng, [
      [6, () => this.read()],
      [2, () => this.model.take('getState')],
      [3, () => this.model.take('startPoll')],
      [5, () => this.model.call()],
      [3, () => this.model.call(() => this.nested())],
      [1, () => this.model.promise('synchronize')],
      [2, () => this.model.promise('synchronizeExpedited')],
      [1, () => this.model.promise('barrier')],
      [1, () => this.model.observe()],
      [5, () => void this.loop.runTurn()],
      [1, () => this.model.endAll()],
      [2, () => microtasks()],
      [1, () => this.loop.advance(this.rng.below(30))],
    ])();
  }

  private nested(): void {
    choose<() => void>(this.rng, [
      [2, () => this.read()],
      [2, () => this.model.call(() => this.nested())],
      [2, () => this.rearm()],
      [1, () => this.model.take('startPoll')],
      [1, () => this.model.promise('synchronizeExpedited')],
      [1, () => this.model.promise('barrier')],
      [1, () => this.model.observe()],
      [
        2,
        () => {
          this.loop.timeMs += 1;
        },
      ],
      [
        1,
        () => {
          throw new Intended();
        },
      ],
    ])();
  }

  /** What RcuPending does. */
  private rearm(): void {
    this.model.take('startPoll');
    this.model.call(() => this.nested());
  }

  /** A section that holds what it found for as long as its turn lasts. */
  private read(): void {
    this.rcu.readLock();
    this.model.begin();
    this.rcu.readUnlock();
  }
}
