import type { SeededRng } from '@core/base';

import { type Hop, HOPS_WITHIN_A_TURN } from '../event-loop.js';

/** A few hops, or none, that let others run and do not leave the turn. */
export async function hopWithinTurn(actors: { hop(hop: Hop): Promise<void> }, rng: SeededRng): Promise<void> {
  for (let hops = rng.below(3); hops > 0; hops--) {
    await actors.hop(rng.pick(HOPS_WITHIN_A_TURN));
  }
}
