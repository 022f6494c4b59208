import type { BigIntStats } from 'node:fs';
import type { SourceFile } from '@core/fs-source';

export interface Call {
  readonly kind: 'read' | 'write' | 'datasync' | 'truncate' | 'close';
  readonly sync: boolean;
  readonly position: number;
  readonly length: number;
  /** Buffers that were passed. */
  readonly vectors: number;
}

export function fault(code: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: test`), { code });
}

/** A file in memory whose calls are recorded, and can be made to wait, to fail, and to come short. */
export class TestSource implements SourceFile {
  readonly fd = 3;
  bytes: Uint8Array;
  /** What a crash of the machine would leave. */
  durable: Uint8Array;
  readonly calls: Call[] = [];
  closed = false;
  /** Asynchronous calls wait for {@link step}. */
  manual = false;
  /** Asked before each call is carried out. Throws to fail it; a number is how many bytes it does at most. */
  before: (call: Call) => number | void = () => {};
  /** How many turns an asynchronous call takes before it is carried out, and after that. */
  delay: () => number = () => 0;
  private readonly waiting: (() => void)[] = [];

  constructor(bytes: Uint8Array | number = 0) {
    this.bytes = typeof bytes === 'number' ? pattern(bytes) : bytes;
    this.durable = this.bytes.slice();
  }

  /** Calls that wait. */
  get pending(): number {
    return this.waiting.length;
  }

  /** Carries out the call at `index` of those that wait, and lets what follows from it run. */
  async step(index = 0): Promise<void> {
    const [resolve] = this.waiting.splice(index, 1);
    resolve?.();
    await turn();
  }

  /** Carries out everything, what follows as well. */
  async steps(): Promise<void> {
    await turn();
    while (this.waiting.length > 0) {
      await this.step();
    }
  }

  count(kind: Call['kind']): number {
    return this.calls.filter((call) => call.kind === kind).length;
  }

  stat(): Promise<BigIntStats> {
    throw new Error('not used');
  }

  statSync(): BigIntStats {
    throw new Error('not used');
  }

  async read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const most = await this.begin('read', position, buffers);
    const done = this.doRead(buffers, position, most);
    await turns(this.delay());
    return done;
  }

  readSync(buffers: readonly Uint8Array[], position: number): number {
    return this.doRead(buffers, position, this.beginSync('read', position, buffers));
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const most = await this.begin('write', position, buffers);
    const done = this.doWrite(buffers, position, most);
    await turns(this.delay());
    return done;
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    return this.doWrite(buffers, position, this.beginSync('write', position, buffers));
  }

  async datasync(): Promise<void> {
    await this.begin('datasync', 0, []);
    this.durable = this.bytes.slice();
  }

  datasyncSync(): void {
    this.beginSync('datasync', 0, []);
    this.durable = this.bytes.slice();
  }

  async truncate(bytes: number): Promise<void> {
    await this.begin('truncate', bytes, []);
    this.resize(bytes);
  }

  truncateSync(bytes: number): void {
    this.beginSync('truncate', bytes, []);
    this.resize(bytes);
  }

  async close(): Promise<void> {
    await this.begin('close', 0, []);
    this.closed = true;
  }

  closeSync(): void {
    this.beginSync('close', 0, []);
    this.closed = true;
  }

  /** Cuts or extends the file behind the cache's back. */
  resize(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes.subarray(0, length));
    this.bytes = bytes;
  }

  private async begin(kind: Call['kind'], position: number, buffers: readonly Uint8Array[]): Promise<number> {
    const call = this.record(kind, false, position, buffers);
    if (this.manual) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    } else {
      await turns(this.delay());
    }
    return this.before(call) ?? Infinity;
  }

  private beginSync(kind: Call['kind'], position: number, buffers: readonly Uint8Array[]): number {
    return this.before(this.record(kind, true, position, buffers)) ?? Infinity;
  }

  private record(kind: Call['kind'], sync: boolean, position: number, buffers: readonly Uint8Array[]): Call {
    if (this.closed) {
      throw fault('EBADF');
    }
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const call = { kind, sync, position, length, vectors: buffers.length };
    this.calls.push(call);
    return call;
  }

  private doRead(buffers: readonly Uint8Array[], position: number, most: number): number {
    let done = 0;
    for (const buffer of buffers) {
      const part = this.bytes.subarray(position + done, position + Math.min(done + buffer.length, most));
      buffer.set(part);
      done += part.length;
      if (part.length < buffer.length) {
        break;
      }
    }
    return done;
  }

  private doWrite(buffers: readonly Uint8Array[], position: number, most: number): number {
    let done = 0;
    for (const buffer of buffers) {
      const part = buffer.subarray(0, Math.max(0, most - done));
      if (position + done + part.length > this.bytes.length) {
        this.resize(position + done + part.length);
      }
      this.bytes.set(part, position + done);
      done += part.length;
    }
    return done;
  }
}

/** Bytes that tell where they are. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) * 13 + seed * 31 + 1) & 0xff);
}

/** Lets everything run that is due. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export async function turns(count = 6): Promise<void> {
  for (let index = 0; index < count; index++) {
    await turn();
  }
}
