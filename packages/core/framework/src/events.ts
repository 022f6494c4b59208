import type { MemoryReport } from '@core/pressure';
import type { SrcuReport } from '@core/rcu';
import type { Zone } from '@core/shrinker';
import { EventEmitter } from 'eventemitter3';

/** What a host tells. Each event says what has happened; none of them steers anything. */
export interface HostEvents {
  pluginStarted: (event: PluginEvent) => void;
  /** Its `stop()` and its dispose have ended. */
  pluginStopped: (event: PluginEvent) => void;
  /** The teardown has ended; `leaks` is what `close()` reports. */
  hostClosed: (event: HostClosedEvent) => void;
  /** A pass over the shrinkers has ended. */
  reclaimed: (event: ReclaimedEvent) => void;
  /** Memory is nearly used up, or reclaim found next to nothing to free. Told at most once in 10 s. */
  memoryShort: (event: MemoryReport) => void;
  /** A reader stayed in its section for longer than `stallMs`. */
  stalled: (event: SrcuReport) => void;
  /** A reader never left its section: its guard was garbage-collected, or the process was about to end. */
  leaked: (event: SrcuReport) => void;
  /** A callback threw: of a grace period, a shrinker, a pending or a listener. */
  errored: (event: ErroredEvent) => void;
}

export interface PluginEvent {
  readonly plugin: string;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}

export interface HostClosedEvent {
  readonly host: string;
  readonly durationMs: number;
  readonly leaks: readonly string[];
  /** How many steps of the teardown threw. */
  readonly errors: number;
}

export interface ReclaimedEvent {
  /** Objects freed, as the shrinkers count them. */
  readonly freed: number;
  readonly priority: number;
  /** Null: the registry's default. */
  readonly zone: Zone | null;
  readonly mode: 'background' | 'direct';
  readonly durationMs: number;
}

export interface ErroredEvent {
  readonly error: unknown;
  /** Whose callback threw, for people. */
  readonly source: string;
}

/** The emitter behind `host.events`. Pass one to `createHost` to hear of the start as well. */
export class HostEventEmitter extends EventEmitter<HostEvents> {}
