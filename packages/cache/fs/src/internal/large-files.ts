import type { FileReader } from './contents.js';
import type { FileBlocks } from './file-blocks.js';
import { noAnswer } from './names.js';

/** Whole files by blocks: those that are too large to be kept as one value. Their bytes are the caller's own. */
export class LargeFiles implements FileReader {
  private readonly blocks: FileBlocks;

  constructor(blocks: FileBlocks) {
    this.blocks = blocks;
  }

  async read(path: string): Promise<Buffer> {
    const { reads } = this.blocks;
    const fd = await reads.open(path);
    const open = this.blocks.open(fd);
    try {
      return answerOf(await open.readRest());
    } finally {
      open.close();
      await reads.close(fd);
    }
  }

  readSync(path: string): Buffer {
    const { reads } = this.blocks;
    const fd = reads.openSync(path);
    const open = this.blocks.open(fd);
    try {
      return answerOf(open.readRestSync());
    } finally {
      open.close();
      reads.closeSync(fd);
    }
  }
}

function answerOf(content: Buffer | undefined): Buffer {
  if (content === undefined) {
    throw noAnswer('it is no file for blocks');
  }
  return content;
}
