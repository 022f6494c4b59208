import { Rcu, Srcu } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';

import { BUSTED_FLAVORS, BUSTED_PENDINGS } from '../busted/catalogue.js';
import type { PendingObject } from '../pending-under-test.js';
import { guardReader, turnReader } from '../reader-protocol.js';
import { ReferencePending } from '../reference/reference-pending.js';
import { ReferenceRcu } from '../reference/reference-rcu.js';
import { ReferenceSrcu } from '../reference/reference-srcu.js';
import type { TorturePorts, TortureSuiteSubject } from '../torture-suite.js';

const STALL_MS = 1_000;

type Factory = (ports: TorturePorts) => TortureSuiteSubject;

const rcu: Factory = (ports) => ({ flavor: new Rcu(portsOf(ports)), reader: turnReader });

const srcu: Factory = (ports) => {
  // A stuck reader is part of the test, and the report counts what is said of it.
  const flavor = new Srcu({ ...portsOf(ports), stallMs: STALL_MS, onReport() {} });
  return { flavor, reader: guardReader(flavor), stallMs: STALL_MS };
};

const referenceRcu: Factory = ({ scheduler }) => ({ flavor: new ReferenceRcu({ scheduler }), reader: turnReader });

const referenceSrcu: Factory = ({ scheduler }) => {
  const flavor = new ReferenceSrcu({ scheduler, stallMs: STALL_MS });
  return { flavor, reader: guardReader(flavor), stallMs: STALL_MS };
};

/** Without sizes, objects go through the fast path of `RcuPending`; with sizes, bytes are checked too. */
function withRcuPending(factory: Factory, sized: boolean): Factory {
  return (ports) => {
    const subject = factory(ports);
    return {
      ...subject,
      checksBytes: sized,
      pending: (hooks) =>
        new RcuPending<PendingObject>({
          ...portsOf(ports),
          rcu: subject.flavor,
          process: hooks,
          ...(sized ? { sizeOf: (object: PendingObject) => hooks.sizeOf(object) } : {}),
        }),
    };
  };
}

function withReferencePending(factory: Factory): Factory {
  return (ports) => {
    const subject = factory(ports);
    return { ...subject, pending: (hooks) => new ReferencePending(subject.flavor, hooks) };
  };
}

/** Only the ports: what has them, such as a simulated loop, may have a `name` of its own as well. */
function portsOf({ clock, scheduler }: TorturePorts): TorturePorts {
  return { clock, scheduler };
}

/** What the command line can name. What makes a pending is tortured as a pending. */
export const CLI_FLAVORS: ReadonlyMap<string, Factory> = new Map<string, Factory>([
  ['rcu', rcu],
  ['srcu', srcu],
  ['rcu-pending', withRcuPending(rcu, false)],
  ['srcu-pending', withRcuPending(srcu, false)],
  ['rcu-pending-sized', withRcuPending(rcu, true)],
  ['srcu-pending-sized', withRcuPending(srcu, true)],
  ['reference-rcu', referenceRcu],
  ['reference-srcu', referenceSrcu],
  ['reference-pending', withReferencePending(referenceSrcu)],
  ...BUSTED_FLAVORS.map((busted): [string, Factory] => [
    `busted-${busted.name}`,
    ({ scheduler }) => busted.make(scheduler),
  ]),
  ...BUSTED_PENDINGS.map((busted): [string, Factory] => [
    `busted-pending-${busted.name}`,
    (ports) => {
      const subject = referenceSrcu(ports);
      return { ...subject, pending: (hooks) => busted.make(subject.flavor, hooks) };
    },
  ]),
]);
