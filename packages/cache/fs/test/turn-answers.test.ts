import nodeFs from 'node:fs';
import { createCachedFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { TurnAnswers } from '../src/internal/turn-answers.js';

const MANY = 10_000;

/** How many answers somebody gets who asks again as soon as he is answered, before anything else has its turn. */
async function answeredInTurn(ask: () => unknown): Promise<number> {
  const turn = { isOver: false };
  setImmediate(() => {
    turn.isOver = true;
  });
  let answers = 0;
  while (!turn.isOver && answers < MANY) {
    await ask();
    answers++;
  }
  return answers;
}

describe('answers in one turn', () => {
  it('are bounded, and all who wait are let go in the next', async () => {
    const answers = new TurnAnswers();
    expect(await answeredInTurn(() => answers.wait())).toBeLessThan(MANY);
    let answered = 0;
    const waiting = Array.from({ length: 1000 }, async () => {
      await answers.wait();
      answered++;
    });
    await Promise.resolve();
    const atOnce = answered;
    expect(atOnce).toBeLessThan(1000);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(answered).toBe(1000);
    await Promise.all(waiting);
  });

  it('are not, where none are counted: the check sees it', async () => {
    const busted = new TurnAnswers();
    busted.mayAnswer = () => true;
    expect(await answeredInTurn(() => busted.wait())).toBe(MANY);
  });

  it('are bounded for what is there, too', async () => {
    const fs = createCachedFs();
    await fs.promises.stat(import.meta.filename);
    expect(await answeredInTurn(() => fs.promises.stat(import.meta.filename))).toBeLessThan(MANY);
    const all = await Promise.all(Array.from({ length: 1000 }, () => fs.promises.stat(import.meta.filename)));
    const { size } = nodeFs.statSync(import.meta.filename);
    expect(all.every((stats) => stats.size === size)).toBe(true);
    expect(new Set(all).size).toBe(1000);
    await fs.close();
  });
});
