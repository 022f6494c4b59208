import { ALL_HOPS, type Hop, HOPS_WITHIN_A_TURN } from './event-loop.js';

/** How a reader of one flavour enters and leaves its section, and what it may wait for inside. */
export interface ReaderProtocol<Token = unknown> {
  enter(): Token;
  leave(token: Token): void;
  /** A hop that is not here ends the section, by the flavour's own rules. */
  readonly hops: readonly Hop[];
}

/** Readers that are turns, as for `Rcu`: nothing to enter, and a section ends with its turn at the latest. */
export const turnReader: ReaderProtocol<void> = { enter() {}, leave() {}, hops: HOPS_WITHIN_A_TURN };

/** What {@link guardReader} needs: `Srcu` has it. */
export interface ReaderGuards<Index> {
  readLock(): Index;
  readUnlock(index: Index): void;
}

/** Readers that lock and unlock, as for `Srcu`: they may wait for anything inside. */
export function guardReader<Index>(domain: ReaderGuards<Index>): ReaderProtocol<Index> {
  return {
    enter: () => domain.readLock(),
    leave: (index) => {
      domain.readUnlock(index);
    },
    hops: ALL_HOPS,
  };
}

/** Whether a reader may stay in its section beyond the turn. */
export function spansTurns(reader: Pick<ReaderProtocol, 'hops'>): boolean {
  return reader.hops.some((hop) => !HOPS_WITHIN_A_TURN.includes(hop));
}
