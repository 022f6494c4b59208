import nodeFs, { constants } from 'node:fs';
import { SeededRng } from '@core/base';
import { BufCache } from '@cache/buf';
import { type CachedFs, createCachedFs, type NodeFs } from '@cache/fs';
import { nodeSource } from '@core/fs-source';
import { wallClock } from '../harness/clocks.js';
import { atLeast, type Competitor, type Size } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';
import { scratchFile } from './scratch-files.js';

const BLOCK = 4096;
/** What a stream reads at a time, unless told otherwise. */
const STREAM_BYTES = 65_536;
const COPY_FASTER = 10;
const AS_FAST = 1;
const OF_NODE = 0.9;
/** Of a file that is read again, which does not change: it is not looked at again. */
const OLD_MS = 3_600_000;

function readsOf(size: Size): number {
  return size === 'real' ? 50_000 : 500;
}

function randomBlocks(blocks: number, reads: number): Int32Array {
  const rng = new SeededRng(1);
  return Int32Array.from({ length: reads }, () => rng.below(blocks));
}

/** One block at a time, into the same buffer. */
function byBlocks(name: string, order: Int32Array, read: (target: Buffer, block: number) => void): Competitor {
  const target = Buffer.alloc(BLOCK);
  let sum = 0;
  return {
    name,
    operations: order.length,
    run() {
      sum = 1;
      for (let at = 0; at < order.length; at++) {
        read(target, order[at] as number);
        sum += target[1] as number;
      }
    },
    hash: () => sum,
  };
}

function bySystem(path: string, order: Int32Array): Competitor {
  const fd = nodeFs.openSync(path, 'r');
  return byBlocks('fs.readSync', order, (target, block) => nodeFs.readSync(fd, target, 0, BLOCK, block * BLOCK));
}

function byFacade(cached: CachedFs, path: string, order: Int32Array): Competitor {
  const fd = cached.openSync(path, 'r');
  return byBlocks('CachedFs.readSync', order, (target, block) => cached.readSync(fd, target, 0, BLOCK, block * BLOCK));
}

function byBuf(cache: BufCache, path: string, order: Int32Array): Competitor {
  const file = cache.open(nodeSource().openSync(path, constants.O_RDONLY));
  return byBlocks('BufFile.readIntoSync', order, (target, block) => {
    file.readIntoSync(target, 0, BLOCK, block * BLOCK);
  });
}

/** What none that copies can beat. */
function byCopy(path: string, blocks: number, order: Int32Array): Competitor {
  const content = nodeFs.readFileSync(path);
  const views = Array.from({ length: blocks }, (_, block) =>
    Uint8Array.prototype.slice.call(content, block * BLOCK, (block + 1) * BLOCK),
  );
  return byBlocks('the copy alone', order, (target, block) => {
    target.set(views[block] as Uint8Array);
  });
}

/** @param blocks of which all are cached */
function copies(name: string, blocks: number, target: ReturnType<typeof atLeast> | undefined): Case {
  return {
    name,
    async run(size) {
      const path = scratchFile(blocks * BLOCK);
      const order = randomBlocks(blocks, readsOf(size));
      const cached = createCachedFs({ revalidate: { ageMs: OLD_MS } });
      const cache = new BufCache();
      const system = bySystem(path, order);
      const ours = [byBuf(cache, path, order), byFacade(cached, path, order), byCopy(path, blocks, order)];
      const result = await race(
        {
          competitors: [system, ...ours],
          comparisons: ours.map(({ name: of }, index) => ({
            what: 'faster',
            of,
            against: system.name,
            as: 'speedup' as const,
            ...(index === 0 && target !== undefined ? { target } : index === 1 ? { target: atLeast(AS_FAST) } : {}),
          })),
        },
        size,
      );
      await cached.close();
      await cache.close();
      return result;
    },
  };
}

function byStream(name: string, fs: NodeFs, path: string, bytes: number): Competitor {
  let sum = 0;
  return {
    name,
    operations: bytes / BLOCK,
    async run() {
      sum = 1;
      for await (const chunk of fs.createReadStream(path)) {
        sum += (chunk as Buffer)[1] as number;
      }
    },
    hash: () => sum,
  };
}

/** The whole of it in one piece: what a cold read is measured by. */
function byReadFile(path: string, bytes: number): Competitor {
  let sum = 0;
  return {
    name: 'readFile',
    operations: bytes / BLOCK,
    async run() {
      const content = await nodeFs.promises.readFile(path);
      sum = 1;
      for (let at = 0; at < bytes; at += STREAM_BYTES) {
        sum += content[at + 1] as number;
      }
    },
    hash: () => sum,
  };
}

function bySequence(name: string, fs: NodeFs, path: string, bytes: number): Competitor {
  const target = Buffer.alloc(BLOCK);
  let sum = 0;
  return {
    name,
    operations: bytes / BLOCK,
    run() {
      const fd = fs.openSync(path, 'r');
      sum = 1;
      while (fs.readSync(fd, target) > 0) {
        sum += target[1] as number;
      }
      fs.closeSync(fd);
    },
    hash: () => sum,
  };
}

/** A whole file, from the beginning, by the system and by the façade. */
function wholes(
  name: string,
  of: (name: string, fs: NodeFs, path: string, bytes: number) => Competitor,
  budgetOf: (bytes: number) => number,
  target: number,
  against: 'node:fs' | 'readFile' = 'node:fs',
): Case {
  return {
    name,
    async run(size) {
      const bytes = size === 'real' ? 16 << 20 : 1 << 20;
      const path = scratchFile(bytes);
      const cached = createCachedFs({ maxBytes: budgetOf(bytes), revalidate: { ageMs: OLD_MS } });
      const result = await race(
        {
          competitors: [
            of('node:fs', nodeFs, path, bytes),
            of('CachedFs', cached, path, bytes),
            ...(against === 'readFile' ? [byReadFile(path, bytes)] : []),
          ],
          comparisons: [
            ...(against === 'readFile'
              ? [{ what: 'throughput', of: 'CachedFs', against: 'node:fs', as: 'speedup' as const }]
              : []),
            { what: 'throughput', of: 'CachedFs', against, as: 'speedup', target: atLeast(target) },
          ],
          clock: wallClock,
        },
        size,
      );
      await cached.close();
      return result;
    },
  };
}

/** Half of it is for blocks: the file fits. */
function ample(bytes: number): number {
  return 4 * bytes;
}

/** The file is twice as large as what blocks may take, so that none is there when it is wanted. */
function scarce(bytes: number): number {
  return bytes;
}

/** What a read by descriptor costs, where the bytes have to be the caller's own. */
export const openFilesQuestion: Question = {
  id: 'open-files',
  asks: 'What does a read of an open file cost?',
  cases: [
    copies("hits in the processor's cache", 64, atLeast(COPY_FASTER)),
    copies('hits in memory', 4096, undefined),
    wholes('a stream, cached', byStream, ample, AS_FAST),
    wholes('a stream, cold', byStream, scarce, OF_NODE, 'readFile'),
    wholes('sequential, cached', bySequence, ample, AS_FAST),
    wholes('sequential, cold', bySequence, scarce, OF_NODE),
  ],
};
