import type { SrcuIndex } from '../srcu.js';
import type { Hold } from './holds.js';

/** Readers that began between two flips. A domain uses two in turn; each is the counter and the index in one. */
export class Epoch implements SrcuIndex {
  readonly domain: object;
  readers = 0;
  /** How many of these have a hold: a label and an age. */
  labelled = 0;

  constructor(domain: object) {
    this.domain = domain;
  }
}

/** In debug mode, one per lock: knows whether it was unlocked, and where it was locked. */
export class DebugIndex implements SrcuIndex {
  readonly domain: object;
  readonly epoch: Epoch;
  readonly hold: Hold;

  constructor(domain: object, epoch: Epoch, hold: Hold) {
    this.domain = domain;
    this.epoch = epoch;
    this.hold = hold;
  }
}
