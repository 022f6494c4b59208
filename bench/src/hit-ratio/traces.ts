import { readFileSync, readdirSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type KeyStream, keyStream } from './key-stream.js';

const SHIPPED = new URL('../../traces/', import.meta.url);

/**
 * The traces in `bench/traces`, which were recorded for this: identifiers and words of the types of Node in reading
 * order, the trees of each commit of this repository, and the files that a compiler asks for.
 */
export function shippedTraces(): KeyStream[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.br'))
    .toSorted()
    .map((file) =>
      keyStream(file.slice(0, -'.br'.length), numbersIn(brotliDecompressSync(readFileSync(new URL(file, SHIPPED))))),
    );
}

/** Traces of the reader's own: text files with a key to a line, as they are or as `.gz` or `.br`. */
export function tracesIn(folder: string): KeyStream[] {
  return readdirSync(folder)
    .filter((file) => /\.txt(\.gz|\.br)?$/.test(file))
    .toSorted()
    .map((file) => {
      const bytes = readFileSync(`${folder}/${file}`);
      const text = file.endsWith('.gz')
        ? gunzipSync(bytes)
        : file.endsWith('.br')
          ? brotliDecompressSync(bytes)
          : bytes;
      return keyStream(file.replace(/\.txt.*$/, ''), text.toString('latin1').trimEnd().split('\n'));
    });
}

/** Each number is the difference to the one before, its sign in the lowest bit, 7 bits to a byte, the lowest first. */
function* numbersIn(bytes: Uint8Array): Iterable<number> {
  let last = 0;
  let code = 0;
  let unit = 1;
  for (const byte of bytes) {
    code += (byte % 128) * unit;
    unit *= 128;
    if (byte < 128) {
      last += code % 2 === 0 ? code / 2 : -(code + 1) / 2;
      yield last;
      code = 0;
      unit = 1;
    }
  }
}
