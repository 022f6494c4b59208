import { assert, type Rng } from '@core/base';
import type { ShrinkControl } from '@core/shrinker';
import { BufError, type BufCache, type BufFile, type DelwriQueue } from '../../src/index.js';
import { fault, type TestSource, turn } from './test-source.js';

/** Callers write stripes of their own, so that each knows what it must read, while they share the blocks. */
const STRIPE = 96;

export interface ModelOptions {
  readonly cache: BufCache;
  readonly file: BufFile;
  readonly source: TestSource;
  readonly rng: Rng & { below(bound: number): number };
  readonly callers: number;
  /** Bytes that the file may have. */
  readonly maxBytes: number;
  /** How many of 1,000 calls of the source fail. */
  readonly faults: number;
  /** Lets timers run. */
  readonly tick: () => void;
}

/** A plain array of bytes beside a cached file, and callers who do the same to both. */
export class BufModel {
  private readonly options: ModelOptions;
  /** What reading must give. */
  bytes: Uint8Array;
  failures = 0;
  private readonly queue: DelwriQueue;

  constructor(options: ModelOptions) {
    this.options = options;
    this.bytes = options.source.bytes.slice();
    this.queue = options.cache.delwriQueue();
    options.source.delay = () => Math.max(0, options.rng.below(6) - 2);
    const { source, rng, faults } = options;
    source.before = ({ kind, length }) => {
      if ((kind === 'read' || kind === 'write') && rng.below(1000) < faults) {
        throw fault(rng.below(2) === 0 ? 'EIO' : 'ENOSPC');
      }
      // Some come short.
      return length > 100 && rng.below(10) === 0 ? 1 + rng.below(length) : undefined;
    };
  }

  /** Everybody at once, each so many operations; then the file is compared as a whole. */
  async round(operations: number): Promise<void> {
    const { callers, tick } = this.options;
    const rest = { callers };
    await Promise.all([
      ...Array.from({ length: callers }, async (_, caller) => {
        try {
          await this.call(caller, operations);
        } finally {
          rest.callers--;
        }
      }),
      (async () => {
        while (rest.callers > 0) {
          await turn();
          tick();
        }
      })(),
    ]);
    this.options.cache.checkInvariants();
    await this.compare();
  }

  /** Cuts or extends the file, while nobody else is at it. */
  async resize(): Promise<void> {
    const { file, rng, maxBytes } = this.options;
    const length = rng.below(maxBytes);
    if (rng.below(2) === 0) {
      await file.truncate(length);
    } else {
      await this.attempt(
        async () => {
          file.truncateSync(length);
        },
        () => file.truncate(length),
      );
    }
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes.subarray(0, length));
    this.bytes = bytes;
  }

  /** Whether the file has all that was written, after a sync that did not fail. */
  async sync(): Promise<void> {
    const { file, source } = this.options;
    const { before } = source;
    source.before = () => {};
    await file.sync();
    source.before = before;
    check(source.durable, this.bytes, 'the file after a sync');
  }

  private async compare(): Promise<void> {
    const { file, source } = this.options;
    const { before } = source;
    source.before = () => {};
    check(await file.readAt(0, 2 * this.options.maxBytes), this.bytes, 'the file as it is read');
    source.before = before;
  }

  private async call(caller: number, operations: number): Promise<void> {
    const { rng } = this.options;
    for (let index = 0; index < operations; index++) {
      await this.operate(caller, rng.below(100));
      if (rng.below(4) === 0) {
        await turn();
      }
    }
  }

  private async operate(caller: number, die: number): Promise<void> {
    const { file, cache, rng } = this.options;
    if (die < 30) {
      await this.read(caller, rng.below(2) === 0);
    } else if (die < 62) {
      await this.write(caller, rng.below(2) === 0);
    } else if (die < 70) {
      await this.change(caller);
    } else if (die < 78) {
      await this.holdOne(caller);
    } else if (die < 84) {
      file.invalidate({ position: rng.below(this.bytes.length + 1), length: rng.below(4000) });
    } else if (die < 90) {
      await cache.asShrinker().scan(control(1 + rng.below(40)));
    } else if (die < 95) {
      await this.attempt(() => file.flush());
    } else if (die < 98) {
      await this.attempt(async () => {
        await file.sync();
        this.checkDurable(caller);
      });
    } else {
      await this.attempt(async () => {
        file.syncSync();
        this.checkDurable(caller);
      });
    }
    cache.checkInvariants();
  }

  /** After a sync: the disk has all that the caller has written. */
  private checkDurable(caller: number): void {
    const { callers, source } = this.options;
    for (let start = caller * STRIPE; start < this.bytes.length; start += callers * STRIPE) {
      const expected = this.bytes.subarray(start, start + STRIPE);
      const actual = source.durable.subarray(start, start + STRIPE);
      // Where only others have made the file longer, there may be nothing yet.
      const known = expected.some((byte) => byte !== 0) ? expected.findLastIndex((byte) => byte !== 0) + 1 : 0;
      check(actual.subarray(0, known), expected.subarray(0, known), `the stripe at ${start} after a sync`);
    }
  }

  /** A piece of a stripe of the caller's own. */
  private place(caller: number): { readonly position: number; readonly length: number } {
    const { callers, maxBytes, rng } = this.options;
    const stripes = Math.floor(maxBytes / STRIPE / callers);
    const stripe = rng.below(stripes) * callers + caller;
    const skip = rng.below(STRIPE);
    return { position: stripe * STRIPE + skip, length: 1 + rng.below(STRIPE - skip) };
  }

  private async read(caller: number, sync: boolean): Promise<void> {
    const { file } = this.options;
    const { position, length } = this.place(caller);
    // Nobody makes the file shorter; others may make it longer meanwhile.
    const least = Math.min(length, this.bytes.length - position);
    await this.attempt(async () => {
      const read = sync ? file.readAtSync(position, length) : await file.readAt(position, length);
      const expected = new Uint8Array(read.length);
      expected.set(this.bytes.subarray(position, position + read.length));
      check(read, expected, `${length} bytes at ${position}`);
      assert(read.length >= least, () => `${read.length} bytes came at ${position}`);
    });
  }

  private async write(caller: number, sync: boolean): Promise<void> {
    const { file, rng } = this.options;
    const { position, length } = this.place(caller);
    const data = Uint8Array.from({ length }, () => rng.below(256));
    const write = async (): Promise<void> => {
      if (sync) {
        file.writeAtSync(position, data);
      } else {
        await file.writeAt(position, data);
      }
    };
    await this.attempt(write, async () => {
      // What came of it is not known, so it is done again, until it is.
      for (;;) {
        try {
          await file.writeAt(position, data);
          return;
        } catch (error) {
          this.check(error);
          // Who holds the blocks goes on in another turn; those on the queue nobody else writes.
          await turn();
          await this.attempt(async () => {
            await this.queue.submit({ nowait: true });
          });
        }
      }
    });
    this.put(position, data);
  }

  private put(position: number, data: Uint8Array): void {
    if (position + data.length > this.bytes.length) {
      const bytes = new Uint8Array(position + data.length);
      bytes.set(this.bytes);
      this.bytes = bytes;
    }
    this.bytes.set(data, position);
  }

  /** Changes a buffer under its lock, across turns, and delays the write: on the file's queue, or on the model's own. */
  private async change(caller: number): Promise<void> {
    const { file, cache, rng } = this.options;
    const { position, length } = this.place(caller);
    await this.attempt(async () => {
      if (rng.below(3) === 0) {
        await this.queue.submit({ nowait: rng.below(2) === 0 });
      }
      const block = Math.floor(position / cache.blockBytes);
      using guard = await file.hold(block);
      const { buf } = guard;
      await buf.lock();
      try {
        for (let turns = rng.below(3); turns > 0; turns--) {
          await turn();
        }
        const from = position - block * cache.blockBytes;
        const to = Math.min(from + length, buf.validBytes);
        if (!buf.isStale && from < to) {
          const data = Uint8Array.from({ length: to - from }, () => rng.below(256));
          buf.bytes.set(data, from);
          buf.delayWrite(rng.below(2) === 0 ? this.queue : undefined);
          this.put(position, data);
        }
      } finally {
        buf.unlock();
      }
    });
  }

  /** Holds a block across turns; what the caller's own stripes have in it must not change. */
  private async holdOne(caller: number): Promise<void> {
    const { file, cache, callers, rng } = this.options;
    await this.attempt(async () => {
      const { blockBytes } = cache;
      const block = rng.below(Math.ceil(this.options.maxBytes / blockBytes));
      using guard = await file.hold(block);
      const start = block * blockBytes;
      const own = Array.from({ length: blockBytes }, (_, index) => start + index).filter(
        (position) => Math.floor(position / STRIPE) % callers === caller && position < this.bytes.length,
      );
      for (let turns = rng.below(4); turns > 0; turns--) {
        await turn();
        const wrong = guard.buf.isStale
          ? undefined
          : own.find((position) => guard.bytes[position - start] !== this.bytes[position]);
        assert(wrong === undefined, () => `A held block has changed at ${wrong}`);
      }
    });
  }

  private async attempt(action: () => Promise<void>, otherwise: () => Promise<void> = async () => {}): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.check(error);
      await otherwise();
    }
  }

  /** Only errors that the faults explain. */
  private check(error: unknown): void {
    const { code } = error as { code?: unknown };
    if (code !== 'EIO' && code !== 'ENOSPC' && !BufError.is(error)) {
      throw error;
    }
    this.failures++;
  }
}

function check(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) !== 0) {
    const at = actual.findIndex((byte, index) => byte !== expected[index]);
    throw new Error(
      `${what}: ${actual.length} bytes, not ${expected.length}; at ${at} it is ${actual[at]}, not ${expected[at]}`,
    );
  }
}

export function control(nrToScan: number): ShrinkControl {
  return { zone: 'external', group: null, nrToScan, nrScanned: nrToScan, priority: 12, mode: 'background' };
}
