import { checkOptionNames, type Rng } from '@core/base';
import type { FileSystemSource } from './file-system-source.js';
import { bytesOf, firstBytes } from './internal/buffers.js';
import { InterposedSource, type SourceCall } from './internal/interposed-source.js';
import { systemError } from './system-error.js';

const PLAN_NAMES = ['faults', 'rng', 'shortReads', 'shortWrites'];

/** What node calls the calls. Those of an open file have no path in their errors. */
const SYSCALLS: Readonly<Record<SourceCall, readonly [syscall: string, ofPath: boolean]>> = {
  lstat: ['lstat', true],
  readdir: ['scandir', true],
  readlink: ['readlink', true],
  open: ['open', true],
  stat: ['fstat', false],
  read: ['read', false],
  write: ['write', false],
  datasync: ['fdatasync', false],
  truncate: ['ftruncate', false],
  close: ['close', false],
};

/** Which calls fail, and how. */
export interface Fault {
  /** Such as `EIO`. */
  readonly code: string;
  /** Default: all calls. */
  readonly on?: readonly SourceCall[];
  /** Only calls of this path, or of those it says yes to. Default: all. */
  readonly path?: string | ((path: string) => boolean);
  /** The one call that fails among those that match, counted from 1. */
  readonly nth?: number;
  /** The share of the calls that fail among those that match, 0 to 1; needs `rng`. With neither this nor `nth`: all. */
  readonly rate?: number;
}

export interface FaultPlan {
  /** The first that matches a call makes it fail. */
  readonly faults?: readonly Fault[];
  readonly rng?: Rng;
  /** The share of reads that move fewer bytes than asked, but at least one; needs `rng`. */
  readonly shortReads?: number;
  /** As `shortReads`. */
  readonly shortWrites?: number;
}

/** A source whose calls may fail before they are made. */
export interface FaultySource extends FileSystemSource {
  /** False: calls pass, and are not counted. */
  active: boolean;
  /** Calls that were made to fail. */
  readonly failed: number;
}

class Faulty extends InterposedSource implements FaultySource {
  active = true;
  failed = 0;
  readonly #plan: FaultPlan;
  /** Calls that matched each fault. */
  readonly #matched: number[];

  constructor(source: FileSystemSource, plan: FaultPlan) {
    super(source, {
      before: (call, path) => this.#before(call, path),
      clip: (call, _, buffers) => this.#clip(call, buffers),
    });
    this.#plan = plan;
    this.#matched = (plan.faults ?? []).map(() => 0);
  }

  #before(call: SourceCall, path: string): void {
    if (!this.active) {
      return;
    }
    for (const [index, fault] of (this.#plan.faults ?? []).entries()) {
      if (matches(fault, call, path) && this.#strikes(fault, index)) {
        this.failed++;
        const [syscall, ofPath] = SYSCALLS[call];
        throw systemError(fault.code, syscall, ofPath ? path : undefined);
      }
    }
  }

  #strikes(fault: Fault, index: number): boolean {
    const matched = (this.#matched[index] as number) + 1;
    this.#matched[index] = matched;
    if (fault.nth !== undefined) {
      return fault.nth === matched;
    }
    return fault.rate === undefined || this.#happens(fault.rate);
  }

  #happens(rate: number): boolean {
    return (this.#plan.rng as Rng).next() < rate;
  }

  #clip(call: 'read' | 'write', buffers: readonly Uint8Array[]): readonly Uint8Array[] {
    const rate = (call === 'read' ? this.#plan.shortReads : this.#plan.shortWrites) ?? 0;
    const bytes = bytesOf(buffers);
    if (!this.active || rate === 0 || bytes <= 1 || !this.#happens(rate)) {
      return buffers;
    }
    return firstBytes(buffers, 1 + Math.floor((this.#plan.rng as Rng).next() * (bytes - 1)));
  }
}

function matches(fault: Fault, call: SourceCall, path: string): boolean {
  if (fault.on !== undefined && !fault.on.includes(call)) {
    return false;
  }
  return fault.path === undefined || (typeof fault.path === 'string' ? fault.path === path : fault.path(path));
}

/**
 * Makes calls fail by a plan, and reads and writes move less than asked.
 *
 * @throws {TypeError} the plan has an unknown name, or needs an `rng` and has none
 */
export function faultySource(source: FileSystemSource, plan: FaultPlan): FaultySource {
  checkOptionNames(plan, PLAN_NAMES, 'a faulty source');
  const random = plan.faults?.some(({ rate }) => rate !== undefined) || plan.shortReads || plan.shortWrites;
  if (random && plan.rng === undefined) {
    throw new TypeError('Cannot create a faulty source: what happens at a rate needs an "rng"');
  }
  return new Faulty(source, plan);
}
