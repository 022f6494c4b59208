import { reportUncaught } from '@core/base';
import { formatReport, type MemoryReport } from '@core/pressure';
import type { SrcuReport } from '@core/rcu';
import type { HostEventEmitter, HostEvents } from '../events.js';
import type { Logger } from '../logger.js';

type Payload<K extends keyof HostEvents> = Parameters<HostEvents[K]>[0];

const READER = {
  stall: 'has been open too long',
  leak: 'was garbage-collected without being released',
  abandoned: 'was still open when the process ran out of work',
} as const;

/** Tells what happened: to those who listen, and what nobody listens for but should know, to the logger. */
export class Announcer {
  readonly events: HostEventEmitter;
  readonly logger: Logger;

  constructor(events: HostEventEmitter, logger: Logger) {
    this.events = events;
    this.logger = logger;
  }

  /** Whether anybody listens: ask before building a payload. */
  heard(event: keyof HostEvents): boolean {
    return this.events.listenerCount(event) > 0;
  }

  /** Never throws: a listener that does is reported, and what was going on goes on. */
  emit<K extends keyof HostEvents>(event: K, payload: Payload<K>): void {
    try {
      // The emitter's own types can't see that K picks both.
      (this.events as { emit(event: string, payload: unknown): boolean }).emit(event, payload);
    } catch (error) {
      if (event === 'errored') {
        this.warn('A listener of "errored" threw', error);
      } else {
        this.errored(error, `a listener of "${event}"`);
      }
    }
  }

  /** The one channel for errors of callbacks. */
  errored(error: unknown, source: string): void {
    if (this.heard('errored')) {
      this.emit('errored', { error, source });
    } else {
      this.warn(`An error was thrown by ${source}`, error);
    }
  }

  /** Memory is short. The report is built in any case: whoever looks into it later has nothing else. */
  memoryShort(report: MemoryReport): void {
    if (this.heard('memoryShort')) {
      this.emit('memoryShort', report);
    } else {
      this.warn(formatReport(report), undefined);
    }
  }

  /** What a grace-period domain says of its readers. */
  reader(report: SrcuReport): void {
    const event = report.kind === 'stall' ? 'stalled' : 'leaked';
    if (this.heard(event)) {
      this.emit(event, report);
    } else {
      this.warn(
        `Reader "${report.label}" of "${report.domain}" ${READER[report.kind]}: ${Math.round(report.ageMs)} ms, ${report.callbacksWaiting} callbacks wait${report.more > 0 ? `, and ${report.more} readers more` : ''}`,
        report.stack ?? undefined,
      );
    }
  }

  private warn(message: string, detail: unknown): void {
    try {
      this.logger.warn(message, detail);
    } catch (error) {
      reportUncaught(error);
    }
  }
}
