import type { BigIntStats } from 'node:fs';
import type { DirectoryEntry, FileSystemSource, SourceFile } from '@core/fs-source';
import type { Looks } from './looks.js';

/** A source as it is, but that it is remembered when each look for attributes began. */
export class LookingSource implements FileSystemSource {
  private readonly source: FileSystemSource;
  private readonly looks: Looks;

  constructor(source: FileSystemSource, looks: Looks) {
    this.source = source;
    this.looks = looks;
  }

  get caseSensitive(): boolean {
    return this.source.caseSensitive;
  }

  async lstat(path: string): Promise<BigIntStats> {
    const sighting = this.looks.begin();
    const stats = await this.source.lstat(path);
    this.looks.remember(stats, sighting);
    return stats;
  }

  lstatSync(path: string): BigIntStats {
    const sighting = this.looks.begin();
    const stats = this.source.lstatSync(path);
    this.looks.remember(stats, sighting);
    return stats;
  }

  readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.source.readdir(path);
  }

  readdirSync(path: string): readonly DirectoryEntry[] {
    return this.source.readdirSync(path);
  }

  readlink(path: string): Promise<string> {
    return this.source.readlink(path);
  }

  readlinkSync(path: string): string {
    return this.source.readlinkSync(path);
  }

  open(path: string, flags: number, mode?: number): Promise<SourceFile> {
    return this.source.open(path, flags, mode);
  }

  openSync(path: string, flags: number, mode?: number): SourceFile {
    return this.source.openSync(path, flags, mode);
  }
}
