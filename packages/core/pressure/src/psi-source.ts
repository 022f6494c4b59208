import { type Clock, systemClock } from '@core/base';

import { Due } from './internal/cgroup-due.js';
import { type FileReader, type ReadFault, RootedFiles } from './internal/cgroup-files.js';
import { findUnifiedPlace } from './internal/cgroup-place.js';
import { parsePressure, type Pressure } from './internal/cgroup-pressure.js';
import type { MemoryReading, MemorySource } from './memory-source.js';

export interface PsiSourceOptions {
  /** Below which directory /proc and /sys are. Absent: '/'. */
  readonly root?: string;
  /** Absent: the files of this machine. */
  readonly files?: FileReader;
  /** Whose pressure. Absent: 'self'. */
  readonly pid?: 'self';
  /** Absent: the clock of this machine. */
  readonly clock?: Clock;
  /** After how many reads the process's cgroup is looked for again. Absent: 100. */
  readonly findEveryReads?: number;
  /** After how many milliseconds the process's cgroup is looked for again. Absent: 10,000. */
  readonly findEveryMs?: number;
}

const MACHINE = '/proc/pressure/memory';

/**
 * How much of the time some task waited for memory: pressure stall information (PSI), of the process's own cgroup of
 * version 2, else of the whole machine, which a note tells. Null where the kernel has neither.
 *
 * The share is an average over 10 s, so it rises late. {@link stalledMicros} shows a short stall at the next read.
 *
 * @see PSI in the kernel's accounting guide
 */
export class PsiSource implements MemorySource {
  readonly name = 'psi';
  private readonly files: RootedFiles;
  private readonly pid: string;
  private readonly due: Due;
  /** The pressure file of the own cgroup; null when there is none. */
  private own: string | null = null;
  private ownWasRead = false;
  /** What was assumed to find `own`. */
  private placeNotes: readonly string[] = [];
  /** Whether "no such cgroup" can be believed. */
  private placeCertain = true;
  private lastPath: string | null = null;
  private lastTotalMicros = 0;
  private stalled = 0;

  /** @throws {TypeError | RangeError} an option is out of its range */
  constructor(options: PsiSourceOptions = {}) {
    this.files = new RootedFiles(options.root, options.files);
    this.pid = options.pid ?? 'self';
    this.due = new Due(options.clock ?? systemClock, options.findEveryReads ?? 100, options.findEveryMs ?? 10_000);
  }

  /**
   * For how many microseconds some task stalled between the last two reads, 0 or more. 0 after the first read, and
   * whenever the last two were not of the same file.
   */
  get stalledMicros(): number {
    return this.stalled;
  }

  read(): MemoryReading | null {
    if (this.due.tick()) {
      this.find();
    }
    let ownText = this.own === null ? null : this.files.read(this.own);
    if (this.ownWasRead && isAbsent(ownText)) {
      this.find();
      ownText = this.own === null ? null : this.files.read(this.own);
    }
    this.ownWasRead = typeof ownText === 'string';
    const notes = [...this.placeNotes];
    const own = this.own === null || ownText === null ? null : this.understand(this.own, ownText, notes);
    if (own !== null && this.own !== null) {
      return this.say(this.own, own, notes);
    }
    const machineText = this.files.read(MACHINE);
    const machine = this.understand(MACHINE, machineText, notes);
    if (machine !== null) {
      notes.push("Cannot tell the stalls of this process's cgroup: those of the whole machine are taken");
      return this.say(MACHINE, machine, notes);
    }
    this.lastPath = null;
    this.stalled = 0;
    const certain = this.placeCertain && (ownText === null || isAbsent(ownText)) && isAbsent(machineText);
    return certain ? null : { notes };
  }

  private find(): void {
    this.due.restart();
    const place = findUnifiedPlace(this.files, this.pid);
    const dir = place?.dirs[0];
    this.own = dir === undefined ? null : `${dir}/memory.pressure`;
    this.ownWasRead = false;
    this.placeNotes = place?.notes ?? [];
    // That there is no hierarchy can be believed; one that can't be seen may well have the file.
    this.placeCertain = place === null || dir !== undefined;
  }

  private understand(path: string, text: string | ReadFault, notes: string[]): Pressure | null {
    const pressure = typeof text === 'string' ? parsePressure(text) : null;
    if (pressure === null) {
      const why = typeof text === 'string' ? 'there is no line of `some` with its share and total' : text.code;
      notes.push(`Cannot read ${this.files.full(path)}: ${why}; it is passed over`);
    }
    return pressure;
  }

  private say(path: string, pressure: Pressure, notes: readonly string[]): MemoryReading {
    const { totalMicros } = pressure;
    // A total that went back is another cgroup's under the same name.
    this.stalled = path === this.lastPath ? Math.max(0, totalMicros - this.lastTotalMicros) : 0;
    this.lastPath = path;
    this.lastTotalMicros = totalMicros;
    return { stalledShare: pressure.someShare, ...(notes.length > 0 && { notes }) };
  }
}

function isAbsent(text: string | ReadFault | null): boolean {
  return text !== null && typeof text !== 'string' && text.absent;
}
