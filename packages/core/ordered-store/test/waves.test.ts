import { expect, test } from 'vitest';
import { InOrder } from '../src/internal/in-order.js';
import { Waves } from '../src/internal/waves.js';

/** Work that ends when it is told. */
class Task {
  end: (error?: Error) => void = () => {};
  readonly ended: Promise<void> = new Promise((resolve, reject) => {
    this.end = (error) => (error === undefined ? resolve() : reject(error));
  });
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}

test('what comes while a wave runs begins together, in order, when it has ended', async () => {
  const waves = new Waves();
  const begun: number[] = [];
  const tasks = Array.from({ length: 6 }, () => new Task());
  const run = (index: number) =>
    waves.run(() => {
      begun.push(index);
      return tasks[index]!.ended;
    });
  const results = [run(0), run(1), run(2)];
  await settle();
  expect(begun).toEqual([0]);

  tasks[0]!.end();
  // Comes between the end of a wave and the beginning of the next.
  void tasks[0]!.ended.then(() => results.push(run(3)));
  await settle();
  expect(begun).toEqual([0, 1, 2]);

  tasks[2]!.end(new Error('two'));
  await expect(results[2]).rejects.toThrow('two');
  expect(begun).toEqual([0, 1, 2]);
  tasks[1]!.end();
  await settle();
  expect(begun).toEqual([0, 1, 2, 3]);
  tasks[3]!.end();
  await Promise.all([results[0], results[1], results[3]]);

  // At rest again.
  const last = run(4);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  tasks[4]!.end();
  await last;
});

test('work in order waits for what came before, also when that fails', async () => {
  const order = new InOrder();
  const first = new Task();
  const log: string[] = [];
  const failed = order.run(() => first.ended);
  const second = order.run(() => {
    log.push('second');
    return 2;
  });
  await settle();
  expect(log).toEqual([]);
  first.end(new Error('one'));
  await expect(failed).rejects.toThrow('one');
  expect(await second).toBe(2);
});
