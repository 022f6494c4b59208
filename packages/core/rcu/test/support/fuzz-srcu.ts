import { SeededRng, assert } from '@core/base';
import { Srcu, type SrcuOptions } from '../../src/index.js';
import { GracePeriodModel, type Reader, choose } from './grace-period-model.js';
import { TestLoop, microtasks } from './test-loop.js';

interface OpenReader {
  readonly reader: Reader;
  readonly leave: () => void;
}

/** What a callback throws on purpose. */
class Intended extends Error {}

/** Random operations on a domain, checked against the model after each. Throws with the seed in the message. */
export async function fuzzSrcu(seed: number, prepare: (srcu: Srcu, loop: TestLoop) => void = () => {}): Promise<void> {
  const fuzz = new SrcuFuzz(seed, prepare);
  try {
    await fuzz.run(300);
  } catch (error) {
    throw new Error(`Seed ${seed}: ${String(error)}`, { cause: error });
  }
}

class SrcuFuzz {
  private readonly rng: SeededRng;
  private readonly loop = new TestLoop();
  private readonly srcu: Srcu;
  private readonly model: GracePeriodModel;
  private open: OpenReader[] = [];
  private finishing = false;

  constructor(seed: number, prepare: (srcu: Srcu, loop: TestLoop) => void) {
    this.rng = new SeededRng(seed);
    const options: SrcuOptions = {
      clock: this.loop,
      scheduler: this.loop,
      debug: this.rng.below(3) === 0,
      stallMs: 40,
      firstSequence: this.rng.pick([0, 4, 2 ** 31 - 8, 2 ** 53 - 2 ** 20]),
      onReport: () => {},
      onError: (error) => {
        if (!(error instanceof Intended)) {
          this.model.fail(error);
        }
      },
    };
    this.srcu = new Srcu(options);
    this.model = new GracePeriodModel(this.srcu, this.loop);
    prepare(this.srcu, this.loop);
  }

  async run(operations: number): Promise<void> {
    for (let i = 0; i < operations; i++) {
      await this.operate();
      this.model.check();
    }
    await this.finish();
    this.model.checkAtRest();
  }

  private async finish(): Promise<void> {
    this.finishing = true;
    const closing = this.rng.below(2) === 0;
    let closed = !closing;
    if (closing) {
      this.srcu[Symbol.asyncDispose]().then(
        () => {
          closed = true;
        },
        (error: unknown) => this.model.fail(error),
      );
    }
    while (this.open.length > 0) {
      this.leave();
    }
    await microtasks();
    await this.loop.runAll();
    assert(closed, 'The domain does not close although every reader has ended');
    if (!closing) {
      // With nothing else to do, a grace period runs for whoever only polls.
      this.model.take('startPoll');
      await this.loop.runAll();
    }
  }

  private async operate(): Promise<void> {
    await choose<() => void | Promise<void>>(this.rng, [
      [6, () => this.enter()],
      [6, () => this.leave()],
      [2, () => this.model.take('getState')],
      [3, () => this.model.take('startPoll')],
      [5, () => this.model.call()],
      [3, () => this.model.call(() => this.nested())],
      [1, () => this.model.promise('synchronize')],
      [2, () => this.model.promise('synchronizeExpedited')],
      [1, () => this.model.promise('barrier')],
      [1, () => this.model.observe()],
      [5, () => void this.loop.runTurn()],
      [2, () => microtasks()],
      [1, () => this.loop.advance(this.rng.below(30))],
    ])();
  }

  /** What callbacks get up to. */
  private nested(): void {
    if (this.finishing) {
      return;
    }
    choose<() => void>(this.rng, [
      [2, () => this.enter()],
      [2, () => this.leave()],
      [2, () => this.model.call(() => this.nested())],
      [1, () => this.model.take('startPoll')],
      [1, () => this.model.promise('synchronizeExpedited')],
      [1, () => this.model.promise('barrier')],
      [1, () => this.model.observe()],
      [2, () => this.spend()],
      [
        1,
        () => {
          throw new Intended();
        },
      ],
    ])();
  }

  /** As if the callback took long: timers wait. */
  private spend(): void {
    this.loop.timeMs += 1;
  }

  private enter(): void {
    this.open.push(
      choose(this.rng, [
        [3, () => this.enterRaw()],
        [1, () => this.enterGuard()],
        [1, () => this.enterAsync()],
      ])(),
    );
  }

  private enterRaw(): OpenReader {
    const index = this.srcu.readLock();
    return { reader: this.model.begin(), leave: () => this.srcu.readUnlock(index) };
  }

  private enterGuard(): OpenReader {
    const guard = this.srcu.guard();
    return { reader: this.model.begin(), leave: () => guard.release() };
  }

  private enterAsync(): OpenReader {
    let leave!: () => void;
    this.srcu
      .read(
        () =>
          new Promise<void>((resolve) => {
            leave = resolve;
          }),
      )
      .catch((error: unknown) => this.model.fail(error));
    return { reader: this.model.begin(), leave };
  }

  private leave(): void {
    if (this.open.length > 0) {
      const [{ reader, leave }] = this.open.splice(this.rng.below(this.open.length), 1) as [OpenReader];
      this.model.end(reader);
      leave();
    }
  }
}
