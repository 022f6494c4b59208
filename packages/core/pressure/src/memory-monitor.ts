import type { ShrinkerRegistry, Zone } from '@core/shrinker';
import { HeapModel } from './internal/heap-model.js';
import { type HeapSource, V8HeapSource } from './heap-source.js';
import { CgroupSource } from './cgroup-source.js';
import {
  type BudgetName,
  budgetsOf,
  HEAP_FLOOR_BYTES,
  type MemoryBudget,
  type MemoryLimits,
  type ProcessLimit,
} from './memory-budget.js';
import type { MemoryReading, MemorySource } from './memory-source.js';
import { ProcessSource } from './process-source.js';
import { PsiSource } from './psi-source.js';
import { HEAP_WATERMARKS, type Watermarks, watermarksOf } from './watermarks.js';

export interface MemoryMonitorOptions {
  /** Whose charges count. */
  readonly registry: ShrinkerRegistry;
  /** Instead of what is found. */
  readonly limits?: MemoryLimits;
  /** Default: the heap of this thread. */
  readonly heap?: HeapSource;
  /** The resident set and the memory of the machine. Default: of this process. */
  readonly process?: MemorySource;
  /** Other limits and signals. Default: the container's control groups, and pressure-stall information. */
  readonly sources?: readonly MemorySource[];
}

/** A budget, and how it stands. Bytes. */
export interface BudgetState extends MemoryBudget {
  readonly usedBytes: number;
  /** Below 0 when more is used than may be. */
  readonly freeBytes: number;
  /** `min`: direct reclaim; `low`: background reclaim; `high`: on the way back; `ok`: enough is free. */
  readonly level: 'ok' | 'high' | 'low' | 'min';
}

/** What a monitor has come to, and where it comes from. */
export interface MonitorStats {
  readonly budgets: readonly BudgetState[];
  readonly heap: {
    /** What was alive after the last major collection. */
    readonly liveAtLastBytes: number;
    /** Live bytes for each byte that is charged, as measured. */
    readonly factor: number;
    /** Major collections that were seen. */
    readonly collections: number;
    /** Lost between large objects. */
    readonly wastedBytes: number;
  };
  /** The last reading of each source that there is. One without a limit has none that counts. */
  readonly sources: readonly (MemoryReading & { readonly name: string })[];
  /** Share of time in which tasks stalled for memory; 0 where that is unknown. */
  readonly stalledShare: number;
}

/**
 * Knows how much memory there is, and how much of it is in use.
 *
 * The heap is judged by what is alive: by what the last major collection left, and what has been charged since. What is
 * outside of it by what is charged. The resident set is no measure, since it has garbage in it, and pages that were
 * never given back.
 */
export class MemoryMonitor {
  readonly registry: ShrinkerRegistry;
  /** By name. They change when the limit of the container does. */
  budgets: readonly MemoryBudget[];
  private readonly heap: HeapSource;
  private readonly model: HeapModel;
  private readonly processSource: MemorySource;
  private readonly sources: readonly MemorySource[];
  private readonly limits: MemoryLimits;
  private readonly baseBytes: number;
  private readings: readonly (MemoryReading & { readonly name: string })[] = [];
  private limit: ProcessLimit;
  private wastedBytes = 0;
  /** Retired bytes at the last two polls: what was there both times is stuck. */
  private lastRetired: Record<Zone, number> = { heap: 0, external: 0, shared: 0 };
  private stuck: Record<Zone, number> = { heap: 0, external: 0, shared: 0 };

  constructor(options: MemoryMonitorOptions) {
    this.registry = options.registry;
    this.limits = checkLimits(options.limits ?? {});
    this.heap = options.heap ?? new V8HeapSource();
    this.processSource = options.process ?? new ProcessSource();
    this.sources = options.sources ?? [new CgroupSource(), new PsiSource()];
    this.model = new HeapModel(this.heap.usedBytes(), this.registry.root.usage('heap'));
    this.baseBytes = this.processSource.read()?.usedBytes ?? 0;
    this.limit = this.readLimit();
    this.budgets = this.divide();
  }

  /** Looks for major collections. Tens of microseconds. @returns how many there were */
  sample(): number {
    this.model.see(this.registry.root.usage('heap'));
    const collections = this.heap.collections();
    if (collections.length > 0) {
      const charged = this.registry.root.usage('heap');
      const limitBytes = this.budgetOf('heap').limitBytes;
      for (const collection of collections) {
        this.model.collected(collection, charged, limitBytes);
      }
      if (this.model.wastedBytes !== this.wastedBytes) {
        this.wastedBytes = this.model.wastedBytes;
        this.budgets = this.divide();
      }
    }
    return collections.length;
  }

  /** As {@link sample}, and reads every source: for about once a second. */
  poll(): void {
    this.sample();
    const before = this.limit;
    this.limit = this.readLimit();
    if (this.limit.bytes !== before.bytes) {
      this.budgets = this.divide();
    }
    for (const zone of ['heap', 'external', 'shared'] as const) {
      const retired = this.registry.retiredBytes(zone);
      this.stuck[zone] = Math.min(retired, this.lastRetired[zone]);
      this.lastRetired[zone] = retired;
    }
  }

  /** How much of a budget is in use. */
  usedBytes(budget: MemoryBudget): number {
    const { root } = this.registry;
    if (budget.name === 'heap') {
      return this.model.live(root.usage('heap'), this.heap.usedBytes());
    }
    let used = 0;
    for (const zone of budget.zones) {
      used += root.usage(zone) + this.stuck[zone];
    }
    return used;
  }

  /** May be below 0. */
  freeBytes(budget: MemoryBudget): number {
    return budget.limitBytes - this.usedBytes(budget);
  }

  budgetOf(name: BudgetName): MemoryBudget {
    return this.budgets.find((budget) => budget.name === name) as MemoryBudget;
  }

  /** How many live bytes go with a byte that is charged. */
  factorOf(budget: MemoryBudget): number {
    return budget.name === 'heap' ? this.model.factor : 1;
  }

  /** By how much more than expected the last major collections left, together, since this was last asked. */
  takeSurprise(): number {
    return this.model.takeSurprise();
  }

  /** Bytes by which the process is too large for its container, or 0. */
  get overflowBytes(): number {
    let overflow = 0;
    for (const { name, usedBytes = 0, limitBytes = Infinity } of this.readings) {
      // Others may be in the container too: what they use says nothing of a limit that is for this process alone.
      const limit = name === this.processSource.name ? this.limit.bytes : limitBytes;
      overflow = Math.max(overflow, usedBytes - NEAR_SHARE * limit);
    }
    return overflow;
  }

  get stalledShare(): number {
    return Math.max(0, ...this.readings.map(({ stalledShare }) => stalledShare ?? 0));
  }

  stateOf(budget: MemoryBudget): BudgetState {
    const usedBytes = this.usedBytes(budget);
    const freeBytes = budget.limitBytes - usedBytes;
    const { min, low, high } = budget.watermarks;
    const level = freeBytes < min ? 'min' : freeBytes < low ? 'low' : freeBytes < high ? 'high' : 'ok';
    return { ...budget, usedBytes, freeBytes, level };
  }

  stats(): MonitorStats {
    const { model } = this;
    return {
      budgets: this.budgets.map((budget) => this.stateOf(budget)),
      heap: {
        liveAtLastBytes: model.liveAtLast,
        factor: model.factor,
        collections: model.collections,
        wastedBytes: this.wastedBytes,
      },
      sources: this.readings,
      stalledShare: this.stalledShare,
    };
  }

  close(): void {
    this.heap.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The smallest limit of the process that any source knows. */
  private readLimit(): ProcessLimit {
    const readings: (MemoryReading & { readonly name: string })[] = [];
    let limit: ProcessLimit = { bytes: Infinity, from: 'nothing' };
    for (const source of [this.processSource, ...this.sources]) {
      const reading = source.read();
      if (reading === null) {
        continue;
      }
      const { limitBytes = Infinity, ...rest } = reading;
      // Infinity would be null in JSON.
      readings.push({ name: source.name, ...rest, ...(limitBytes === Infinity ? {} : { limitBytes }) });
      if (limitBytes < limit.bytes) {
        limit = { bytes: limitBytes, from: reading.from ?? source.name };
      }
    }
    this.readings = readings;
    const { rssBytes } = this.limits;
    return rssBytes === undefined ? limit : { bytes: rssBytes, from: 'options' };
  }

  private divide(): MemoryBudget[] {
    const budgets = budgetsOf(this.heap.limit(), this.limit, this.baseBytes, this.limits);
    return this.wastedBytes === 0 ? budgets : budgets.map((budget) => this.lessWaste(budget));
  }

  private lessWaste(budget: MemoryBudget): MemoryBudget {
    if (budget.name !== 'heap') {
      return budget;
    }
    const limitBytes = Math.max(budget.limitBytes / 2, budget.limitBytes - this.wastedBytes);
    const watermarks: Watermarks = watermarksOf(limitBytes, HEAP_WATERMARKS, HEAP_FLOOR_BYTES);
    return { ...budget, limitBytes, from: `${budget.from}, less what large objects waste`, watermarks };
  }
}

/** When a process uses more than so much of what it may, its caches give back whatever they account. */
const NEAR_SHARE = 0.95;

function checkLimits(limits: MemoryLimits): MemoryLimits {
  for (const [name, bytes] of Object.entries(limits) as [string, unknown][]) {
    if (bytes !== undefined && typeof bytes !== 'number') {
      throw new TypeError(`Cannot limit memory: ${name} is ${String(bytes)}, give a number of bytes`);
    }
    if (bytes !== undefined && !(bytes > 0 && Number.isFinite(bytes))) {
      throw new RangeError(`Cannot limit memory: ${name} is ${String(bytes)}, give bytes above 0`);
    }
  }
  return limits;
}
