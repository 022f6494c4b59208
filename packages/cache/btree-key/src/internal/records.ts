import { BtreeKeyError } from '../btree-key-error.js';
import { writeLatin } from './write-latin.js';

/** The first byte of each record. */
const FORMAT = 1;
const PUT = 0;
const DEL = 1;
const MAX_VARINT_BYTES = 5;
/** Records up to so many bytes share views, one for each length. */
const SHARED_VIEW_BYTES = 512;

/** What a record says of a key: its value from then on, or undefined: none. */
export interface RecordedValue {
  /** In the store, tree included, as characters 0 to 255. */
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/**
 * Builds the payload of a journal record: `1`, how many keys, and of each: kind, length and bytes of the key in the
 * store, and of a put the length and bytes of the value. Lengths are varints. One buffer for all records.
 */
export class RecordWriter {
  private bytes = Buffer.allocUnsafeSlow(1024);
  private end = 0;
  private readonly views: (Uint8Array | null)[] = Array.from({ length: SHARED_VIEW_BYTES + 1 }, () => null);

  begin(count: number): void {
    this.bytes[0] = FORMAT;
    this.end = 1;
    this.varint(count);
  }

  /** @param prefix of the key, as the key itself: characters 0 to 255 */
  add(prefix: string, key: string, value: Uint8Array | undefined): void {
    const keyBytes = prefix.length + key.length;
    this.room(1 + 2 * MAX_VARINT_BYTES + keyBytes + (value?.length ?? 0));
    this.bytes[this.end++] = value === undefined ? DEL : PUT;
    this.varint(keyBytes);
    writeLatin(this.bytes, prefix, this.end);
    writeLatin(this.bytes, key, this.end + prefix.length);
    this.end += keyBytes;
    if (value !== undefined) {
      this.varint(value.length);
      this.bytes.set(value, this.end);
      this.end += value.length;
    }
  }

  /** Good until the next `begin`. */
  finish(): Uint8Array {
    const { end } = this;
    if (end > SHARED_VIEW_BYTES) {
      return this.bytes.subarray(0, end);
    }
    return (this.views[end] ??= this.bytes.subarray(0, end));
  }

  private varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.end++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.end++] = rest;
  }

  private room(bytes: number): void {
    if (this.end + bytes > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + bytes));
      larger.set(this.bytes.subarray(0, this.end));
      this.bytes = larger;
      this.views.fill(null);
    }
  }
}

/**
 * What a record says. Values are copies.
 *
 * @throws {BtreeKeyError} `ERR_BTREE_KEY_REPLAY`: it is no record of this package, or of a newer one
 */
export function readRecord(sequence: number, payload: Uint8Array): RecordedValue[] {
  const reader = new RecordReader(sequence, payload);
  const format = reader.byte();
  if (format !== FORMAT) {
    throw reader.error(`its format is ${format}`);
  }
  const count = reader.varint();
  const values: RecordedValue[] = [];
  for (let index = 0; index < count; index++) {
    const kind = reader.byte();
    if (kind !== PUT && kind !== DEL) {
      throw reader.error(`it has an operation of kind ${kind}`);
    }
    const key = reader.take(reader.varint()).toString('latin1');
    values.push({ key, value: kind === PUT ? new Uint8Array(reader.take(reader.varint())) : undefined });
  }
  reader.finish();
  return values;
}

class RecordReader {
  private at = 0;
  private readonly sequence: number;
  private readonly bytes: Buffer;

  constructor(sequence: number, payload: Uint8Array) {
    this.sequence = sequence;
    this.bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) {
      throw this.error('it ends in the middle');
    }
    this.at++;
    return byte;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
      scale *= 0x80;
    }
    throw this.error('a length has no end');
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) {
      throw this.error('it ends in the middle');
    }
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  finish(): void {
    if (this.at !== this.bytes.length) {
      throw this.error('it has more bytes than it says');
    }
  }

  error(reason: string): BtreeKeyError {
    return new BtreeKeyError(
      'ERR_BTREE_KEY_REPLAY',
      `Cannot replay record ${this.sequence} of the journal: ${reason}; was the journal written by something else, or by a newer version?`,
    );
  }
}
