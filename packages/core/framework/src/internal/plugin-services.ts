import type { Clock, Scheduler } from '@core/base';
import { type Rcu, Srcu } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import type { MemoryGroup } from '@core/shrinker';
import type { HostEventEmitter } from '../events.js';
import type { Logger } from '../logger.js';
import type { PluginContext } from '../plugin-context.js';
import type { Reclaimer } from '../reclaimer.js';
import type { Announcer } from './announcer.js';
import type { Belongings } from './belongings.js';
import type { Directory } from './directory.js';
import type { HostMemory } from './host-memory.js';
import type { HostRegistry } from './host-registry.js';
import type { Timers } from './timers.js';

/** What every plugin of a host shares. */
export interface HostParts {
  readonly rcu: Rcu;
  readonly srcu: Srcu;
  readonly shrinkers: HostRegistry;
  readonly reclaimer: Reclaimer;
  readonly memory: HostMemory;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly announcer: Announcer;
  readonly belongings: Belongings;
  readonly directory: Directory;
}

/** Whose timers are cancelled when plugin `name` has stopped. */
export function ownerOf(name: string): string {
  return `plugin "${name}"`;
}

/** Whose timers are cancelled when a domain of plugin `name` is closed. */
export function domainOwnerOf(name: string): string {
  return `a domain of plugin "${name}"`;
}

/** The context of one plugin: the host's parts, and a note of who owns what is made here. */
export class PluginServices implements PluginContext {
  readonly name: string;
  readonly rcu: Rcu;
  readonly srcu: Srcu;
  readonly shrinkers: HostRegistry;
  readonly reclaimer: Reclaimer;
  readonly memoryGroup: MemoryGroup | null;
  readonly events: HostEventEmitter;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly #parts: HostParts;

  constructor(name: string, parts: HostParts) {
    this.name = name;
    this.rcu = parts.rcu;
    this.srcu = parts.srcu;
    this.shrinkers = parts.shrinkers;
    this.reclaimer = parts.reclaimer;
    this.memoryGroup = parts.memory.group;
    this.events = parts.announcer.events;
    this.logger = parts.announcer.logger;
    this.clock = parts.clock;
    this.scheduler = parts.timers.schedulerOf(ownerOf(name));
    this.#parts = parts;
  }

  // Fields, so that a plugin may take them apart: create({ get, shrinker }).
  readonly get: PluginContext['get'] = (wanted: unknown, name?: string): never =>
    this.#parts.directory.get(wanted, name) as never;

  readonly shrinker: PluginContext['shrinker'] = (spec) => {
    // Bound, since a spec may be an instance whose methods are not its own properties.
    const { count, scan, retiredBytes, retiredAgeMs, objectBytes, skipped } = spec;
    const named = {
      ...spec,
      name: spec.name ?? this.name,
      count: count.bind(spec),
      scan: scan.bind(spec),
      ...(objectBytes === undefined ? {} : { objectBytes: objectBytes.bind(spec) }),
      ...(retiredBytes === undefined ? {} : { retiredBytes: retiredBytes.bind(spec) }),
      ...(retiredAgeMs === undefined ? {} : { retiredAgeMs: retiredAgeMs.bind(spec) }),
      ...(skipped === undefined ? {} : { skipped: skipped.bind(spec) }),
    };
    return this.shrinkers.registerFor(this.name, named);
  };

  readonly pending: PluginContext['pending'] = (options) =>
    this.own(
      new RcuPending({
        rcu: this.rcu,
        clock: this.clock,
        scheduler: this.scheduler,
        onError: (error) => this.#parts.announcer.errored(error, `a pending of plugin "${this.name}"`),
        ...options,
      }),
    );

  readonly domain: PluginContext['domain'] = (options = {}) => {
    const { announcer, belongings, timers } = this.#parts;
    const domain = new Srcu({
      name: this.name,
      clock: this.clock,
      // Not the plugin's own, whose timers end with its stop().
      scheduler: timers.schedulerOf(domainOwnerOf(this.name)),
      onReport: (report) => announcer.reader(report),
      onError: (error) => announcer.errored(error, `a callback in a domain of plugin "${this.name}"`),
      ...options,
    });
    belongings.domains.push({ owner: this.name, value: domain });
    return domain;
  };

  readonly errored: PluginContext['errored'] = (error) => this.#parts.announcer.errored(error, `plugin "${this.name}"`);

  readonly own: PluginContext['own'] = (resource) => {
    this.#parts.belongings.exitables.push({ owner: this.name, value: resource });
    return resource;
  };
}
