import type { Prunable } from '../super-block.js';

/**
 * Prunes until there is no excess. Gives up when every object has had its second chance: what is left cannot be taken.
 *
 * @param excess how many objects must go at least, as far as is known now
 */
export function pruneExcess(part: Prunable, excess: () => number): void {
  let nr = excess();
  for (let left = 3 * part.count(); left > 0 && nr > 0; nr = excess()) {
    part.prune(Math.min(nr, left));
    left -= nr;
  }
}
