import type { Clock, Scheduler } from '@core/base';
import type { MemoryReport } from '@core/pressure';
import { Rcu, Srcu } from '@core/rcu';
import { ShrinkerRegistry } from '@core/shrinker';
import type { ContainerModule } from 'inversify';
import type { HostEventEmitter } from '../events.js';
import { FrameworkError } from '../framework-error.js';
import type { HostState, HostStats } from '../host-stats.js';
import type { Host } from '../host.js';
import type { Logger } from '../logger.js';
import type { MemoryChoice } from '../memory-option.js';
import type { Plugin } from '../plugin.js';
import type { ReclaimRequest } from '../reclaimer.js';
import type { GetService } from '../service-source.js';
import { TOKENS } from '../token.js';
import { Announcer } from './announcer.js';
import { Belongings } from './belongings.js';
import { checkPlugins, compose } from './compose.js';
import { Directory } from './directory.js';
import { HostMemory } from './host-memory.js';
import { HostReclaimer } from './host-reclaimer.js';
import { HostRegistry } from './host-registry.js';
import { statsOf } from './host-stats-of.js';
import { othersOf } from './reported-others.js';
import { type HostParts, PluginServices } from './plugin-services.js';
import { takeDown } from './take-down.js';
import { Timers } from './timers.js';
import { Unit, textOf } from './unit.js';

export interface HostCoreOptions {
  readonly name: string;
  readonly memory: MemoryChoice;
  readonly plugins: readonly (Plugin | ContainerModule)[];
  readonly logger: Logger;
  readonly events: HostEventEmitter;
  readonly closeTimeoutMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** The state machine behind `Host`: composed, starting, running, closing, closed. */
export class HostCore implements Host {
  readonly name: string;
  readonly events: HostEventEmitter;
  readonly #options: HostCoreOptions;
  readonly #parts: HostParts;
  /** In the order to start in. */
  readonly #units: readonly Unit[];
  #state: HostState = 'starting';
  #closing: Promise<void> | null = null;

  readonly get: GetService = (wanted: unknown, name?: string): never => {
    this.#assertOpen('get a service');
    return this.#parts.directory.get(wanted, name) as never;
  };

  /** Composes the host; starts nothing. */
  constructor(options: HostCoreOptions) {
    const plugins = checkPlugins(options.plugins);
    this.name = options.name;
    this.events = options.events;
    this.#options = options;
    this.#parts = buildParts(options);
    const { directory } = this.#parts;
    directory.units = plugins.map(
      (plugin) => new Unit(plugin, new PluginServices(plugin.name, this.#parts), directory.root),
    );
    this.#units = compose(directory);
  }

  async start(signal?: AbortSignal): Promise<void> {
    try {
      for (const unit of this.#units) {
        this.#assertNotAborted(signal);
        await this.#startUnit(unit);
      }
      this.#assertNotAborted(signal);
    } catch (error) {
      await this.#unwind();
      throw error;
    }
    this.#state = 'running';
  }

  stats(): HostStats {
    return statsOf(this.name, this.#state, this.#units, this.#parts);
  }

  async reclaim(request?: ReclaimRequest): Promise<number> {
    this.#assertOpen('reclaim');
    return await this.#parts.reclaimer.reclaim(request);
  }

  report(): MemoryReport {
    return this.#parts.memory.report();
  }

  close(): Promise<void> {
    // Whoever calls while it closes shares the outcome; whoever calls later has nothing to be told.
    if (this.#state === 'closed') {
      return Promise.resolve();
    }
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #startUnit(unit: Unit): Promise<void> {
    const { announcer, clock, directory, shrinkers } = this.#parts;
    const startedMs = clock.now();
    shrinkers.owner = unit.name;
    try {
      await unit.start();
    } finally {
      shrinkers.owner = null;
    }
    directory.publish(unit);
    if (announcer.heard('pluginStarted')) {
      announcer.emit('pluginStarted', { plugin: unit.name, durationMs: clock.now() - startedMs });
    }
  }

  async #unwind(): Promise<void> {
    try {
      await this.close();
    } catch (error) {
      // The caller is told why the start failed; this comes on top.
      this.#parts.announcer.errored(error, `the teardown of host "${this.name}", whose start had failed`);
    }
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    const { announcer, clock, memory } = this.#parts;
    const startedMs = clock.now();
    memory.close();
    const { failures, leaks } = await takeDown(this.#units, this.#parts, {
      scheduler: this.#options.scheduler,
      timeoutMs: this.#options.closeTimeoutMs,
    });
    this.#state = 'closed';
    if (announcer.heard('hostClosed')) {
      const durationMs = clock.now() - startedMs;
      announcer.emit('hostClosed', { host: this.name, durationMs, leaks, errors: failures.length });
    }
    const told = [...leaks, ...failures.map(({ what, error }) => `${what} threw: ${textOf(error)}`)];
    if (told.length > 0) {
      const message = `Cannot close host "${this.name}" cleanly: ${told.join('; ')}`;
      const errors = failures.map(({ error }) => error);
      const cause = new AggregateError(errors, 'Steps of the teardown threw');
      throw new FrameworkError(leaks.length > 0 ? 'ERR_HOST_LEAK' : 'ERR_CLOSE_FAILED', message, {
        leaks,
        ...(errors.length > 0 ? { cause } : {}),
      });
    }
  }

  #assertOpen(action: string): void {
    if (this.#state === 'closing' || this.#state === 'closed') {
      throw new FrameworkError(
        'ERR_HOST_CLOSED',
        `Cannot ${action}: host "${this.name}" is ${this.#state}; create a new one`,
      );
    }
  }

  #assertNotAborted(signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      throw new FrameworkError('ERR_HOST_CLOSED', `Cannot start host "${this.name}": its start was aborted`, {
        cause: signal.reason,
      });
    }
  }
}

function buildParts(options: HostCoreOptions): HostParts {
  const { name, clock } = options;
  const announcer = new Announcer(options.events, options.logger);
  const timers = new Timers(options.scheduler);
  const scheduler = timers.schedulerOf('the host');
  const onError = (error: unknown): void => announcer.errored(error, 'a grace-period callback');
  const rcu = new Rcu({ name: `${name}/rcu`, clock, scheduler, onError });
  const srcu = new Srcu({
    name: `${name}/srcu`,
    clock,
    scheduler,
    onError,
    onReport: (report) => announcer.reader(report),
  });
  const shrinkers = new HostRegistry({
    onError: (error, { name: shrinker }) => announcer.errored(error, `shrinker "${shrinker}"`),
  });
  const belongings = new Belongings();
  const memory = new HostMemory({
    choice: options.memory,
    registry: shrinkers,
    clock,
    // Not a plugin's or the host's own, which are counted: it always has a timer.
    scheduler: options.scheduler,
    others: () => othersOf({ rcu, srcu, belongings }),
    onShort: (reason) => announcer.memoryShort(memory.report(reason)),
    onError: (error) => announcer.errored(error, 'background reclaim'),
  });
  const reclaimer = new HostReclaimer(shrinkers, announcer, clock, memory);
  const directory = new Directory(name);
  directory.bind(rcu, TOKENS.Rcu, Rcu);
  directory.bind(srcu, TOKENS.Srcu, Srcu);
  directory.bind<ShrinkerRegistry>(shrinkers, TOKENS.ShrinkerRegistry, ShrinkerRegistry);
  directory.bind(shrinkers.root, TOKENS.MemoryGroup);
  directory.bind(reclaimer, TOKENS.Reclaimer);
  directory.bind(announcer.events, TOKENS.Events);
  directory.bind(announcer.logger, TOKENS.Logger);
  directory.bind(clock, TOKENS.Clock);
  return { rcu, srcu, shrinkers, reclaimer, memory, clock, timers, announcer, belongings, directory };
}
