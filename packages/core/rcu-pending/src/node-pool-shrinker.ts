import { checkOptionNames } from '@core/base';
import type { NodePool } from '@core/genradix';
import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkerSpec } from '@core/shrinker';

export interface NodePoolShrinkerOptions {
  /** Name of the shrinker. Default `'node-pool'`. */
  readonly name?: string;
  /** Default 0: a spare node costs next to nothing to make again. */
  readonly seeks?: number;
  /** Nodes per scan. */
  readonly batch?: number;
}

const OPTION_NAMES = Object.keys({
  name: true,
  seeks: true,
  batch: true,
} satisfies Record<keyof NodePoolShrinkerOptions, true>);

/**
 * A shrinker over the spare nodes of a pool: under pressure it lets go of them. Nodes that are in use are not its
 * business; they come back when what they hold goes. Nodes are arrays, so it answers for the heap and for no other zone.
 *
 * @throws {TypeError} `pool` is no `NodePool`, or an option has a name that is none
 */
export function nodePoolShrinker(pool: NodePool, options: NodePoolShrinkerOptions = {}): ShrinkerSpec {
  if (typeof pool?.take !== 'function') {
    throw new TypeError(`Cannot make a shrinker of ${String(pool)}: pass a NodePool`);
  }
  checkOptionNames(options, OPTION_NAMES, 'a shrinker of a NodePool');
  return {
    name: options.name ?? 'node-pool',
    seeks: options.seeks ?? 0,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    zoneAware: true,
    count(sc) {
      if (sc.zone !== 'heap') {
        return 0;
      }
      return pool.spares === 0 ? SHRINK_EMPTY : pool.spares;
    },
    scan(sc) {
      const before = sc.zone === 'heap' ? pool.spares : 0;
      if (before === 0) {
        sc.nrScanned = 0;
        return SHRINK_STOP;
      }
      pool.trim(sc.nrToScan);
      sc.nrScanned = before - pool.spares;
      return sc.nrScanned;
    },
  };
}
