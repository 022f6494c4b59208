import { checkOptionNames } from '@core/base';
import {
  DEFAULT_SEEKS,
  type ShrinkControl,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type Shrinker,
  type ShrinkerSpec,
  type Zone,
} from '@core/shrinker';

/** Objects to a scan. */
const BATCH = 1024;
const FULL_PRESSURE = 100;
const OPTION_NAMES = ['name', 'dentries', 'inodes', 'contents', 'cachePressure', 'groupAware'];

/** A cache that is asked to give back some of its objects. */
export interface Prunable {
  /** Objects that may be reclaimed, of the control's zone and group; without one, all. */
  count(sc?: ShrinkControl): number;
  /** Looks at up to `nr` of these, oldest first. @returns how many it has let go */
  prune(nr: number, sc?: ShrinkControl): number;
  /** Has the shrinker told of groups that get their first object. */
  attach?(shrinker: Shrinker): void;
  /** Bytes of one object in this zone, on average; 0, or absent: not known. */
  objectBytes?(zone: Zone): number;
  /** Bytes that have left and wait for readers. */
  retiredBytes?(zone: Zone): number;
}

export interface SuperBlockOptions {
  /** Names of inodes, which hold these. Absent: there are none. */
  readonly dentries?: Prunable;
  readonly inodes: Prunable;
  /** What hangs on inodes: derived values, blocks. Default: nothing. */
  readonly contents?: readonly Prunable[];
  /** For reports. Default `'sb'`. */
  readonly name?: string;
  /**
   * How willingly it gives back, in percent: 0 never, above 100 more than its share. Default 100.
   *
   * @see sysctl vm.vfs_cache_pressure
   */
  readonly cachePressure?: number;
  /** Whether its parts keep objects apart by group. Default false. */
  readonly groupAware?: boolean;
}

/**
 * One shrinker over a file system's caches. A scan is split in proportion to what each of them has: dentries first,
 * since they hold inodes, then inodes, then contents.
 *
 * @see Linux fs/super.c, super_cache_scan
 */
export class SuperBlock {
  readonly name: string;
  private readonly dentries: Prunable | null;
  private readonly inodes: Prunable;
  private readonly contents: readonly Prunable[];
  private readonly cachePressure: number;
  private readonly groupAware: boolean;
  private isScanning = false;

  /**
   * @throws {TypeError} `inodes` is missing, or an option is unknown or nothing of its kind
   * @throws {RangeError} `cachePressure` is no number of 0 or more
   */
  constructor(options: SuperBlockOptions) {
    checkOptionNames(options, OPTION_NAMES, 'a super block');
    const { dentries, inodes, contents = [], cachePressure = FULL_PRESSURE } = options ?? {};
    for (const part of [inodes, ...(dentries === undefined ? [] : [dentries]), ...contents]) {
      if (typeof part?.count !== 'function' || typeof part.prune !== 'function') {
        throw new TypeError('Cannot create a super block: each of its parts must have count() and prune(nr)');
      }
    }
    if (typeof cachePressure !== 'number' || !(cachePressure >= 0) || cachePressure === Infinity) {
      throw new RangeError(
        `Cannot create a super block with a cachePressure of ${String(cachePressure)}: it must be a number of 0 or more`,
      );
    }
    this.name = options.name ?? 'sb';
    this.dentries = dentries ?? null;
    this.inodes = inodes;
    this.contents = contents;
    this.cachePressure = cachePressure;
    this.groupAware = options.groupAware ?? false;
  }

  /** What to register. Then `attach` what the registry returns for it. */
  asShrinker(): ShrinkerSpec {
    return {
      name: this.name,
      seeks: DEFAULT_SEEKS,
      batch: BATCH,
      zoneAware: true,
      groupAware: this.groupAware,
      count: (sc) => this.count(sc),
      scan: (sc) => this.scan(sc),
      objectBytes: (zone) => this.objectBytes(zone),
      retiredBytes: (zone) => this.parts().reduce((sum, part) => sum + (part.retiredBytes?.(zone) ?? 0), 0),
    };
  }

  /** Has the parts tell the shrinker when a group gets its first object. */
  attach(shrinker: Shrinker): void {
    for (const part of this.parts()) {
      part.attach?.(shrinker);
    }
  }

  private count(sc: ShrinkControl): number {
    let total = this.inHeap(this.dentries, sc) + this.inHeap(this.inodes, sc);
    for (const part of this.contents) {
      total += part.count(sc);
    }
    return total === 0 ? SHRINK_EMPTY : Math.floor((total * this.cachePressure) / FULL_PRESSURE);
  }

  private scan(sc: ShrinkControl): number {
    // Reclaim from inside a reclaim of the same caches: whoever is at it goes on.
    if (this.isScanning) {
      return SHRINK_STOP;
    }
    this.isScanning = true;
    try {
      return this.split(sc);
    } finally {
      this.isScanning = false;
    }
  }

  private split(sc: ShrinkControl): number {
    const { dentries, inodes, contents } = this;
    const nr = sc.nrToScan;
    const dentryCount = this.inHeap(dentries, sc);
    const inodeCount = this.inHeap(inodes, sc);
    const contentCounts = contents.map((part) => part.count(sc));
    const total = dentryCount + inodeCount + contentCounts.reduce((sum, count) => sum + count, 0) + 1;
    let freed = 0;
    if (sc.zone === 'heap') {
      // One more than the share: even the least scan takes a name, and then the inode that it held.
      freed += dentries?.prune(shareOf(nr, dentryCount, total) + 1, sc) ?? 0;
      freed += inodes.prune(shareOf(nr, inodeCount, total) + 1, sc);
    }
    for (const [index, part] of contents.entries()) {
      const share = shareOf(nr, contentCounts[index] as number, total);
      if (share > 0) {
        freed += part.prune(share + 1, sc);
      }
    }
    return freed;
  }

  /** The mean of the parts that know theirs; 0 when none does. */
  private objectBytes(zone: Zone): number {
    let bytes = 0;
    let count = 0;
    for (const part of this.parts()) {
      const each = part.objectBytes?.(zone) ?? 0;
      const share = each === 0 ? 0 : part.count();
      bytes += each * share;
      count += share;
    }
    return count === 0 ? 0 : bytes / count;
  }

  /** Names and inodes are objects of the heap, whatever their caches answer to other zones. */
  private inHeap(part: Prunable | null, sc: ShrinkControl): number {
    return part === null || sc.zone !== 'heap' ? 0 : part.count(sc);
  }

  private parts(): readonly Prunable[] {
    return this.dentries === null ? [this.inodes, ...this.contents] : [this.dentries, this.inodes, ...this.contents];
  }
}

function shareOf(nr: number, count: number, total: number): number {
  return Math.floor((nr * count) / total);
}
