import { assert } from '@core/base';
import type { DerivedKind, Prunable } from '@cache/inode';

interface Young {
  readonly kind: DerivedKind<never>;
  readonly value: unknown;
  readonly bytes: number;
  readonly validUntilMs: number;
}

/** What is remembered of a value that was too large: that there was one. */
const MIN_BYTES = 64;

/**
 * Values made of files whose attributes nobody has asked for. They are believed for as long as new attributes would be,
 * and no longer: there is no change stamp to tell by that the file is still the same. For a program that reads thousands
 * of small files once each, they save two calls of three.
 */
export class YoungContents<K> implements Prunable {
  private readonly maxBytes: number;
  /** In the order of their age. */
  private readonly values = new Map<K, Young>();
  private bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get<T>(key: K, kind: DerivedKind<T>, nowMs: number): T | undefined {
    const young = this.values.get(key);
    return young !== undefined && (young.kind as unknown) === kind && young.validUntilMs > nowMs
      ? (young.value as T)
      : undefined;
  }

  /** Whether there is one, or was one that is too old, too large, or of another kind. */
  has(key: K): boolean {
    return this.values.has(key);
  }

  set<T>(key: K, kind: DerivedKind<T>, value: T, validUntilMs: number): void {
    this.delete(key);
    const bytes = MIN_BYTES + kind.sizeOf(value);
    const isLarge = bytes > this.maxBytes / 4;
    this.values.set(key, {
      kind,
      value: isLarge ? undefined : value,
      bytes: isLarge ? MIN_BYTES : bytes,
      validUntilMs,
    });
    this.bytes += isLarge ? MIN_BYTES : bytes;
    if (this.bytes > this.maxBytes) {
      this.drop(() => this.bytes > this.maxBytes);
    }
  }

  clear(): void {
    this.values.clear();
    this.bytes = 0;
  }

  count(): number {
    return this.values.size;
  }

  prune(nr: number): number {
    let left = nr;
    return this.drop(() => left-- > 0);
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    let bytes = 0;
    for (const young of this.values.values()) {
      bytes += young.bytes;
    }
    assert(bytes === this.bytes, () => `${this.bytes} bytes are counted, of ${bytes}`);
    assert(bytes <= this.maxBytes || this.values.size === 0, () => `${bytes} bytes, of ${this.maxBytes}`);
  }

  private drop(isWanted: () => boolean): number {
    const before = this.values.size;
    for (const key of this.values.keys()) {
      if (!isWanted()) {
        break;
      }
      this.delete(key);
    }
    return before - this.values.size;
  }

  delete(key: K): void {
    const young = this.values.get(key);
    if (young !== undefined) {
      this.values.delete(key);
      this.bytes -= young.bytes;
    }
  }
}
