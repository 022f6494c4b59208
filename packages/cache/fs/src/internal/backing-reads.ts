import type { BigIntStats } from 'node:fs';
import type { Backing } from './backing.js';

const BIG = { bigint: true } as const;

/** What files are read by, in both forms: without all of these none is read by blocks. */
const NEEDED = ['open', 'openSync', 'fstat', 'fstatSync', 'read', 'readSync', 'close', 'closeSync'];

/** How files of the file system below are read by descriptor. */
export class BackingReads {
  private readonly backing: Backing;

  constructor(backing: Backing) {
    this.backing = backing;
  }

  static isPossible(backing: Backing): boolean {
    return NEEDED.every((name) => backing.has(name));
  }

  open(path: string): Promise<number> {
    return this.backing.callLater('open', [path, 'r']);
  }

  openSync(path: string): number {
    return this.backing.call('openSync', [path, 'r']) as number;
  }

  close(fd: number): Promise<void> {
    return this.backing.callLater('close', [fd]);
  }

  closeSync(fd: number): void {
    this.backing.call('closeSync', [fd]);
  }

  stat(fd: number): Promise<BigIntStats> {
    return this.backing.callLater('fstat', [fd, BIG]);
  }

  statSync(fd: number): BigIntStats {
    return this.backing.call('fstatSync', [fd, BIG]) as BigIntStats;
  }

  read(fd: number, target: Uint8Array, offset: number, length: number, position: number | null): Promise<number> {
    return this.backing.callLater('read', [fd, target, offset, length, position]);
  }

  readSync(fd: number, target: Uint8Array, offset: number, length: number, position: number | null): number {
    return this.backing.call('readSync', [fd, target, offset, length, position]) as number;
  }

  /** Into the buffers, one after the other; where there is no such call, into the first alone. */
  readv(fd: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
    const [first] = buffers as readonly [Uint8Array];
    return buffers.length > 1 && this.backing.has('readv')
      ? this.backing.callLater('readv', [fd, buffers, position])
      : this.read(fd, first, 0, first.length, position);
  }

  readvSync(fd: number, buffers: readonly Uint8Array[], position: number): number {
    const [first] = buffers as readonly [Uint8Array];
    return buffers.length > 1 && this.backing.has('readvSync')
      ? (this.backing.call('readvSync', [fd, buffers, position]) as number)
      : this.readSync(fd, first, 0, first.length, position);
  }
}
