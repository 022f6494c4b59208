import type { ShrinkerRegistry, Zone } from '@core/shrinker';
import { bytesText, msText, rows, shareText } from './internal/report-text.js';
import type { MemoryMonitor, MonitorStats } from './memory-monitor.js';
import type { Reclaimer, ReclaimerStats, ShortReason } from './reclaimer.js';

/** What a process knew when memory was short: plain data, fit for `JSON.stringify`. */
export interface MemoryReport extends MonitorStats {
  /** `asked`: somebody wanted to see it. */
  readonly reason: ShortReason | 'asked';
  readonly reclaim: ReclaimerStats;
  /** Those that use most first. */
  readonly groups: readonly ReportedGroup[];
  /** Those with the most to free first. */
  readonly shrinkers: readonly ReportedShrinker[];
  /** Objects that wait for grace periods outside of shrinkers. */
  readonly pendings: readonly ReportedPending[];
  /** Readers that grace periods wait for, the oldest of each domain. */
  readonly readers: readonly ReportedReader[];
}

export interface ReportedGroup {
  readonly path: string;
  /** By zone, the groups below included. */
  readonly usage: Readonly<Record<Zone, number>>;
  readonly maxHits: number;
  readonly maxFailures: number;
  /** Passes that left it alone for its `min` or `low`. */
  readonly passedOver: number;
}

export interface ReportedShrinker {
  readonly name: string;
  /** Objects that it says it could free now. Null: its `count` threw. */
  readonly freeable: number | null;
  readonly freed: number;
  readonly scanned: number;
  readonly runs: number;
  /** Put off to later passes. */
  readonly deferred: number;
  /** What was not freed, and why: objects by what the shrinker says; passes for `stopped`, `busy`, `failed`. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Bytes that have left it and wait for readers. */
  readonly retiredBytes: number;
  /** For how long the oldest of these has waited; null where it is not known. */
  readonly retiredAgeMs: number | null;
}

export interface ReportedPending {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
  /** Null when nothing waits, or it is not known. */
  readonly oldestAgeMs: number | null;
}

export interface ReportedReader {
  readonly domain: string;
  readonly readers: number;
  /** Of the oldest guard; null when the readers are raw locks, which nobody names. */
  readonly label: string | null;
  readonly ageMs: number | null;
  /** Callbacks that wait for it. */
  readonly callbacksWaiting: number;
}

/** What only the owner of pendings and domains can say. */
export interface ReportedOthers {
  readonly pendings?: readonly ReportedPending[];
  readonly readers?: readonly ReportedReader[];
}

const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];
const GROUPS_MAX = 20;
const SHRINKERS_LISTED = 20;

/** Everything about memory at this instant. O(shrinkers × groups): for when it is needed, and for people. */
export function reportOf(
  registry: ShrinkerRegistry,
  monitor: MemoryMonitor,
  reclaimer: Reclaimer,
  reason: MemoryReport['reason'] = 'asked',
  others: ReportedOthers = {},
): MemoryReport {
  return {
    reason,
    ...monitor.stats(),
    reclaim: reclaimer.stats(),
    groups: groupsOf(registry),
    shrinkers: shrinkersOf(registry),
    pendings: others.pendings ?? [],
    readers: others.readers ?? [],
  };
}

function groupsOf(registry: ShrinkerRegistry): ReportedGroup[] {
  const found: ReportedGroup[] = [];
  const visit = (group: ShrinkerRegistry['root']): void => {
    const { path, usage, maxHits, maxFailures, passedOver } = group.stats();
    found.push({ path, usage, maxHits, maxFailures, passedOver });
    for (const child of group.children()) {
      visit(child);
    }
  };
  visit(registry.root);
  return found.toSorted((one, other) => totalOf(other.usage) - totalOf(one.usage)).slice(0, GROUPS_MAX);
}

function totalOf(byZone: Readonly<Record<Zone, number>>): number {
  return ZONES.reduce((sum, zone) => sum + byZone[zone], 0);
}

function shrinkersOf(registry: ShrinkerRegistry): ReportedShrinker[] {
  const stats = new Map(registry.stats().shrinkers.map((shrinker) => [shrinker.id, shrinker]));
  const found: ReportedShrinker[] = [];
  for (const { id, name, deferred } of registry.debug.list()) {
    const own = stats.get(id);
    if (own === undefined) {
      continue;
    }
    found.push({
      name,
      freeable: freeableOf(registry, name),
      freed: own.freed,
      scanned: own.scanned,
      runs: own.runs,
      deferred: totalOf(deferred),
      skipped: {
        ...registry.skippedOf(name),
        ...positive({ stopped: own.stops - own.errors, busy: own.busy, failed: own.errors }),
      },
      retiredBytes: ZONES.reduce((sum, zone) => sum + registry.retiredBytes(zone, name), 0),
      retiredAgeMs: registry.retiredAgeMs(name),
    });
  }
  return found.toSorted((one, other) => (other.freeable ?? 0) - (one.freeable ?? 0));
}

function freeableOf(registry: ShrinkerRegistry, name: string): number | null {
  try {
    return registry.debug.count(name).reduce((sum, { zones }) => sum + totalOf(zones), 0);
  } catch {
    return null;
  }
}

function positive(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const WHY: Readonly<Record<MemoryReport['reason'], string>> = {
  asked: 'Memory report',
  'near-limit': 'Memory is nearly used up',
  'reclaim-failed': 'Memory is short, and the caches could give next to nothing back',
};

/** A report as text, for logs and consoles: at most a few dozen lines, without colours. */
export function formatReport(report: MemoryReport): string {
  const { heap, reclaim } = report;
  const listed = report.shrinkers.slice(0, SHRINKERS_LISTED);
  const lines = [
    WHY[report.reason],
    ...rows(
      ['budget', 'used', 'of', 'level', 'limit found in'],
      report.budgets.map(({ name, usedBytes, limitBytes, level, from }) => [
        name,
        bytesText(usedBytes),
        bytesText(limitBytes),
        level,
        from,
      ]),
    ),
    `heap: ${bytesText(heap.liveAtLastBytes)} alive after ${heap.collections} major collections, ${heap.factor.toFixed(2)} live bytes for each charged, ${bytesText(heap.wastedBytes)} wasted`,
    `reclaim: ${reclaim.direct} direct (${bytesText(reclaim.directBytes)}, ${msText(reclaim.directMs)}), ${reclaim.background} in the background (${bytesText(reclaim.backgroundBytes)}), ${reclaim.shortfalls} fell short${reclaim.cooldownMs > 0 ? `, resting for ${msText(reclaim.cooldownMs)}` : ''}`,
    ...rows(
      ['source', 'used', 'of', 'stalled', 'limit found in'],
      report.sources.map(({ name, usedBytes, limitBytes, stalledShare, from }) => [
        name,
        bytesText(usedBytes),
        bytesText(limitBytes),
        stalledShare === undefined ? '' : shareText(stalledShare),
        from ?? '',
      ]),
    ),
    ...rows(
      ['group', 'heap', 'external', 'shared', 'max met', 'failed', 'protected'],
      report.groups.map(({ path, usage, maxHits, maxFailures, passedOver }) => [
        path,
        ...ZONES.map((zone) => bytesText(usage[zone])),
        String(maxHits),
        String(maxFailures),
        String(passedOver),
      ]),
    ),
    ...rows(
      ['shrinker', 'freeable', 'freed', 'scanned', 'deferred', 'waiting', 'oldest', 'skipped'],
      listed.map(({ name, freeable, freed, scanned, deferred, retiredBytes, retiredAgeMs, skipped }) => [
        name,
        String(freeable ?? '?'),
        String(freed),
        String(scanned),
        String(deferred),
        bytesText(retiredBytes),
        retiredAgeMs === null || retiredBytes === 0 ? '' : msText(retiredAgeMs),
        Object.entries(skipped)
          .map(([reason, count]) => `${reason} ${count}`)
          .join(', '),
      ]),
    ),
    ...(report.shrinkers.length > listed.length
      ? [`and ${report.shrinkers.length - listed.length} shrinkers more`]
      : []),
    ...rows(
      ['pending', 'objects', 'bytes', 'oldest'],
      report.pendings.map(({ name, count, bytes, oldestAgeMs }) => [
        name,
        String(count),
        bytesText(bytes),
        oldestAgeMs === null ? '' : msText(oldestAgeMs),
      ]),
    ),
    ...rows(
      ['domain', 'readers', 'oldest guard', 'open for', 'callbacks waiting'],
      report.readers.map(({ domain, readers, label, ageMs, callbacksWaiting }) => [
        domain,
        String(readers),
        label ?? '',
        ageMs === null ? '' : msText(ageMs),
        String(callbacksWaiting),
      ]),
    ),
  ];
  return lines.join('\n');
}
