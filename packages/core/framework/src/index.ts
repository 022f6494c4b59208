export { inject } from 'inversify';
export { cachePlugin, pluginOf } from './cache-plugin.js';
export { definePlugin, type PluginDefinition } from './define-plugin.js';
export {
  type ErroredEvent,
  type HostClosedEvent,
  HostEventEmitter,
  type HostEvents,
  type PluginEvent,
  type ReclaimedEvent,
} from './events.js';
export { FrameworkError, type FrameworkErrorCode, type FrameworkErrorOptions } from './framework-error.js';
export { createHost, type Host, type HostOptions } from './host.js';
export type { HostState, HostStats, PendingStats, PluginStats } from './host-stats.js';
export { consoleLogger, type Logger, silentLogger, warningLogger } from './logger.js';
export type { MemoryLimit, MemoryOption, MemoryStats } from './memory-option.js';
export {
  isPlugin,
  type Newable,
  type Plugin,
  type PluginLifecycle,
  type PluginManifest,
  type Provided,
  type Requirement,
} from './plugin.js';
export type { OwnPendingOptions, OwnShrinkerSpec, PluginContext } from './plugin-context.js';
export type { ReclaimRequest, Reclaimer } from './reclaimer.js';
export type { GetService, ServiceSource } from './service-source.js';
export { type Class, type ServiceId, type Token, token, TOKENS } from './token.js';
