import type { Clock, Scheduler } from '@core/base';
import type { Rcu, Srcu } from '@core/rcu';
import type { MemoryGroup, ShrinkerRegistry } from '@core/shrinker';
import type { HostEventEmitter } from './events.js';
import type { Logger } from './logger.js';
import type { PluginContext } from './plugin-context.js';
import type { Reclaimer } from './reclaimer.js';

declare const tokenType: unique symbol;

/** A symbol that stands for a service of type `T`: for `@inject(token)`, `provides: token` and `host.get(token)`. */
export type Token<T> = symbol & { readonly [tokenType]: T };

/** A class used as the name of a service. */
export type Class<T> = abstract new (...args: never[]) => T;

/** What services are asked for by. */
export type ServiceId<T = unknown> = Class<T> | Token<T>;

/** Makes a new token; no two are equal, so keep it in a constant. `name` is for messages. */
export function token<T>(name: string): Token<T> {
  return Symbol(name) as Token<T>;
}

// Registered symbols, so that a plugin built against another copy of this package still finds the services.
function hostToken<T>(name: string): Token<T> {
  return Symbol.for(`@core/framework:${name}`) as Token<T>;
}

/**
 * What a host can inject into a plugin. The classes `Rcu`, `Srcu` and `ShrinkerRegistry` work as well as their tokens.
 *
 * `Context`, `Options` and `Scheduler` differ from plugin to plugin, so they cannot be had from `host.get`.
 * `MemoryGroup` is the root of the host's groups: a plugin makes its own below it, by `child`.
 */
export const TOKENS: {
  /** Grace periods for readers that end with their turn. One per host. */
  readonly Rcu: Token<Rcu>;
  /** Grace periods for readers that await. One per host; a plugin that wants its own makes it with its context. */
  readonly Srcu: Token<Srcu>;
  readonly ShrinkerRegistry: Token<ShrinkerRegistry>;
  /** The root of the memory groups. */
  readonly MemoryGroup: Token<MemoryGroup>;
  readonly Reclaimer: Token<Reclaimer>;
  readonly Events: Token<HostEventEmitter>;
  readonly Logger: Token<Logger>;
  readonly Clock: Token<Clock>;
  /** Timers set through it are cancelled when the plugin has stopped. */
  readonly Scheduler: Token<Scheduler>;
  /** What the plugin owns in its host, and who it is. */
  readonly Context: Token<PluginContext>;
  /** The options that the plugin's factory was given. */
  readonly Options: Token<unknown>;
} = {
  Rcu: hostToken('Rcu'),
  Srcu: hostToken('Srcu'),
  ShrinkerRegistry: hostToken('ShrinkerRegistry'),
  MemoryGroup: hostToken('MemoryGroup'),
  Reclaimer: hostToken('Reclaimer'),
  Events: hostToken('Events'),
  Logger: hostToken('Logger'),
  Clock: hostToken('Clock'),
  Scheduler: hostToken('Scheduler'),
  Context: hostToken('Context'),
  Options: hostToken('Options'),
};

/** Whether `value` can be one; a class cannot be told from another function. */
export function isServiceId(value: unknown): value is ServiceId {
  return typeof value === 'symbol' || typeof value === 'function';
}

/** The name of a service in messages. */
export function describeId(id: unknown): string {
  if (typeof id === 'symbol') {
    return (id.description ?? 'a nameless token').replace('@core/framework:', 'TOKENS.');
  }
  if (typeof id === 'function') {
    return id.name || 'a nameless class';
  }
  return String(id);
}
