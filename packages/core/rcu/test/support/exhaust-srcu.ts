import { Srcu, type SrcuIndex } from '../../src/index.js';
import { GracePeriodModel, type Reader } from './grace-period-model.js';
import { TestLoop } from './test-loop.js';

const OPERATIONS = ['lock', 'unlock oldest', 'unlock newest', 'startPoll', 'call', 'expedite', 'turn'] as const;

/** Runs every sequence of `length` operations. Throws with the sequence in the message. Returns how many ran. */
export function exhaustSrcu(length: number, prepare: (srcu: Srcu, loop: TestLoop) => void = () => {}): number {
  let count = 0;
  const sequence: number[] = Array.from({ length }, () => 0);
  do {
    runSequence(
      sequence.map((operation) => OPERATIONS[operation] as (typeof OPERATIONS)[number]),
      prepare,
    );
    count++;
  } while (increment(sequence));
  return count;
}

function increment(digits: number[]): boolean {
  for (let at = 0; at < digits.length; at++) {
    digits[at] = ((digits[at] as number) + 1) % OPERATIONS.length;
    if (digits[at] !== 0) {
      return true;
    }
  }
  return false;
}

function runSequence(
  sequence: readonly (typeof OPERATIONS)[number][],
  prepare: (srcu: Srcu, loop: TestLoop) => void,
): void {
  const loop = new TestLoop();
  const srcu = new Srcu({ clock: loop, scheduler: loop, onError: (error) => model.fail(error) });
  const model: GracePeriodModel = new GracePeriodModel(srcu, loop);
  const open: { readonly reader: Reader; readonly index: SrcuIndex }[] = [];
  const unlock = (of: { readonly reader: Reader; readonly index: SrcuIndex } | undefined): void => {
    if (of !== undefined) {
      model.end(of.reader);
      srcu.readUnlock(of.index);
    }
  };
  const operations = {
    lock: () => void open.push({ index: srcu.readLock(), reader: model.begin() }),
    'unlock oldest': () => unlock(open.shift()),
    'unlock newest': () => unlock(open.pop()),
    startPoll: () => model.take('startPoll'),
    call: () => model.call(),
    expedite: () => model.promise('synchronizeExpedited'),
    turn: () => void loop.runTurn(),
  };
  try {
    prepare(srcu, loop);
    for (const operation of sequence) {
      model.take('getState');
      operations[operation]();
      model.check();
    }
    while (open.length > 0) {
      unlock(open.pop());
      model.check();
    }
    while (loop.runTurn()) {
      model.check();
    }
    model.checkAtRest({ promises: false });
  } catch (error) {
    throw new Error(`Sequence ${sequence.join(', ')}: ${String(error)}`, { cause: error });
  }
}
