import { AbstractIterator, type AbstractIteratorOptions, type AbstractLevel } from 'abstract-level';
import type { LevelEntry } from './level-backend.js';
import { fromBackendKey } from './level-keys.js';

/** A range whose first answer has been asked for, so that its snapshot is taken. */
export interface BegunRange {
  readonly range: AsyncIterableIterator<LevelEntry>;
  readonly first: Promise<IteratorResult<LevelEntry>>;
}

/** Begins a range at a key, or at its own beginning; null: the key is outside. */
export type BeginRange = (target?: Uint8Array) => BegunRange | null;

export class KeyLevelIterator<K, V> extends AbstractIterator<AbstractLevel<Uint8Array, K, V>, K, V> {
  readonly #begin: BeginRange;
  #range: AsyncIterableIterator<LevelEntry> | null = null;
  #first: Promise<IteratorResult<LevelEntry>> | null = null;
  /** The ends of ranges that were left for another. */
  #left: Promise<unknown> = Promise.resolve();

  constructor(level: AbstractLevel<Uint8Array, K, V>, options: AbstractIteratorOptions<K, V>, begin: BeginRange) {
    super(level, options);
    this.#begin = begin;
    this.#use(begin());
  }

  async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    const answer = this.#first ?? this.#range?.next();
    this.#first = null;
    if (answer === undefined) {
      return undefined;
    }
    const { done, value } = await answer;
    return done === true ? undefined : [fromBackendKey(value[0]), value[1]];
  }

  _seek(target: Uint8Array): void {
    const left = this.#range;
    this.#left = Promise.all([this.#left, left?.return?.()]);
    // `_close` hears of it.
    this.#left.catch(() => {});
    this.#use(this.#begin(target));
  }

  async _close(): Promise<void> {
    await Promise.all([this.#left, this.#range?.return?.()]);
  }

  #use(begun: BegunRange | null): void {
    this.#range = begun?.range ?? null;
    this.#first = begun?.first ?? null;
  }
}
