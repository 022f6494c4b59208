import {
  type MemoryBudget,
  type MemoryLimits,
  MemoryMonitor,
  type MemoryReading,
  type MemorySource,
  Reclaimer,
  type ReclaimerOptions,
  type ShortReason,
} from '@core/pressure';
import { ShrinkerRegistry, type ShrinkRequest } from '@core/shrinker';
import { SimCache, type SimCacheOptions } from './sim-cache.js';
import { MIB, SimHeap, type SimHeapOptions } from './sim-heap.js';
import { SimTime } from './sim-time.js';

/** A source that says what it is told to say. */
export class FakeSource implements MemorySource {
  readonly name: string;
  reading: MemoryReading | null;
  reads = 0;

  constructor(name: string, reading: MemoryReading | null) {
    this.name = name;
    this.reading = reading;
  }

  read(): MemoryReading | null {
    this.reads++;
    return this.reading;
  }
}

export interface SimOptions extends SimHeapOptions {
  readonly limits?: MemoryLimits;
  readonly rssLimitBytes?: number;
  readonly sources?: readonly MemorySource[];
  readonly onShort?: ReclaimerOptions['onShort'];
  /** Makes it a broken twin, before it starts. */
  readonly bust?: (sim: Sim) => void;
}

/** What a broken twin gets at. */
export interface Insides {
  readonly monitor: { usedBytes(budget: MemoryBudget): number; readonly model: { factor: number } };
  readonly reclaimer: {
    reclaimDirectly(budget: MemoryBudget, free: number): void;
    latched: Set<string>;
    cooldown: { rests(nowMs: number): boolean };
  };
}

/** A process: a heap, a registry, and a reclaimer that is at work. Its group limit errors go nowhere. */
export class Sim implements Disposable {
  readonly time = new SimTime();
  readonly heap: SimHeap;
  readonly registry: ShrinkerRegistry;
  readonly process: FakeSource;
  readonly monitor: MemoryMonitor;
  readonly reclaimer: Reclaimer;
  readonly told: ShortReason[] = [];
  /** What callbacks of shrinkers did wrong. */
  readonly faults: unknown[] = [];
  /** What background reclaim rejected with. */
  readonly errors: unknown[] = [];
  /** Every pass that was begun. */
  readonly passes: ShrinkRequest[] = [];
  #caches = 0;

  constructor(options: SimOptions = {}) {
    this.heap = new SimHeap(options);
    this.registry = new ShrinkerRegistry({ onError: (error) => this.faults.push(error) });
    this.process = new FakeSource('process', {
      usedBytes: 40 * MIB,
      limitBytes: options.rssLimitBytes ?? 1024 * MIB,
      from: 'the simulation',
    });
    this.monitor = new MemoryMonitor({
      registry: this.registry,
      heap: this.heap,
      process: this.process,
      sources: options.sources ?? [],
      ...(options.limits !== undefined && { limits: options.limits }),
    });
    this.reclaimer = new Reclaimer({
      registry: this.registry,
      monitor: this.monitor,
      clock: this.time,
      scheduler: this.time,
      onShort: (reason, budget) => {
        this.told.push(reason);
        options.onShort?.(reason, budget);
      },
      onError: (error) => this.errors.push(error),
    });
    this.#watchPasses();
    options.bust?.(this);
    this.reclaimer.start();
  }

  get insides(): Insides {
    return this as unknown as Insides;
  }

  cache(options: SimCacheOptions = {}): SimCache {
    return new SimCache(this.registry, this.heap, { name: `cache ${this.#caches++}`, ...options });
  }

  /** What caches may keep of the heap when reclaim has come to rest. */
  get highMarkBytes(): number {
    const { limitBytes, watermarks } = this.monitor.budgetOf('heap');
    return limitBytes - watermarks.high - 20 * MIB;
  }

  [Symbol.dispose](): void {
    this.reclaimer.close();
    this.monitor.close();
  }

  #watchPasses(): void {
    const { registry, passes } = this;
    const slab = registry.shrinkSlab.bind(registry);
    const sync = registry.shrinkSlabSync.bind(registry);
    registry.shrinkSlab = (request) => {
      passes.push({ mode: 'background', ...request });
      return slab(request);
    };
    registry.shrinkSlabSync = (request) => {
      passes.push({ mode: 'direct', ...request });
      return sync(request);
    };
  }
}
