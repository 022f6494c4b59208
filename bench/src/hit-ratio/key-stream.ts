/** What is asked of a cache, in order. */
export interface KeyStream {
  readonly name: string;
  /** From 0 to `footprint` - 1, in the order in which they come first. */
  readonly keys: Int32Array;
  /** Different keys. */
  readonly footprint: number;
}

/** Numbers the keys anew. Any keys that a `Map` tells apart. */
export function keyStream(name: string, keys: Iterable<unknown>): KeyStream {
  const numbers = new Map<unknown, number>();
  const stream: number[] = [];
  for (const key of keys) {
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
    }
    stream.push(number);
  }
  return { name, keys: Int32Array.from(stream), footprint: numbers.size };
}
