import { type Shrinker, ShrinkerRegistry, type ShrinkerSpec } from '@core/shrinker';

/**
 * The registry of one host: remembers who registered what, and forgives a plugin that frees what the host has freed.
 *
 * A plugin registers through its context, which gives its name; or directly while it is built, started or stopped, one
 * plugin at a time, when `owner` is its name. What is registered directly later has no known owner.
 */
export class HostRegistry extends ShrinkerRegistry {
  /** Who registers now, as far as is known. */
  owner: string | null = null;
  readonly #known = new Map<number, { readonly shrinker: Shrinker; readonly owner: string | null }>();
  readonly #freed = new WeakMap<Shrinker, Promise<void>>();

  /** Those that nobody has freed, in the order of registration. */
  get registered(): Shrinker[] {
    const found: Shrinker[] = [];
    for (const { id, freeing } of this.debug.list()) {
      const known = freeing ? undefined : this.#known.get(id);
      if (known !== undefined) {
        found.push(known.shrinker);
      }
    }
    return found;
  }

  registerFor(owner: string, spec: ShrinkerSpec): Shrinker {
    const outer = this.owner;
    this.owner = owner;
    try {
      const shrinker = this.alloc(spec);
      this.register(shrinker);
      return shrinker;
    } finally {
      this.owner = outer;
    }
  }

  override register(shrinker: Shrinker): void {
    super.register(shrinker);
    this.#known.set(shrinker.id, { shrinker, owner: this.owner });
  }

  override async free(shrinker: Shrinker | null | undefined): Promise<void> {
    const freed = shrinker ? this.#freed.get(shrinker) : undefined;
    await (freed ?? super.free(shrinker));
    if (shrinker) {
      this.#known.delete(shrinker.id);
    }
  }

  /** As `free`; afterwards the plugin's own `free` of it is harmless, and waits for the same runs. */
  freeForOwner(shrinker: Shrinker): Promise<void> {
    const freed = this.free(shrinker);
    this.#freed.set(shrinker, freed);
    return freed;
  }

  ownerOf(id: number): string | null {
    return this.#known.get(id)?.owner ?? null;
  }

  /** For leaks: `shrinker "x" registered by plugin "y"`. */
  describe({ id, name }: { readonly id: number; readonly name: string }): string {
    const owner = this.ownerOf(id);
    return `shrinker "${name}"${owner === null ? '' : ` registered by plugin "${owner}"`}`;
  }
}
