import { isDeepStrictEqual } from 'node:util';
import type { Measured } from './measure.js';
import type { Row } from './table.js';

/** Gathers what was measured, and what is wrong with it. */
export class Report {
  readonly rows: Row[] = [];
  /** Results that are not those of node:fs, or of git. */
  readonly faults: string[] = [];
  /** Bars that were missed: times differ with what else the machine does. */
  readonly missed: string[] = [];

  /** @param plain the same on node:fs itself */
  add(what: string, how: string, measured: Measured<unknown>, plain: Measured<unknown>): void {
    const equal = isDeepStrictEqual(measured.value, plain.value);
    this.rows.push({
      what,
      how,
      calls: measured.calls,
      ms: measured.ms,
      cpuMs: measured.cpuMs,
      plainMs: plain.ms,
      plainCpuMs: plain.cpuMs,
      equal,
    });
    this.check(equal, `${what}: the result on ${how} differs from that on node:fs`);
  }

  check(ok: boolean, fault: string): void {
    if (!ok) {
      this.faults.push(fault);
    }
  }

  bar(ok: boolean, missed: string): void {
    if (!ok) {
      this.missed.push(missed);
    }
  }
}
