import nodeFs from 'node:fs';
import { join } from 'node:path';
import { SeededRng } from '@core/base';
import { systemError } from '@core/fs-source';
import { ShrinkerRegistry } from '@core/shrinker';
import { createCachedFs } from '@cache/fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BackingReads } from '../src/internal/backing-reads.js';
import { checkInvariants } from '../src/internal/views.js';
import { scratch } from './support/scratch.js';

const FILE_BYTES = 600_000;
const CALLERS = 8;
const READS = 150;

type Read = (...args: readonly unknown[]) => void;

/** A file system whose reads and looks take some turns, and fail now and then. */
function slowFs(rng: SeededRng, faults: number): object {
  const slow = (call: Read): Read => {
    return (...args) => {
      const callback = args.at(-1) as (error: unknown) => void;
      const go = (turns: number): void => {
        if (turns > 0) {
          setImmediate(go, turns - 1);
        } else if (rng.below(1000) < faults) {
          callback(systemError('EIO', 'read'));
        } else {
          call(...args);
        }
      };
      go(rng.below(6));
    };
  };
  const { fstat, read, readv } = nodeFs as unknown as Record<string, Read>;
  return { ...nodeFs, fstat: slow(fstat as Read), read: slow(read as Read), readv: slow(readv as Read) };
}

interface Outcome {
  /** Reads that brought other bytes than the file has. */
  readonly wrong: number;
  readonly failed: number;
  readonly hits: number;
}

/** Several callers read one file that does not change, by descriptors of their own, which they close and open again. */
async function callers(seed: number, faults: number): Promise<Outcome> {
  using area = scratch();
  const path = join(area.path, 'file');
  const content = Buffer.from(Array.from({ length: FILE_BYTES }, (_, at) => (at * 7 + (at >> 9)) & 255));
  nodeFs.writeFileSync(path, content);
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + 60_000);
  const rng = new SeededRng(seed);
  const shrinkers = new ShrinkerRegistry();
  const cached = createCachedFs({ fs: slowFs(rng, faults), shrinkers, maxBytes: 512 * 1024 });
  const before = nodeFs.readdirSync('/proc/self/fd').length;
  const counts = { wrong: 0, failed: 0 };

  const call = async (): Promise<void> => {
    let fd = cached.openSync(path, 'r');
    let next = 0;
    for (let time = 0; time < READS; time++) {
      const isOwn = rng.below(2) === 0;
      const position = rng.below(FILE_BYTES + 1000);
      const at = isOwn ? next : position;
      const length = 1 + rng.below(rng.below(3) === 0 ? 100_000 : 5000);
      const buffer = Buffer.alloc(length);
      const got = await new Promise<number | null>((resolve) => {
        cached.read(fd, buffer, 0, length, isOwn ? null : position, (error, bytes) => {
          resolve(error === null ? bytes : null);
        });
      });
      if (got === null) {
        counts.failed++;
      } else {
        counts.wrong += buffer.subarray(0, got).equals(content.subarray(at, at + length)) ? 0 : 1;
        next = isOwn ? at + got : next;
      }
      if (rng.below(20) === 0) {
        shrinkers.shrinkSlabSync({ priority: rng.below(4), zone: 'external' });
      }
      if (rng.below(15) === 0) {
        cached.closeSync(fd);
        checkInvariants(cached);
        fd = cached.openSync(path, 'r');
        next = 0;
      }
    }
    cached.closeSync(fd);
  };

  await Promise.all(Array.from({ length: CALLERS }, call));
  checkInvariants(cached);
  const hits = cached.stats().blocks?.hits ?? 0;
  await cached.close();
  expect(cached.stats().blocks).toMatchObject({ used: 0, arenaBytes: 0, inFlight: 0 });
  expect(nodeFs.readdirSync('/proc/self/fd')).toHaveLength(before);
  return { ...counts, hits };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('many callers at a time get what the file has', () => {
  it.each([1, 2, 3])('seed %i', async (seed) => {
    const { wrong, failed, hits } = await callers(seed, 0);
    expect([wrong, failed]).toEqual([0, 0]);
    expect(hits).toBeGreaterThan(50);
  });

  it.each([4, 5, 6])('or an error, where a read fails and fails again: seed %i', async (seed) => {
    const { wrong, failed } = await callers(seed, 150);
    expect(wrong).toBe(0);
    expect(failed).toBeGreaterThan(0);
  });

  it('a variant whose blocks come from the wrong place is found', async () => {
    const { readv } = BackingReads.prototype;
    vi.spyOn(BackingReads.prototype, 'readv').mockImplementation(function (this: BackingReads, fd, buffers, position) {
      return readv.call(this, fd, buffers, position === 0 ? 0 : position - 1);
    });
    expect((await callers(1, 0)).wrong).toBeGreaterThan(0);
  });
});
