import type { ExploreOptions, Step, ThreadBody } from '../explore-options.js';

/**
 * How the model goes about it.
 *
 * `right`: whoever adds the first object sets the bit after it; a pass that counts none clears the bit, counts again,
 * and sets it again if there are any. Busted, each by one thing: `bit-first` sets the bit before the object is there;
 * `no-recount` clears the bit and leaves; `recount-first` counts again before it clears; `no-reset` counts again and
 * does nothing about it.
 */
export type ShrinkerBitVariant = 'right' | 'bit-first' | 'no-recount' | 'recount-first' | 'no-reset';

export const SHRINKER_BIT_VARIANTS: readonly ShrinkerBitVariant[] = [
  'right',
  'bit-first',
  'no-recount',
  'recount-first',
  'no-reset',
];

export interface ShrinkerBitModelOptions {
  readonly variant?: ShrinkerBitVariant;
  /** Default 1. */
  readonly producers?: number;
  /** Objects that each producer adds. Default 2. */
  readonly objects?: number;
  /** Passes. Default 2. */
  readonly passes?: number;
}

export interface ShrinkerBitRegisters {
  items: number;
  bit: boolean;
  /** Threads that are bound to set the bit before they end, or to look whether they have to. */
  about: number;
}

/**
 * The bit that tells passes of a shrinker's objects in a group: producers that add, and passes that take objects away,
 * and clear the bit when there are none.
 *
 * The invariant: there are no objects without the bit, unless somebody is about to set it. A bit without objects is
 * fine: the next pass finds out.
 *
 * @see Linux mm/shrinker.c, shrink_slab_memcg
 */
export function shrinkerBitModel(options: ShrinkerBitModelOptions = {}): ExploreOptions<ShrinkerBitRegisters> {
  const variant = options.variant ?? 'right';
  const threads: Record<string, ThreadBody<ShrinkerBitRegisters>> = {};
  for (let producer = 0; producer < (options.producers ?? 1); producer++) {
    threads[`producer${producer}`] = (r) => produce(r, options.objects ?? 2, variant);
  }
  threads['pass'] = (r) => shrink(r, options.passes ?? 2, variant);
  return {
    registers: () => ({ items: 0, bit: false, about: 0 }),
    threads,
    invariant: lostObjects,
    final: lostObjects,
  };
}

function lostObjects({ items, bit, about }: ShrinkerBitRegisters): string | undefined {
  return items > 0 && !bit && about === 0 ? `${items} objects, and no bit that tells of them` : undefined;
}

function* produce(
  r: ShrinkerBitRegisters,
  objects: number,
  variant: ShrinkerBitVariant,
): Generator<Step | string, void, void> {
  for (let object = 0; object < objects; object++) {
    if (variant === 'bit-first') {
      yield 'bit = 1 unless there are objects';
      r.bit ||= r.items === 0;
      yield 'add an object';
      r.items++;
      continue;
    }
    yield 'add an object';
    const isFirst = r.items++ === 0;
    if (isFirst) {
      r.about++;
      yield 'bit = 1, since it was the first';
      r.bit = true;
      r.about--;
    }
  }
}

function* shrink(
  r: ShrinkerBitRegisters,
  passes: number,
  variant: ShrinkerBitVariant,
): Generator<Step | string, void, void> {
  for (let pass = 0; pass < passes; pass++) {
    yield 'look at the bit';
    if (!r.bit) {
      continue;
    }
    yield 'count';
    if (r.items > 0) {
      yield 'take all objects';
      r.items = 0;
      continue;
    }
    if (variant === 'recount-first') {
      yield 'count again';
      if (r.items > 0) {
        continue;
      }
    }
    yield 'bit = 0';
    r.bit = false;
    if (variant === 'no-recount' || variant === 'recount-first') {
      continue;
    }
    r.about++;
    yield 'count again';
    if (r.items > 0 && variant !== 'no-reset') {
      yield 'bit = 1 again';
      r.bit = true;
    }
    r.about--;
  }
}
