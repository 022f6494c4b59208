import { stat } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import type { EventLoop, Hop } from './event-loop.js';

/** A timer turn lets timers, I/O and other threads make progress that a spin of immediates would starve. */
const TURNS_PER_TIMER = 16;

/** The event loop of this thread, with its own immediates, timers, messages and I/O callbacks. */
export class RealLoop implements EventLoop {
  readonly name = 'real';
  readonly #messages: (() => void)[] = [];
  #near: MessagePort | null = null;
  #far: MessagePort | null = null;
  #turn = 0;

  get turn(): number {
    return this.#turn;
  }

  run(hop: Hop, callback: () => void): void {
    switch (hop) {
      case 'await':
        queueMicrotask(callback);
        break;
      case 'tick':
        process.nextTick(callback);
        break;
      case 'immediate':
        setImmediate(callback);
        break;
      case 'timer':
        setTimeout(callback, 0);
        break;
      case 'message':
        this.#post(callback);
        break;
      case 'io':
        // What it finds does not matter: an I/O callback is what is wanted.
        stat(process.execPath, () => {
          callback();
        });
        break;
    }
  }

  async pump(done: () => boolean, maxTurns: number): Promise<boolean> {
    for (let turns = 0; !done(); turns++) {
      if (turns >= maxTurns) {
        return false;
      }
      this.#turn++;
      await new Promise((resolve) => {
        if (turns % TURNS_PER_TIMER === TURNS_PER_TIMER - 1) {
          setTimeout(resolve, 0);
        } else {
          setImmediate(resolve);
        }
      });
    }
    return true;
  }

  async rest(turns: number): Promise<void> {
    await this.pump(() => false, turns);
  }

  close(): void {
    this.#near?.close();
    this.#near = null;
    this.#far = null;
  }

  #post(callback: () => void): void {
    if (this.#near === null) {
      const channel = new MessageChannel();
      this.#near = channel.port1;
      this.#far = channel.port2;
      this.#far.on('message', () => this.#messages.shift()?.());
      // Whoever pumps keeps the process alive: a torture that was given up must not.
      this.#far.unref();
    }
    this.#messages.push(callback);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
    this.#near.postMessage(null);
  }
}
