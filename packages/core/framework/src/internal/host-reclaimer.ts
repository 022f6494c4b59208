import type { Clock } from '@core/base';
import type { ShrinkerRegistry, Zone } from '@core/shrinker';
import type { ReclaimRequest, Reclaimer } from '../reclaimer.js';
import type { Announcer } from './announcer.js';
import type { HostMemory } from './host-memory.js';

/** By hand, everything is looked at: that is what a caller without a number means. */
const BY_HAND = 0;

/** One pass of the registry for each call. */
export class HostReclaimer implements Reclaimer {
  readonly #registry: ShrinkerRegistry;
  readonly #announcer: Announcer;
  readonly #clock: Clock;
  readonly #memory: HostMemory;

  constructor(registry: ShrinkerRegistry, announcer: Announcer, clock: Clock, memory: HostMemory) {
    this.#memory = memory;
    this.#registry = registry;
    this.#announcer = announcer;
    this.#clock = clock;
  }

  async reclaim(request: ReclaimRequest = {}): Promise<number> {
    const startedMs = this.#clock.now();
    const freed = await this.#registry.shrinkSlab({ ...request, priority: request.priority ?? BY_HAND });
    this.#done(freed, request, 'background', startedMs);
    return freed;
  }

  reclaimSync(request: ReclaimRequest = {}): number {
    const startedMs = this.#clock.now();
    const freed = this.#registry.shrinkSlabSync({ ...request, priority: request.priority ?? BY_HAND });
    this.#done(freed, request, 'direct', startedMs);
    return freed;
  }

  reserve(bytes: number, zone?: Zone): boolean {
    return this.#memory.reserve(bytes, zone);
  }

  #done(freed: number, request: ReclaimRequest, mode: 'background' | 'direct', startedMs: number): void {
    if (this.#announcer.heard('reclaimed')) {
      const durationMs = this.#clock.now() - startedMs;
      const { priority = BY_HAND, zone = null } = request;
      this.#announcer.emit('reclaimed', { freed, priority, zone, mode, durationMs });
    }
  }
}
