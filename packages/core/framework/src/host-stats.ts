import type { RcuStats } from '@core/rcu';
import type { RegistryStats, ShrinkerStats } from '@core/shrinker';
import type { MemoryStats } from './memory-option.js';

/** `starting` is seen only by plugins; `closing` lasts while the teardown runs. */
export type HostState = 'starting' | 'running' | 'closing' | 'closed';

/** Everything a host can say about itself: plain data, fit for `JSON.stringify`. */
export interface HostStats {
  readonly name: string;
  readonly state: HostState;
  readonly memory: MemoryStats;
  /** In the order in which they started. */
  readonly plugins: readonly PluginStats[];
  readonly rcu: RcuStats;
  readonly srcu: RcuStats;
  /** Grace-period domains that plugins made. */
  readonly domains: readonly (RcuStats & { readonly plugin: string })[];
  /** Those that are registered now, with who registered them, as far as is known. */
  readonly shrinkers: readonly (ShrinkerStats & { readonly plugin: string | null })[];
  readonly pendings: readonly PendingStats[];
  /** What passes over the shrinkers have done. */
  readonly reclaim: Omit<RegistryStats, 'shrinkers'>;
  /** Timers that are set now through the host's scheduler. */
  readonly timers: number;
}

export interface PluginStats {
  readonly name: string;
  /** The manifest's name, which instances share. */
  readonly kind: string;
  readonly version: string | null;
  readonly state: 'new' | 'built' | 'started' | 'stopped';
  /** What it provides, by name, or null. */
  readonly provides: string | null;
  /** What the plugin says of itself. */
  readonly stats: object | null;
}

export interface PendingStats {
  readonly plugin: string;
  /** Objects that wait; null where the resource does not say. */
  readonly count: number | null;
  readonly stats: object | null;
}
