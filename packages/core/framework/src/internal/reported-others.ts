import type { ReportedOthers, ReportedPending, ReportedReader } from '@core/pressure';
import type { RcuFlavor, Srcu } from '@core/rcu';
import type { Belonging, Exitable } from './belongings.js';
import type { HostParts } from './plugin-services.js';

/** What a memory report says of what waits for grace periods, and of whom these wait for. */
export function othersOf({ rcu, srcu, belongings }: Pick<HostParts, 'rcu' | 'srcu' | 'belongings'>): ReportedOthers {
  return {
    pendings: belongings.exitables.map(pendingOf),
    readers: [
      readerOf(rcu),
      ...[srcu, ...belongings.domains.map(({ value }) => value)].map((domain) => readerOf(domain, domain)),
    ],
  };
}

/** Whatever of these a resource can say. */
interface Told {
  readonly count?: number | null;
  readonly bytes?: number;
  readonly oldestAgeMs?: number | null;
}

function pendingOf({ owner, value }: Belonging<Exitable>): ReportedPending {
  const { count = value.count ?? 0, bytes = 0, oldestAgeMs = null } = { ...value.stats?.(), ...own(value) } as Told;
  return { name: owner, count: count ?? 0, bytes, oldestAgeMs };
}

/** Bytes are a property of a pending, and not among its stats. */
function own(value: Exitable): Told {
  const { bytes } = value as { readonly bytes?: unknown };
  return typeof bytes === 'number' ? { bytes } : {};
}

function readerOf(flavor: RcuFlavor, srcu?: Srcu): ReportedReader {
  const { callbacksWaiting } = flavor.stats();
  const oldest = srcu?.oldestReader() ?? null;
  return {
    domain: flavor.name,
    readers: srcu?.stats().readers ?? 0,
    label: oldest?.label ?? null,
    ageMs: oldest?.ageMs ?? null,
    callbacksWaiting,
  };
}
