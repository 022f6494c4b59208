import { setImmediate } from 'node:timers/promises';
import { type Rng, SeededRng } from '@core/base';
import type { StormCache } from './contender.js';
import type { Kind } from './kinds.js';
import { zipfRank } from './zipf.js';

/** Requests between two turns of the event loop. */
const REQUESTS_PER_TURN = 250;

export interface LoadOptions {
  readonly kinds: readonly Kind[];
  /** In the order of the kinds. */
  readonly caches: readonly StormCache[];
  /** Goes on until so many bytes were asked for the first time: no cache can have had them. */
  readonly feedBytes: number;
  readonly seed: number;
  readonly tally: Tally;
  /** Called after each so many requests. */
  readonly onTurn: () => void;
}

/** Counts the same for whatever is under load. */
export class Tally {
  requests = 0;
  /** Values that had to be made. */
  created = 0;
  fedBytes = 0;

  get hitRatio(): number {
    return this.requests === 0 ? 0 : 1 - this.created / this.requests;
  }
}

/** Popular keys often and most keys seldom, five kinds mixed, and a turn of the event loop now and then. */
export async function storm({ kinds, caches, feedBytes, seed, tally, onTurn }: LoadOptions): Promise<void> {
  const rng = new SeededRng(seed);
  const asked = kinds.map(({ keys }) => new Uint8Array(keys));
  while (tally.fedBytes < feedBytes) {
    for (let request = 0; request < REQUESTS_PER_TURN; request++) {
      const index = anyKind(kinds, rng);
      const kind = kinds[index] as Kind;
      const seen = asked[index] as Uint8Array;
      const rank = zipfRank(kind.keys, rng);
      ask(kind, caches[index] as StormCache, rank, seen[rank] === 0, tally);
      seen[rank] = 1;
    }
    onTurn();
    await setImmediate();
  }
}

/** One synchronous loop that stores something new with each request: no timer and no grace period can end in it. */
export function oneTick({ kinds, caches, feedBytes, seed, tally, onTurn }: LoadOptions): void {
  const rng = new SeededRng(seed);
  // What must be disposed of would have to wait for the end of the loop.
  const plain = kinds.filter(({ dispose }) => dispose === undefined);
  for (let rank = 0; tally.fedBytes < feedBytes; rank++) {
    const index = anyKind(plain, rng);
    const kind = plain[index] as Kind;
    ask(kind, caches[kinds.indexOf(kind)] as StormCache, rank, true, tally);
    if (rank % REQUESTS_PER_TURN === 0) {
      onTurn();
    }
  }
}

function ask(kind: Kind, cache: StormCache, rank: number, isFirst: boolean, tally: Tally): void {
  tally.requests++;
  const value = cache.getOrCreate(`${kind.name}:${rank}`, () => {
    tally.created++;
    return kind.make(rank);
  });
  kind.use?.(value);
  tally.fedBytes += isFirst ? kind.sizeOf(value) : 0;
}

/** An index, by the kinds' shares of the requests. */
function anyKind(kinds: readonly Kind[], rng: Rng): number {
  let place = rng.next() * kinds.reduce((sum, { share }) => sum + share, 0);
  return Math.max(
    0,
    kinds.findIndex(({ share }) => (place -= share) < 0),
  );
}
