import type { Clock, Scheduler } from '@core/base';
import {
  type MemoryBudget,
  MemoryMonitor,
  type MemoryReport,
  Reclaimer,
  type ReportedOthers,
  reportOf,
  type ShortReason,
} from '@core/pressure';
import type { MemoryGroup, ShrinkerRegistry, Zone } from '@core/shrinker';
import type { MemoryChoice, MemoryStats } from '../memory-option.js';

export interface HostMemoryOptions {
  readonly choice: MemoryChoice;
  readonly registry: ShrinkerRegistry;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** What the host knows of pendings and readers. */
  readonly others: () => ReportedOthers;
  readonly onShort: (reason: ShortReason, budget: MemoryBudget) => void;
  readonly onError: (error: unknown) => void;
}

/** The monitor and the reclaimer of one host, if it has any. */
export class HostMemory {
  readonly #options: HostMemoryOptions;
  readonly #parts: { readonly monitor: MemoryMonitor; readonly reclaimer: Reclaimer } | null;

  constructor(options: HostMemoryOptions) {
    this.#options = options;
    const { choice, registry } = options;
    if (choice.mode === 'off') {
      this.#parts = null;
      return;
    }
    this.#parts = this.#make();
    if (choice.limits.totalBytes !== undefined) {
      // Watermarks keep below it; this is for what they let through.
      registry.root.limits.max = choice.limits.totalBytes;
    }
    this.#parts.reclaimer.start();
  }

  /** What caches are charged to by default; null when nothing is accounted. */
  get group(): MemoryGroup | null {
    return this.#parts === null ? null : this.#options.registry.root;
  }

  reserve(bytes: number, zone?: Zone): boolean {
    return this.#parts === null ? true : this.#parts.reclaimer.reserve(bytes, zone);
  }

  stats(): MemoryStats {
    const { mode, limits } = this.#options.choice;
    return {
      mode,
      limitBytes: limits.totalBytes ?? null,
      enforced: this.#parts !== null,
      monitor: this.#parts?.monitor.stats() ?? null,
      reclaim: this.#parts?.reclaimer.stats() ?? null,
    };
  }

  report(reason: MemoryReport['reason'] = 'asked'): MemoryReport {
    const { registry, others } = this.#options;
    const parts = this.#parts ?? this.#make();
    try {
      return reportOf(registry, parts.monitor, parts.reclaimer, reason, others());
    } finally {
      if (this.#parts === null) {
        parts.monitor.close();
      }
    }
  }

  close(): void {
    this.#parts?.reclaimer.close();
    this.#parts?.monitor.close();
  }

  #make(): { readonly monitor: MemoryMonitor; readonly reclaimer: Reclaimer } {
    const { choice, registry, clock, scheduler, onShort, onError } = this.#options;
    const monitor = new MemoryMonitor({ registry, limits: choice.limits });
    const reclaimer = new Reclaimer({ registry, monitor, clock, scheduler, onShort, onError });
    return { monitor, reclaimer };
  }
}
