import type { MemoryGroup, ShrinkControl, Shrinker, ShrinkerRegistry, ShrinkerSpec, Zone } from '@core/shrinker';
import { SHRINK_EMPTY } from '@core/shrinker';
import type { SimHeap } from './sim-heap.js';

export interface SimCacheOptions {
  readonly name?: string;
  /** Bytes that one value takes on the heap; or outside of it, in another zone. */
  readonly realBytes?: number;
  /** What is charged for it. */
  readonly chargedBytes?: number;
  readonly zone?: Zone;
  readonly group?: MemoryGroup;
  /** Whether somebody else holds all values, so that evicting them frees nothing. */
  readonly held?: boolean;
  readonly spec?: Partial<ShrinkerSpec>;
}

/** An LRU of values of one size, which charges what it keeps. */
export class SimCache {
  count = 0;
  evicted = 0;
  held: boolean;
  readonly shrinker: Shrinker;
  private readonly group: MemoryGroup;
  private readonly heap: SimHeap;
  private readonly zone: Zone;
  private readonly realBytes: number;
  private readonly chargedBytes: number;

  constructor(registry: ShrinkerRegistry, heap: SimHeap, options: SimCacheOptions = {}) {
    this.heap = heap;
    this.group = options.group ?? registry.root;
    this.zone = options.zone ?? 'heap';
    this.realBytes = options.realBytes ?? 16_384;
    this.chargedBytes = options.chargedBytes ?? this.realBytes;
    this.held = options.held ?? false;
    const isOwn = ({ group, zone }: ShrinkControl): boolean =>
      (group === null || group === this.group) && (zone === this.zone || options.spec?.zoneAware !== true);
    this.shrinker = registry.alloc({
      name: options.name ?? 'cache',
      batch: 16,
      count: (sc) => (isOwn(sc) ? this.count || SHRINK_EMPTY : 0),
      scan: (sc) => this.evict(sc.nrToScan),
      groupAware: options.group !== undefined,
      ...options.spec,
    });
    registry.register(this.shrinker);
  }

  get bytes(): number {
    return this.count * this.realBytes;
  }

  insert(): void {
    this.group.charge(this.chargedBytes, this.zone);
    this.count++;
    if (this.count === 1) {
      this.group.setShrinkerBit(this.shrinker, this.zone);
    }
    if (this.zone === 'heap') {
      this.heap.alloc(this.realBytes);
    }
  }

  insertBytes(bytes: number): void {
    for (let inserted = 0; inserted < bytes; inserted += this.realBytes) {
      this.insert();
    }
  }

  evict(count: number): number {
    const evicted = Math.min(count, this.count);
    this.count -= evicted;
    this.evicted += evicted;
    this.group.uncharge(evicted * this.chargedBytes, this.zone);
    if (this.zone === 'heap' && !this.held) {
      this.heap.drop(evicted * this.realBytes);
    }
    return evicted;
  }
}
