import { SeededRng } from '@core/base';

/** Each actor has a generator of its own, so that what it does depends on the seed only, not on the others. */
export function actorRng(seed: number, actor: number): SeededRng {
  return new SeededRng(Math.imul(seed, 0x9e3779b1) ^ Math.imul(actor + 1, 0x85ebca6b));
}
