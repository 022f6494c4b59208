import { constants, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SeededRng } from '@core/base';
import { nodeSource } from '@core/fs-source';
import { BufCache } from '../../src/buf-cache.js';
import { BLOCK_BYTES, BLOCKS, type ChildSettings } from './kill-settings.js';

/** A busted child dies with a lie on its lips, and does not leave that to chance. */
const BUSTED_DIES_AT = 20;

/**
 * The process that is killed: fills blocks with the number of the round, syncs, and says which blocks those were. What
 * was said is in a pipe, and stays there when the writer is killed.
 */
async function run(settings: ChildSettings): Promise<never> {
  const rng = new SeededRng(settings.seed);
  const cache = new BufCache({
    blockBytes: BLOCK_BYTES,
    // Fewer blocks than the file has, so that some are written to make room.
    maxBytes: (BLOCKS / 2) * BLOCK_BYTES,
    writeBack: { delayMs: 1 },
  });
  const file = cache.open(nodeSource().openSync(settings.path, constants.O_RDWR | constants.O_CREAT));
  for (let round = 1; ; round++) {
    const blocks = new Set(Array.from({ length: 1 + rng.below(20) }, () => rng.below(BLOCKS)));
    for (const block of blocks) {
      const data = new Uint8Array(new Uint32Array(BLOCK_BYTES / 4).fill(round).buffer);
      if (rng.below(2) === 0) {
        await file.writeAt(block * BLOCK_BYTES, data);
      } else {
        file.writeAtSync(block * BLOCK_BYTES, data);
      }
    }
    if (settings.busted && round === BUSTED_DIES_AT) {
      writeSync(1, `${round} ${[...blocks].join(' ')}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
    await file.sync();
    writeSync(1, `${round} ${[...blocks].join(' ')}\n`);
  }
}

const { values } = parseArgs({ options: { settings: { type: 'string', default: '{}' } } });
await run(JSON.parse(values.settings) as ChildSettings);
