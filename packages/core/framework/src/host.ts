import { type Clock, type Scheduler, systemClock, systemScheduler } from '@core/base';
import type { MemoryReport } from '@core/pressure';
import type { ContainerModule } from 'inversify';
import { HostEventEmitter } from './events.js';
import type { HostStats } from './host-stats.js';
import { HostCore } from './internal/host-core.js';
import { type Logger, warningLogger } from './logger.js';
import { type MemoryOption, checkMemory } from './memory-option.js';
import type { Plugin } from './plugin.js';
import type { ReclaimRequest } from './reclaimer.js';
import type { ServiceSource } from './service-source.js';

export interface HostOptions {
  /** How much memory the caches may take. Default `'auto'`. What came of it is in `stats().memory`. */
  readonly memory?: MemoryOption;
  /**
   * What plugin factories return: plugins, or bare modules of inversify that bind one class with a `@cachePlugin`
   * manifest. A module's function is called once more than it is bound. Default none.
   */
  readonly plugins?: readonly (Plugin | ContainerModule)[];
  /** For messages and stats. Default `'host'`. */
  readonly name?: string;
  /** Default: silent, but warnings become `process.emitWarning`. */
  readonly logger?: Logger;
  /** Default: a new one. Pass one to hear of the start. */
  readonly events?: HostEventEmitter;
  /** Aborted while the plugins start: those that have are taken down again. Later it means nothing. */
  readonly signal?: AbortSignal;
  /**
   * How long, in milliseconds, `close()` puts up with what may never end: a scan, a pending that makes no progress, or
   * anything while a guard is open. Default 1,000. A plugin's `stop()` may otherwise take as long as it takes.
   */
  readonly closeTimeoutMs?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

/** A running set of plugins over one container, one shrinker registry and one pair of grace-period domains. */
export interface Host extends ServiceSource, AsyncDisposable {
  readonly name: string;
  /** What has happened. A listener that throws is reported to `errored`; those after it miss that one event. */
  readonly events: HostEventEmitter;
  stats(): HostStats;
  /** All about memory at this instant: what is used, by whom, what was freed, and what is in the way. */
  report(): MemoryReport;
  /**
   * Runs one pass over the shrinkers, by hand.
   *
   * @returns how many objects it freed
   * @throws {FrameworkError} `ERR_HOST_CLOSED`
   */
  reclaim(request?: ReclaimRequest): Promise<number>;
  /**
   * Takes everything down: shrinkers, then plugins in the reverse order of their start, then pendings, then domains.
   * Every step runs, whatever the others do. Calls during the teardown get the same promise; later ones resolve.
   *
   * @throws {FrameworkError} `ERR_HOST_LEAK`, `ERR_CLOSE_FAILED`; the host is closed nonetheless
   */
  close(): Promise<void>;
  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Builds a host: checks that everything that the plugins require is there, then starts them one after the other, each
 * after those it requires.
 *
 * When a plugin fails, those that have started are taken down in the reverse order before the promise rejects.
 *
 * @throws {FrameworkError} `ERR_NOT_A_PLUGIN`, `ERR_BAD_PLUGIN`, `ERR_DUPLICATE_PLUGIN`, `ERR_MISSING_REQUIREMENT`,
 *   `ERR_PLUGIN_CYCLE`, `ERR_MISSING_BINDING`, `ERR_AMBIGUOUS_SERVICE`: nothing was started
 * @throws {FrameworkError} `ERR_START_FAILED`, `ERR_HOST_CLOSED` (aborted): everything was taken down again
 * @throws {RangeError} a limit of `memory` or `closeTimeoutMs` is out of range
 * @throws {TypeError} `memory` or `plugins` is nothing of the kind
 */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  const core = new HostCore({
    name: options.name ?? 'host',
    memory: checkMemory(options.memory),
    plugins: options.plugins ?? [],
    logger: options.logger ?? warningLogger,
    events: options.events ?? new HostEventEmitter(),
    closeTimeoutMs: checkTimeout(options.closeTimeoutMs ?? 1000),
    clock: options.clock ?? systemClock,
    scheduler: options.scheduler ?? systemScheduler,
  });
  await core.start(options.signal);
  return core;
}

function checkTimeout(closeTimeoutMs: number): number {
  if (!(closeTimeoutMs >= 0 && closeTimeoutMs < 2 ** 31)) {
    throw new RangeError(`Cannot wait ${closeTimeoutMs} ms in close(): closeTimeoutMs must be from 0 to 2147483647`);
  }
  return closeTimeoutMs;
}
