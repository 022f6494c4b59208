import type { FileHandle } from 'node:fs/promises';
import { SeededRng } from '@core/base';

const CHUNK_BYTES = 4096;

export interface LoadOptions {
  readonly files: readonly string[];
  /** Readers at work at the same time. */
  readonly readers: number;
  /** Files to read, by all of them together. */
  readonly reads: number;
  readonly seed: number;
  readonly onProgress: (done: number) => void;
}

export interface LoadResult {
  readonly reads: number;
  readonly bytes: number;
  /** Errors by code: `EBADF` is a read from a handle that was closed under its reader. */
  readonly errors: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Does something with an open handle of `path`, and keeps it open meanwhile, or not: that is the question. */
export type WithHandle = (path: string, section: (handle: FileHandle) => Promise<number>) => Promise<number>;

/** Many concurrent readers, each reading one file after another: popular ones often, in pieces, with awaits between. */
export async function hammer(withHandle: WithHandle, options: LoadOptions): Promise<LoadResult> {
  const rng = new SeededRng(options.seed);
  const errors = new Map<string, number>();
  const startedAt = performance.now();
  let started = 0;
  let done = 0;
  let bytes = 0;

  const reader = async (): Promise<void> => {
    while (started < options.reads) {
      started++;
      // To the fourth power, so that a sixteenth of the files gets half of the reads.
      const path = options.files[Math.floor(rng.next() ** 4 * options.files.length)] as string;
      try {
        // Not `bytes += await …`: that would add to what `bytes` was before the await.
        const read = await withHandle(path, readInPieces);
        bytes += read;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        errors.set(code, (errors.get(code) ?? 0) + 1);
      }
      done++;
      options.onProgress(done);
    }
  };

  await Promise.all(Array.from({ length: options.readers }, reader));
  return { reads: done, bytes, errors, seconds: (performance.now() - startedAt) / 1000 };
}

/** Size first, then piece by piece: at each await another reader runs, and may make the cache evict this handle. */
async function readInPieces(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const wanted = Math.min(size, 4 * CHUNK_BYTES);
  let position = 0;
  while (position < wanted) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) {
      break;
    }
    position += bytesRead;
  }
  return position;
}
