import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';

/** Keeps each value for `ttlMs`. Knows nothing of the framework: no decorator slows its hot path. */
export class TtlCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly untilMs: number }>();
  readonly #now: () => number;
  readonly #ttlMs: number;

  constructor(now: () => number, ttlMs: number) {
    this.#now = now;
    this.#ttlMs = ttlMs;
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() < entry.untilMs ? entry.value : undefined;
  }
  set(key: string, value: V): void {
    this.#entries.delete(key); // So that the map stays in the order of expiry.
    this.#entries.set(key, { value, untilMs: this.#now() + this.#ttlMs });
  }
  evict(count: number): number {
    const keys = [...this.#entries.keys()].slice(0, count);
    return keys.filter((key) => this.#entries.delete(key)).length;
  }
}

@cachePlugin({ name: 'ttl', provides: TtlCache })
class TtlPlugin<V> {
  readonly provided: TtlCache<V>;
  constructor(@inject(TOKENS.Context) context: PluginContext, @inject(TOKENS.Options) { ttlMs }: { ttlMs: number }) {
    const cache = (this.provided = new TtlCache<V>(() => context.clock.now(), ttlMs));
    context.shrinker({ count: () => cache.size, scan: (sc) => cache.evict(sc.nrToScan) });
  }
}
export const ttlCache = <V>(options: { ttlMs: number; name?: string }): Plugin<TtlCache<V>> =>
  pluginOf(TtlPlugin<V>, options);
