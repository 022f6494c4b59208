import { totalmem } from 'node:os';

import { type Clock, systemClock } from '@core/base';

import { Due } from './internal/cgroup-due.js';
import { type FileReader, RootedFiles } from './internal/cgroup-files.js';
import {
  HIERARCHICAL_FIELD,
  inactiveIn,
  type LevelLimits,
  type LevelUsage,
  readLimits,
  readUsage,
  workingBytes,
} from './internal/cgroup-levels.js';
import { parseBytes, parseLimit, statLimit } from './internal/cgroup-parse.js';
import { findMemoryPlace, type Place, seen } from './internal/cgroup-place.js';
import type { MemoryReading, MemorySource } from './memory-source.js';

export type { FileReader } from './internal/cgroup-files.js';

export interface CgroupSourceOptions {
  /** Below which directory /proc and /sys are. Absent: '/'. */
  readonly root?: string;
  /** Absent: the files of this machine. */
  readonly files?: FileReader;
  /** Whose cgroup. Only the own process's can be seen from where it is. Absent: 'self'. */
  readonly pid?: 'self';
  /** Bytes from which on a limit is none. Above 0. Absent: the memory of this machine. */
  readonly totalBytes?: number;
  /** Absent: the clock of this machine. */
  readonly clock?: Clock;
  /** After how many reads all levels are looked at again. Absent: 100. */
  readonly walkEveryReads?: number;
  /** After how many milliseconds all levels are looked at again. Absent: 10,000. */
  readonly walkEveryMs?: number;
}

/** One cgroup, for reports. */
export interface CgroupLevel {
  readonly dir: string;
  /** Infinity: none, or no less than the machine has. Absent: not known. */
  readonly limitBytes?: number;
  /** The file that the limit is from. */
  readonly from?: string;
  /** As the kernel counts it, with all file cache. */
  readonly usedBytes?: number;
  readonly inactiveFileBytes?: number;
}

/** The limit that counts, and what must be read to follow it. */
interface Choice {
  /** Infinity: no limit was found. */
  readonly limitBytes: number;
  /** Null: no limit was found. */
  readonly limitPath: string | null;
  /** Whether the limit is a line of memory.stat, not a file of its own. */
  readonly inStat: boolean;
  /** Whether all limits could be read, so that none found means none there. */
  readonly complete: boolean;
  readonly usage: LevelUsage;
  readonly notes: readonly string[];
}

/**
 * The memory limit that cgroups (Linux containers, systemd units) set on this process, and how much of it is used.
 *
 * Limits nest: each cgroup from the process's own up to the mount point may have one, and the smallest counts; of
 * equal ones the outermost, which has the most in it. Of version 2 both `memory.max` and `memory.high` count, since the
 * kernel stalls a process above the latter. Of version 1, `memory.limit_in_bytes` and the
 * `hierarchical_memory_limit` of `memory.stat`, which tells of cgroups outside of a container; soft limits do not
 * count, and a hierarchy with `use_hierarchy` 0 is taken as one with 1. Version 2 hides what is above the mount.
 * A limit no smaller than the machine's memory is none: `limitBytes` is then Infinity, and `usedBytes` that of the own
 * cgroup.
 *
 * `usedBytes` is the usage of the cgroup whose limit counts, less its inactive file cache. That is more than this
 * process uses when others share the cgroup.
 *
 * A read takes three small files. All levels are read again every 100 reads or 10 s, so that long may a limit that
 * another level got go unnoticed; a change of the one that counts is noticed at once. Where the files are is found
 * again when one vanished or the process was moved.
 *
 * What can't be read: a limit is passed over, and `limitBytes` absent when no other is left; usage is absent; file cache
 * counts as used; an unknown cgroup is taken to be that at the mount point. A line of `notes` tells of each. Nothing is
 * thrown.
 *
 * @see cgroups(7), and cgroup-v2 in the kernel's administration guide
 */
export class CgroupSource implements MemorySource {
  readonly name = 'cgroup';
  private readonly files: RootedFiles;
  private readonly pid: string;
  private readonly totalBytes: number;
  private readonly due: Due;
  /** Undefined: never looked. Null: no memory cgroups here. */
  private place: Place | null | undefined = undefined;
  private membership: string | null = null;
  private choice: Choice | null = null;
  /** What to say when there is no choice. */
  private blank: MemoryReading | null = null;

  /** @throws {TypeError | RangeError} an option is out of its range */
  constructor(options: CgroupSourceOptions = {}) {
    const { totalBytes } = options;
    if (totalBytes !== undefined && !(totalBytes > 0)) {
      throw new RangeError(`Cannot compare limits with ${totalBytes} bytes in total: it must be above 0`);
    }
    this.files = new RootedFiles(options.root, options.files);
    this.pid = options.pid ?? 'self';
    // Where the system can't say, every limit counts.
    this.totalBytes = totalBytes ?? (totalmem() || Infinity);
    this.due = new Due(options.clock ?? systemClock, options.walkEveryReads ?? 100, options.walkEveryMs ?? 10_000);
  }

  read(): MemoryReading | null {
    if (this.due.tick()) {
      return this.walk(false);
    }
    if (this.choice === null) {
      return this.blank;
    }
    const reading = this.follow(this.choice);
    return typeof reading === 'string' ? this.walk(reading === 'vanished') : reading;
  }

  /** All cgroups from the process's own up to the mount point, read now. Empty when there are none. Never throws. */
  levels(): readonly CgroupLevel[] {
    const place = this.settle(false);
    return (place?.dirs ?? []).map((dir) => {
      const limits = readLimits(this.files, place?.version ?? 2, dir, []);
      const usage = limits.present ? readUsage(this.files, place?.version ?? 2, dir, []) : null;
      const counts = limits.readBytes < this.totalBytes;
      return {
        dir: this.files.full(dir),
        ...(counts ? { limitBytes: limits.readBytes } : limits.limitBytes !== undefined && { limitBytes: Infinity }),
        ...(counts && limits.limitPath !== null && { from: this.files.full(limits.limitPath) }),
        ...(usage?.usedBytes !== undefined && { usedBytes: usage.usedBytes }),
        ...(usage?.inactiveFileBytes !== undefined && { inactiveFileBytes: usage.inactiveFileBytes }),
      };
    });
  }

  /** Reads only what the choice rests on. Another walk is due when that is not as it was. */
  private follow(choice: Choice): MemoryReading | 'vanished' | 'changed' {
    const { limitPath, usage } = choice;
    if (limitPath !== null) {
      const text = this.files.read(limitPath);
      if (typeof text !== 'string') {
        return text.absent ? 'vanished' : 'changed';
      }
      if ((choice.inStat ? statLimit(text, HIERARCHICAL_FIELD) : parseLimit(text)) !== choice.limitBytes) {
        return 'changed';
      }
    }
    let usedBytes: number | undefined;
    if (usage.usagePath !== null) {
      const text = this.files.read(usage.usagePath);
      if (typeof text !== 'string') {
        return text.absent ? 'vanished' : 'changed';
      }
      usedBytes = parseBytes(text);
      if (usedBytes === undefined) {
        return 'changed';
      }
    }
    let inactiveBytes: number | undefined;
    if (usage.statPath !== null) {
      const text = this.files.read(usage.statPath);
      if (typeof text !== 'string') {
        return text.absent ? 'vanished' : 'changed';
      }
      inactiveBytes = inactiveIn(text, this.place?.version ?? 2);
      if (inactiveBytes === undefined) {
        return 'changed';
      }
    }
    return this.say(choice, usedBytes, inactiveBytes);
  }

  /** Looks at all levels, chooses, and reads the choice. */
  private walk(vanished: boolean): MemoryReading | null {
    const notes: string[] = [];
    const place = this.settle(vanished, notes);
    this.due.restart();
    this.choice = null;
    this.blank = null;
    if (place === null) {
      return null;
    }
    notes.unshift(...place.notes);
    const levels = place.dirs.map((dir) => readLimits(this.files, place.version, dir, notes));
    if (place.version === 2 && levels.every((level) => !level.present) && !this.isDelegated(place, notes)) {
      return (this.blank = notes.length === 0 ? null : { notes });
    }
    this.choice = this.choose(place, levels, notes);
    return this.say(this.choice, this.choice.usage.usedBytes, this.choice.usage.inactiveFileBytes);
  }

  private choose(place: Place, levels: readonly LevelLimits[], notes: string[]): Choice {
    let limitBytes = Infinity;
    let at: LevelLimits | undefined;
    let limitPath: string | null = null;
    for (const level of levels) {
      if (level.readBytes < this.totalBytes && level.readBytes <= limitBytes) {
        ({ readBytes: limitBytes, limitPath } = level);
        at = level;
      }
    }
    const unseenBytes = Math.min(Infinity, ...levels.map((level) => level.hierarchicalBytes));
    const inStat = unseenBytes < limitBytes && unseenBytes < this.totalBytes;
    if (inStat) {
      limitBytes = unseenBytes;
      at = levels.findLast((level) => level.hierarchicalBytes === unseenBytes);
      limitPath = `${at?.dir}/memory.stat`;
      notes.push(
        `Cannot see the cgroup with the limit in ${this.files.full(limitPath)}: it is outside of the mount; ` +
          'the usage is that of the outermost that can be seen, which may be less',
      );
    }
    const from = at ?? levels[0];
    const usage =
      from?.present === true
        ? readUsage(this.files, place.version, from.dir, notes)
        : { usedBytes: undefined, inactiveFileBytes: undefined, usagePath: null, statPath: null };
    const complete = place.exact && levels.every((level) => level.limitBytes !== undefined);
    return { limitBytes, limitPath, inStat, complete, usage, notes };
  }

  /**
   * Where no level has memory files: whether the controller is there at all. If so the process is under no limit; if
   * not, or if that can't be told (which goes to `notes`), there is nothing to say of limits.
   */
  private isDelegated(place: Place, notes: string[]): boolean {
    const top = place.dirs.at(-1);
    if (top === undefined) {
      return false;
    }
    const path = `${top}/cgroup.controllers`;
    const text = this.files.read(path);
    if (typeof text === 'string' && /^[a-z0-9_ ]*\n$/.test(text)) {
      return text.trim().split(' ').includes('memory');
    }
    const why = typeof text === 'string' ? 'it is no list of controllers' : text.code;
    notes.push(`Cannot read ${this.files.full(path)}: ${why}; whether there are limits is not known`);
    return false;
  }

  /** Makes sure of the place: looks for it at first, when files vanished, when the process moved. */
  private settle(vanished: boolean, notes: string[] = []): Place | null {
    const path = `/proc/${this.pid}/cgroup`;
    const text = this.files.read(path);
    const membership = typeof text === 'string' ? text : null;
    const known = this.place;
    const own = known?.dirs[0];
    // What was found by guessing is looked for anew: what hid the facts may be over.
    const sure = known?.notes.length === 0 && own !== undefined && !vanished;
    if (sure && seen(this.files, own, known.version) !== 'absent') {
      if (membership === this.membership) {
        return known;
      }
      if (typeof text !== 'string') {
        notes.push(`Cannot read ${this.files.full(path)}: ${text.code}; the cgroup is taken to be where it was`);
        return known;
      }
    }
    this.membership = membership;
    this.place = findMemoryPlace(this.files, this.pid);
    return this.place;
  }

  private say(choice: Choice, usedBytes: number | undefined, inactiveBytes: number | undefined): MemoryReading {
    return {
      ...((choice.complete || choice.limitPath !== null) && { limitBytes: choice.limitBytes }),
      ...(choice.limitPath !== null && { from: this.files.full(choice.limitPath) }),
      ...(usedBytes !== undefined && { usedBytes: workingBytes(usedBytes, inactiveBytes) }),
      ...(choice.notes.length > 0 && { notes: choice.notes }),
    };
  }
}
