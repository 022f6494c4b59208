import type { Clock, Scheduler } from '@core/base';
import type { Rcu, Srcu, SrcuOptions } from '@core/rcu';
import type { RcuHead, RcuPending, RcuPendingOptions } from '@core/rcu-pending';
import type { MemoryGroup, Shrinker, ShrinkerRegistry, ShrinkerSpec } from '@core/shrinker';
import type { HostEventEmitter } from './events.js';
import type { Logger } from './logger.js';
import type { Reclaimer } from './reclaimer.js';
import type { ServiceSource } from './service-source.js';

/**
 * A plugin's place in its host: who it is, what it may use, and what it owns. Injected as `TOKENS.Context`, and passed
 * to `definePlugin`'s `create`.
 *
 * What is made here belongs to the plugin and is taken down by the host, in the one right order, whether or not the
 * plugin remembers: its shrinkers before its `stop()`, its timers after it, then its pendings, then its domains. The functions need no `this`.
 */
export interface PluginContext extends ServiceSource {
  /** Name of this instance of the plugin. */
  readonly name: string;
  /** Shared by the host, like the four below. */
  readonly rcu: Rcu;
  readonly srcu: Srcu;
  /** Shrinkers registered here directly are freed by the host too. */
  readonly shrinkers: ShrinkerRegistry;
  readonly reclaimer: Reclaimer;
  /** What caches charge their bytes to unless told otherwise; null when the host's memory is off. */
  readonly memoryGroup: MemoryGroup | null;
  readonly events: HostEventEmitter;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The plugin's own view of the scheduler: what is left of its timers after `stop()` is cancelled. */
  readonly scheduler: Scheduler;
  /** Registers a shrinker, named after the plugin unless the spec has a name. */
  readonly shrinker: (spec: OwnShrinkerSpec) => Shrinker;
  /** A new `RcuPending`: on the host's `rcu`, its errors told to the host, unless the options say otherwise. */
  readonly pending: <T extends RcuHead>(options: OwnPendingOptions<T>) => RcuPending<T>;
  /**
   * A new `Srcu`, for readers of this plugin alone, named after the plugin, its reports told to the host, unless the
   * options say otherwise.
   */
  readonly domain: (options?: SrcuOptions) => Srcu;
  /** Tells the host of an error in a callback: to those who listen to `errored`, else to the logger. Never throws. */
  readonly errored: (error: unknown) => void;
  /** Takes over something made elsewhere, such as a `KvFree`, to be disposed of together with the pendings. */
  readonly own: <R extends AsyncDisposable>(resource: R) => R;
}

/** What a shrinker of a plugin must say: all but its name. */
export type OwnShrinkerSpec = Omit<ShrinkerSpec, 'name'> & { readonly name?: string };

/** What a pending of a plugin must say: all but its grace periods. */
export type OwnPendingOptions<T> = Omit<RcuPendingOptions<T>, 'rcu'> & Partial<Pick<RcuPendingOptions<T>, 'rcu'>>;
