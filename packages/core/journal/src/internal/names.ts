import { join } from 'node:path';

/** Made first, and never removed: a lock on a file that may be unlinked locks nothing. */
export const LOCK = 'lock';
/** Says that all is on disk; see `closed-mark.ts`. */
export const CLOSED = 'closed';
/** There while a salvage is at work. */
export const SALVAGE = 'salvage';
/** A file that is not finished. It is renamed when it is. */
export const UNFINISHED = '.new';

const SEGMENT = /^segment-(\d{16})$/;

export function segmentPath(directory: string, number: number): string {
  return join(directory, `segment-${String(number).padStart(16, '0')}`);
}

/** The numbers of the segments among `names`, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .flatMap((name) => {
      const number = SEGMENT.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    })
    .sort((left, right) => left - right);
}
