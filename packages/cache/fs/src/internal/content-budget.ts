import type { InodeCache, Prunable } from '@cache/inode';

/** Objects to a round. */
const BATCH = 16;

/** One of the caches that share a budget. */
export interface BudgetPart extends Prunable {
  /** What it takes now. */
  readonly bytes: number;
}

/** As a {@link BudgetPart}, with a number that changes when it is used. */
export interface UsedPart extends BudgetPart {
  readonly uses: number;
}

/**
 * Bytes that whole files and blocks may take together.
 *
 * Nobody compares the ages of the two. When there is too much, blocks give way if none was used since the last time,
 * else whole files do. Blocks have a limit of their own besides, so that they never take all.
 */
export class ContentBudget {
  private readonly maxBytes: number;
  private readonly files: BudgetPart;
  private readonly blocks: UsedPart;
  private usesBefore = 0;

  constructor(maxBytes: number, files: BudgetPart, blocks: UsedPart) {
    this.maxBytes = maxBytes;
    this.files = files;
    this.blocks = blocks;
  }

  /** Makes room for so many bytes more, as far as it can be made. */
  makeRoom(bytes: number): void {
    if (this.excess(bytes) <= 0) {
      return;
    }
    const { files, blocks } = this;
    const wasUsed = blocks.uses !== this.usesBefore;
    this.usesBefore = blocks.uses;
    for (const part of wasUsed ? [files, blocks] : [blocks, files]) {
      // What was used is passed over once.
      for (let looked = 0, count = part.count(); looked <= 2 * count && this.excess(bytes) > 0; looked += BATCH) {
        part.prune(BATCH);
      }
    }
  }

  private excess(bytes: number): number {
    return this.files.bytes + this.blocks.bytes + bytes - this.maxBytes;
  }
}

/** Whole files, as they hang on inodes. */
export function derivedOf(inodes: InodeCache): BudgetPart {
  const { derivedValues } = inodes;
  return {
    get bytes() {
      return inodes.stats().derivedBytes;
    },
    count: () => derivedValues.count(),
    prune: (nr) => derivedValues.prune(nr),
  };
}
