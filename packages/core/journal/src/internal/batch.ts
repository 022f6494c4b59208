import { recordChecksum } from './checksum.js';
import { FRAME_HEADER, RECORD_HEADER } from './format.js';

/** So much room a batch has at first; it grows to what a commit needs, and is used again. */
const FIRST_BYTES = 8 * 1024;

/** The records of one commit, as they will lie in the file, behind room for the frame's header. */
export class Batch {
  buffer: Buffer;
  /** Bytes, those for the frame's header included. */
  used: number = FRAME_HEADER;
  count = 0;
  firstSequence = 0;
  private view: DataView;
  private promise: Promise<void> | null = null;
  private settled: { resolve(): void; reject(error: Error): void } | null = null;

  constructor() {
    this.buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.view = viewOf(this.buffer);
  }

  get lastSequence(): number {
    return this.firstSequence + this.count - 1;
  }

  add(payload: Uint8Array, sequence: number, life: number): void {
    const { length } = payload;
    const start = this.used;
    const end = start + RECORD_HEADER + length;
    if (end > this.buffer.length) {
      this.grow(end);
    }
    const { view } = this;
    view.setUint32(start, length, true);
    view.setUint32(start + 4, sequence >>> 0, true);
    view.setUint32(start + 8, Math.floor(sequence / 2 ** 32), true);
    view.setUint32(start + 12, recordChecksum(payload, life, sequence), true);
    this.buffer.set(payload, start + RECORD_HEADER);
    if (this.count++ === 0) {
      this.firstSequence = sequence;
    }
    this.used = end;
  }

  /** So many zeros lie behind the records, in the buffer, until something is added. */
  fillBehind(zeros: number): void {
    if (this.used + zeros > this.buffer.length) {
      this.grow(this.used + zeros);
    }
    this.buffer.fill(0, this.used, this.used + zeros);
  }

  /** The same promise for all who wait for the batch; made only when somebody does. */
  committed(): Promise<void> {
    this.promise ??= new Promise((resolve, reject) => {
      this.settled = { resolve, reject };
    });
    return this.promise;
  }

  resolve(): void {
    this.settled?.resolve();
  }

  reject(error: Error): void {
    this.settled?.reject(error);
  }

  /** Makes it as new, with the room that it has. */
  clear(): void {
    this.used = FRAME_HEADER;
    this.count = 0;
    this.firstSequence = 0;
    this.promise = null;
    this.settled = null;
  }

  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.used);
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
