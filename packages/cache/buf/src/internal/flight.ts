import type { Buf } from '../buf.js';
import type { FileState } from './file-state.js';

/** Neighbouring blocks of a file under one read or write. Holds each of them once. */
export class BlockFlight {
  readonly file: FileState;
  readonly bufs: readonly Buf[];
  /** Never rejects. */
  ended: Promise<void> = Promise.resolve();
  over = false;
  /** As a whole, if it is a read; of a write, some of it. */
  failed = false;
  error: unknown = null;

  constructor(file: FileState, bufs: readonly Buf[]) {
    this.file = file;
    this.bufs = bufs;
    for (const buf of bufs) {
      buf.flight = this;
    }
  }

  get count(): number {
    return this.bufs.length;
  }
}

/** The bytes of buffers, from `skip` bytes into the first on; what lies side by side in memory is one view. */
export function viewsOf(bufs: readonly Buf[], first: number, skip: number, lastBytes: number): Uint8Array[] {
  const views: Uint8Array[] = [];
  const { length: blockBytes, buffer } = (bufs[first] as Buf).bytes;
  let memory = buffer;
  let start = 0;
  let end = -1;
  for (let index = first; index < bufs.length; index++) {
    const { bytes } = bufs[index] as Buf;
    const from = bytes.byteOffset + (index === first ? skip : 0);
    if (end !== from || bytes.buffer !== memory) {
      if (end >= 0) {
        views.push(new Uint8Array(memory, start, end - start));
      }
      memory = bytes.buffer;
      start = from;
    }
    end = bytes.byteOffset + (index === bufs.length - 1 ? lastBytes : blockBytes);
  }
  views.push(new Uint8Array(memory, start, end - start));
  return views;
}
