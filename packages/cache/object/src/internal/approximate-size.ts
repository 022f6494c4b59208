import { types } from 'node:util';
import { getterOf } from './zone-of.js';

/** Values that one walk looks at. */
const MAX_NODES = 64;
const WORD = 8;
/** Header, map, elements and properties of an object, and a few fields. */
const OBJECT = 56;
const STRING = 24;
const BUFFER = 96;
const FUNCTION = 64;
/** A number in a field of its own; also what else there is no better guess for. */
const SMALL = 16;
/** Key, value and a place in the hash table. */
const MAP_ENTRY = 3 * WORD;

const lengthOfTypedArray = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, 'byteLength');
const lengthOfDataView = getterOf(DataView.prototype, 'byteLength');
const lengthOfBuffer = getterOf(ArrayBuffer.prototype, 'byteLength');
const lengthOfShared = getterOf(SharedArrayBuffer.prototype, 'byteLength');
const sizeOfMap = getterOf(Map.prototype, 'size');
const sizeOfSet = getterOf(Set.prototype, 'size');
const entriesOfMap = Map.prototype.entries;
const valuesOfSet = Set.prototype.values;

/**
 * Bytes of memory that a value takes, roughly: buffers and numbers well, strings as one byte for each character (those
 * with characters above U+00FF take two), objects by a walk over at most 64 of the values in them. A large array, Map or
 * Set counts as if all of it were like its beginning. What an object shares with others counts as its own.
 *
 * Reads own data properties only: no getter, no proxy trap and nothing else of the user's is called, and it never
 * throws. O(1), but for objects with very many properties: their names are listed.
 */
export function approximateSize(value: unknown): number {
  try {
    return Math.min(Math.round(new Walk().sizeOf(value)), Number.MAX_SAFE_INTEGER);
  } catch {
    // A namespace of a module that is not loaded yet throws when it is read; a string may be too long to be made.
    return OBJECT;
  }
}

/**
 * Whether a size is known without a walk. Bare ArrayBuffers are left out: to know one without calling anything of the
 * user's takes longer than the rest of a set.
 */
export function isCheap(value: unknown): boolean {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value);
}

class Walk {
  private left = MAX_NODES;
  private readonly seen = new Set<object>();

  sizeOf(value: unknown): number {
    this.left--;
    switch (typeof value) {
      case 'string':
        return STRING + value.length;
      case 'bigint':
        // Half a byte for each digit.
        return SMALL + WORD * Math.ceil(value.toString(16).length / 16);
      case 'function':
        return FUNCTION;
      case 'object':
        return value === null ? WORD : this.sizeOfObject(value);
      default:
        return SMALL;
    }
  }

  private sizeOfObject(value: object): number {
    if (types.isProxy(value)) {
      return OBJECT;
    }
    if (ArrayBuffer.isView(value)) {
      return BUFFER + ((types.isDataView(value) ? lengthOfDataView(value) : lengthOfTypedArray(value)) as number);
    }
    if (types.isAnyArrayBuffer(value)) {
      return BUFFER + ((types.isSharedArrayBuffer(value) ? lengthOfShared(value) : lengthOfBuffer(value)) as number);
    }
    if (this.seen.has(value)) {
      // Counted where it was met first; this is a reference.
      return WORD;
    }
    this.seen.add(value);
    if (Array.isArray(value)) {
      return OBJECT + this.sizeOfMany(value.length, WORD, elementsOf(value));
    }
    if (types.isMap(value)) {
      return OBJECT + this.sizeOfMany(2 * (sizeOfMap(value) as number), MAP_ENTRY / 2, partsOfMap(value));
    }
    if (types.isSet(value)) {
      return OBJECT + this.sizeOfMany(sizeOfSet(value) as number, MAP_ENTRY, valuesOfSet.call(value));
    }
    const names = Reflect.ownKeys(value);
    return OBJECT + this.sizeOfMany(names.length, WORD, propertiesOf(value, names));
  }

  /** `count` places of so many bytes, and what is in them: in all as in those that the walk gets to. */
  private sizeOfMany(count: number, placeBytes: number, items: Iterable<unknown>): number {
    let bytes = 0;
    let met = 0;
    if (this.left > 0) {
      for (const item of items) {
        met++;
        // What is in the place itself takes nothing besides.
        bytes += isInPlace(item) ? 0 : this.sizeOf(item);
        this.left -= isInPlace(item) ? 1 : 0;
        if (this.left <= 0) {
          break;
        }
      }
    }
    return count * placeBytes + (met === 0 ? 0 : (bytes / met) * count);
  }
}

/** Small integers, booleans, null and undefined are in the word that refers to them. */
function isInPlace(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Math.trunc(value) === value && Math.abs(value) < 2 ** 31)
  );
}

function* elementsOf(array: readonly unknown[]): Iterable<unknown> {
  for (let index = 0; index < array.length; index++) {
    const element = dataOf(array, index);
    // Elements that are all numbers are kept in place, fractions too.
    yield typeof element === 'number' ? 0 : element;
  }
}

function* partsOfMap(map: ReadonlyMap<unknown, unknown>): Iterable<unknown> {
  for (const [key, value] of entriesOfMap.call(map)) {
    yield key;
    yield value;
  }
}

function* propertiesOf(object: object, names: readonly PropertyKey[]): Iterable<unknown> {
  for (const name of names) {
    yield dataOf(object, name);
  }
}

/** A property without asking a getter for it. */
function dataOf(object: object, name: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}
