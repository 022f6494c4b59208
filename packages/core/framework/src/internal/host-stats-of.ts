import type { HostState, HostStats, PendingStats } from '../host-stats.js';
import { describeId } from '../token.js';
import type { Belonging, Exitable } from './belongings.js';
import type { HostParts } from './plugin-services.js';
import type { Unit } from './unit.js';

export function statsOf(name: string, state: HostState, units: readonly Unit[], parts: HostParts): HostStats {
  const { rcu, srcu, belongings, timers } = parts;
  const { shrinkers, ...reclaim } = parts.shrinkers.stats();
  return {
    name,
    state,
    memory: parts.memory.stats(),
    plugins: units.map((unit) => pluginStats(unit, parts)),
    rcu: rcu.stats(),
    srcu: srcu.stats(),
    domains: belongings.domains.map(({ owner, value }) => ({ plugin: owner, ...value.stats() })),
    shrinkers: shrinkers.map((shrinker) => ({ ...shrinker, plugin: parts.shrinkers.ownerOf(shrinker.id) })),
    pendings: belongings.exitables.map(pendingStats),
    reclaim,
    timers: timers.count,
  };
}

function pluginStats(unit: Unit, parts: HostParts): HostStats['plugins'][number] {
  const { name, manifest } = unit.plugin;
  const id = manifest.provides ?? unit.plugin.type;
  return {
    name,
    kind: manifest.name,
    version: manifest.version ?? null,
    state: unit.state,
    provides: id === null ? null : describeId(id),
    stats: ownStats(unit, parts),
  };
}

/** One plugin that cannot say how it is does not hide how the others are. */
function ownStats(unit: Unit, { announcer }: HostParts): object | null {
  try {
    return unit.stats();
  } catch (error) {
    announcer.errored(error, `stats() of plugin "${unit.name}"`);
    return null;
  }
}

function pendingStats({ owner, value }: Belonging<Exitable>): PendingStats {
  return { plugin: owner, count: value.count ?? null, stats: value.stats?.() ?? null };
}
