/**
 * What `ShrinkerRegistry.alloc` returns: the handle to register and to free. Made by a registry only.
 *
 * It lives once: allocated, registered, freed.
 */
export abstract class Shrinker {
  /** Unique within its registry, never used again, and kept by a rename. */
  readonly id: number;
  readonly name: string;
  /** What the spec said, or its default. */
  readonly seeks: number;
  /** What the spec said, or its default. */
  readonly batch: number;
  readonly zoneAware: boolean;
  readonly groupAware: boolean;
  readonly nonSlab: boolean;

  protected constructor(own: ShrinkerProperties) {
    this.id = own.id;
    this.name = own.name;
    this.seeks = own.seeks;
    this.batch = own.batch;
    this.zoneAware = own.zoneAware;
    this.groupAware = own.groupAware;
    this.nonSlab = own.nonSlab;
  }
}

/** What is fixed when a shrinker is allocated; all but the name, for good. */
export interface ShrinkerProperties {
  readonly id: number;
  readonly name: string;
  readonly seeks: number;
  readonly batch: number;
  readonly zoneAware: boolean;
  readonly groupAware: boolean;
  readonly nonSlab: boolean;
}
