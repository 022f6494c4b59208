import type { SeededRng } from '@core/base';
import { Rcu, type RcuFlavor, Srcu } from '@core/rcu';
import { EpochFlavor } from './epoch-flavor.js';
import type { TestLoop } from './test-loop.js';

/** A section that may hold what it found. */
export interface Reader {
  ended: boolean;
}

/** A flavour, and readers of it that the test knows by heart. */
export interface Domain {
  readonly kind: string;
  readonly flavor: RcuFlavor;
  /** Those that could hold an object which is unpublished now. */
  readers(): readonly Reader[];
  open(): void;
  /** Ends the reader at `index`, modulo how many there are. */
  close(index: number): void;
  /** Lets the cookie advance, if it can do so by itself. */
  advance(): void;
  onSyncCall(listener: () => void): void;
}

/** Readers are turns, and there is always one. */
export function turnDomain(loop: TestLoop): Domain {
  const flavor = new Rcu({ clock: loop, scheduler: loop });
  let turn: Reader = { ended: false };
  loop.onBoundary = () => {
    turn.ended = true;
    turn = { ended: false };
  };
  return {
    kind: 'Rcu',
    flavor,
    readers: () => [turn],
    open() {},
    close() {},
    advance: () => void flavor.startPoll(),
    onSyncCall() {},
  };
}

export function srcuDomain(loop: TestLoop, debug: boolean): Domain & { readonly flavor: Srcu } {
  const flavor = new Srcu({ clock: loop, scheduler: loop, debug });
  return {
    kind: 'Srcu',
    flavor,
    ...explicitReaders(
      () => flavor.readLock(),
      (index) => flavor.readUnlock(index),
    ),
    advance: () => void flavor.startPoll(),
    onSyncCall() {},
  };
}

export function epochDomain(flavor: EpochFlavor, kind: string): Domain {
  return {
    kind,
    flavor,
    ...explicitReaders(
      () => flavor.openReader(),
      (reader) => flavor.closeReader(reader),
    ),
    advance: () => void flavor.advance(),
    onSyncCall(listener) {
      flavor.beforeSyncCall = listener;
    },
  };
}

/** Any of them, by chance. */
export function anyDomain(rng: SeededRng, loop: TestLoop): Domain {
  const make = [
    () => turnDomain(loop),
    () => turnDomain(loop),
    () => srcuDomain(loop, false),
    () => srcuDomain(loop, rng.below(2) === 0),
    () => epochDomain(new EpochFlavor({ scheduler: loop }), 'first cookie 0'),
    () => epochDomain(new EpochFlavor({ scheduler: loop, cookies: 'object', notifies: false }), 'object cookies'),
    () => epochDomain(new EpochFlavor({ scheduler: loop, rng, callsAtOnce: 1 }), 'calls back at once'),
    () =>
      epochDomain(
        new EpochFlavor({ scheduler: loop, rng, callsAtOnce: 0.5, cookies: 'object', maxLiveCookies: 3 }),
        'calls back at once at times',
      ),
    () => epochDomain(new EpochFlavor({ scheduler: loop, maxLiveCookies: 3 + rng.below(3) }), 'many live cookies'),
    () =>
      epochDomain(
        new EpochFlavor({ scheduler: loop, rng, maxLiveCookies: 5, lateBy: 6, notifies: rng.below(2) === 0 }),
        'many live cookies, late',
      ),
  ];
  return rng.pick(make)();
}

function explicitReaders<R>(lock: () => R, unlock: (handle: R) => void): Pick<Domain, 'readers' | 'open' | 'close'> {
  const open: { reader: Reader; handle: R }[] = [];
  return {
    readers: () => open.map(({ reader }) => reader),
    open() {
      open.push({ reader: { ended: false }, handle: lock() });
    },
    close(index) {
      const [closed] = open.length === 0 ? [] : open.splice(index % open.length, 1);
      if (closed !== undefined) {
        unlock(closed.handle);
        closed.reader.ended = true;
      }
    },
  };
}
