import { BtreeKeyError } from '../btree-key-error.js';
import type { Key, TreeName } from '../options.js';
import { HotKeys } from './hot-keys.js';
import { NOT_ASCII, hashOfBytes, hashOfLatin, hashOfText } from './key-hash.js';

const MAX_NAME_BYTES = 254;
/** The first byte of the prefix of a tree that is named by a number; others begin with the length of their name. */
const NUMBERED = 0xff;
const MAX_NUMBER = 0xff_ff;

/** A keyspace in the store: what its keys begin with there, and the seed of their hashes. */
export class KeySpace {
  readonly name: TreeName;
  /** Small and unique in its cache. */
  readonly index: number;
  readonly seed: number;
  /** As characters 0 to 255. No prefix of a tree is the beginning of another. */
  readonly prefix: string;
  /** Of key and prefix. */
  readonly maxKeyBytes: number;
  readonly hot: HotKeys = new HotKeys();

  constructor(options: { name: TreeName; index: number; seed: number; prefix: string; maxKeyBytes: number }) {
    this.name = options.name;
    this.index = options.index;
    this.prefix = options.prefix;
    this.maxKeyBytes = options.maxKeyBytes;
    // Trees with the same keys must not collide key by key.
    this.seed = hashOfLatin(options.prefix, options.seed);
  }

  /**
   * The bytes of a key as characters 0 to 255.
   *
   * @throws {TypeError} it is neither bytes nor a well-formed string
   * @throws {RangeError} it is empty
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_TOO_LARGE`
   */
  canonical(key: Key): string {
    const latin = latinOf(key);
    if (latin === '') {
      throw new RangeError('Cannot use an empty key: a key has at least one byte');
    }
    if (latin.length + this.prefix.length > this.maxKeyBytes) {
      throw new BtreeKeyError(
        'ERR_BTREE_KEY_TOO_LARGE',
        `Cannot use a key of ${latin.length + this.prefix.length} bytes: the store takes ${this.maxKeyBytes}`,
      );
    }
    return latin;
  }

  /** Of a canonical key, or of bytes. */
  hash(key: string | Uint8Array): number {
    return typeof key === 'string' ? hashOfLatin(key, this.seed) : hashOfBytes(key, this.seed);
  }

  /** Of a string as the user has it, or {@link NOT_ASCII}. */
  hashText(key: string): number {
    return hashOfText(key, this.seed);
  }

  /** The key in the store. */
  storeKey(key: string): Uint8Array {
    return Buffer.from(this.prefix + key, 'latin1');
  }
}

/**
 * What the keys of a tree begin with.
 *
 * @throws {TypeError | RangeError} it is no name
 */
export function prefixOf(name: TreeName): string {
  if (typeof name === 'number') {
    if (!Number.isInteger(name) || name < 0 || name > MAX_NUMBER) {
      throw new RangeError(`Cannot name a tree ${name}: a number must be an integer from 0 to ${MAX_NUMBER}`);
    }
    return String.fromCharCode(NUMBERED, name >> 8, name & 0xff);
  }
  if (typeof name !== 'string' || !isWellFormed(name)) {
    throw new TypeError(`Cannot name a tree ${String(name)}: it must be a well-formed string or a number`);
  }
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length > MAX_NAME_BYTES) {
    throw new RangeError(`Cannot name a tree with ${bytes.length} bytes: there may be ${MAX_NAME_BYTES}`);
  }
  return String.fromCharCode(bytes.length) + bytes.toString('latin1');
}

/** What is just behind every key with this prefix; null when there is no prefix. */
export function behind(prefix: string): string | null {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const unit = prefix.charCodeAt(at);
    if (unit < 0xff) {
      return prefix.slice(0, at) + String.fromCharCode(unit + 1);
    }
  }
  return null;
}

/** The bytes of a key, which may be empty, as characters. @throws {TypeError} as {@link KeySpace.canonical} */
export function latinOf(key: Key): string {
  if (typeof key === 'string') {
    if (hashOfText(key, 0) !== NOT_ASCII) {
      return key;
    }
    if (!isWellFormed(key)) {
      throw new TypeError('Cannot use a key with half a surrogate pair: it has no bytes of its own');
    }
    return Buffer.from(key, 'utf8').toString('latin1');
  }
  if (!(key instanceof Uint8Array)) {
    throw new TypeError(`Cannot use ${key === null ? 'null' : `a ${typeof key}`} as a key: pass a string or bytes`);
  }
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
