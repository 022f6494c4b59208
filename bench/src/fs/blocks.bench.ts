import fs, { constants } from 'node:fs';
import { SeededRng } from '@core/base';
import { BufCache, type BufFile } from '@cache/buf';
import { nodeSource } from '@core/fs-source';
import { wallClock } from '../harness/clocks.js';
import { atLeast, type Competitor, type Size } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';
import { scratchFile } from './scratch-files.js';

const BLOCK = 4096;
const HIT_FASTER = 10;
const OF_READ_FILE = 0.9;

function shapeOf(size: Size): { readonly fileBytes: number; readonly reads: number } {
  return size === 'real' ? { fileBytes: 64 << 20, reads: 100_000 } : { fileBytes: 1 << 20, reads: 500 };
}

/** Numbers of blocks: such as the cache has. */
function orderOf(blocks: number, reads: number, random: boolean): Int32Array {
  const rng = new SeededRng(1);
  return Int32Array.from({ length: reads }, (_, index) => (random ? rng.below(blocks) : index % blocks));
}

function byReadSync(path: string, order: Int32Array): Competitor {
  const fd = fs.openSync(path, 'r');
  const target = Buffer.alloc(BLOCK);
  let sum = 0;
  return {
    name: 'fs.readSync',
    operations: order.length,
    run() {
      sum = 1;
      for (let at = 0; at < order.length; at++) {
        fs.readSync(fd, target, 0, BLOCK, (order[at] as number) * BLOCK);
        sum += target[1] as number;
      }
    },
    hash: () => sum,
  };
}

function byHit(file: BufFile, order: Int32Array): Competitor {
  let sum = 0;
  return {
    name: 'BufFile.get',
    operations: order.length,
    run() {
      sum = 1;
      for (let at = 0; at < order.length; at++) {
        const buf = file.get(order[at] as number) ?? file.readSync(order[at] as number);
        sum += buf.bytes[1] as number;
      }
    },
    hash: () => sum,
  };
}

function hits(random: boolean): Case {
  return {
    name: random ? 'random hits' : 'sequential hits',
    async run(size) {
      const { fileBytes, reads } = shapeOf(size);
      const path = scratchFile(fileBytes);
      // The budget is half of the file: what is read is what fits.
      const cache = new BufCache({ maxBytes: fileBytes / 2 });
      const file = cache.open(nodeSource().openSync(path, constants.O_RDONLY));
      const order = orderOf(fileBytes / BLOCK / 4, reads, random);
      for (const block of order) {
        file.readSync(block);
      }
      const result = await race(
        {
          competitors: [byReadSync(path, order), byHit(file, order)],
          comparisons: [
            { what: 'faster', of: 'BufFile.get', against: 'fs.readSync', as: 'speedup', target: atLeast(HIT_FASTER) },
          ],
        },
        size,
      );
      await cache.close();
      return result;
    },
  };
}

function wholeByReadFile(path: string, bytes: number): Competitor {
  let sum = 0;
  return {
    name: 'readFile',
    operations: bytes / BLOCK,
    async run() {
      const content = await fs.promises.readFile(path);
      sum = 1;
      for (let at = 0; at < content.length; at += BLOCK) {
        sum += content[at + 1] as number;
      }
    },
    hash: () => sum,
  };
}

function wholeByBlocks(path: string, bytes: number): Competitor {
  let sum = 0;
  return {
    name: 'BufFile.read, cold',
    operations: bytes / BLOCK,
    async run() {
      const cache = new BufCache({ maxBytes: bytes / 2 });
      const file = cache.open(await nodeSource().open(path, constants.O_RDONLY));
      sum = 1;
      for (let block = 0; block < bytes / BLOCK; block++) {
        const buf = file.get(block) ?? (await file.read(block));
        sum += buf.bytes[1] as number;
      }
      await cache.close();
    },
    hash: () => sum,
  };
}

const cold: Case = {
  name: 'sequential, cold',
  async run(size) {
    const { fileBytes } = shapeOf(size);
    const path = scratchFile(fileBytes);
    return race(
      {
        competitors: [wholeByReadFile(path, fileBytes), wholeByBlocks(path, fileBytes)],
        comparisons: [
          {
            what: 'throughput',
            of: 'BufFile.read, cold',
            against: 'readFile',
            as: 'speedup',
            target: atLeast(OF_READ_FILE),
          },
        ],
        clock: wallClock,
      },
      size,
    );
  },
};

/** What a block of a file costs that is cached, and what it costs to fill the cache. */
export const blocksQuestion: Question = {
  id: 'blocks',
  asks: 'What does a block of a file cost?',
  cases: [hits(true), hits(false), cold],
};
