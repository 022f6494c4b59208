import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Scheduled, type Scheduler, systemScheduler } from '@core/base';
import { afterEach } from 'vitest';

import type { JournalFile, JournalFiles } from '../../src/journal-files.js';
import type { Journal } from '../../src/journal.js';
import { NodeFiles } from '../../src/node-files.js';

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A directory that is gone after the test. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  made.push(directory);
  return directory;
}

export async function recordsOf(journal: Journal, from = 1): Promise<[number, string][]> {
  const records: [number, string][] = [];
  for await (const { sequence, payload } of journal.replay(from)) {
    records.push([sequence, Buffer.from(payload).toString()]);
  }
  return records;
}

/** Node's files, with a list of the calls, and a hook before each. */
export class WatchedFiles implements JournalFiles {
  readonly calls: string[] = [];
  /** May throw, or hold the call up. */
  before: (call: string) => Promise<void> | void = () => {};
  private readonly files = new NodeFiles();

  private async call<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.calls.push(name);
    await this.before(name);
    return run();
  }

  count(name: string): number {
    return this.calls.filter((one) => one === name).length;
  }

  makeDirectory = (path: string) => this.call('makeDirectory', () => this.files.makeDirectory(path));
  list = (path: string) => this.call('list', () => this.files.list(path));
  lock = (path: string) => this.call('lock', () => this.files.lock(path));
  rename = (from: string, to: string) => this.call('rename', () => this.files.rename(from, to));
  unlink = (path: string) => this.call('unlink', () => this.files.unlink(path));
  syncDirectory = (path: string) => this.call('syncDirectory', () => this.files.syncDirectory(path));

  open = async (path: string, mode: 'create' | 'read' | 'write'): Promise<JournalFile> => {
    const file = await this.call('open', () => this.files.open(path, mode));
    return {
      size: () => this.call('size', () => file.size()),
      read: (target, position) => this.call('read', () => file.read(target, position)),
      write: (bytes, offset, length, position) => this.call('write', () => file.write(bytes, offset, length, position)),
      writeSynced: async (bytes, offset, length, position) => {
        // As two calls, so that each can be counted, held up, and fail.
        const written = await this.call('write', () => file.write(bytes, offset, length, position));
        await this.call('datasync', () => file.datasync());
        return written;
      },
      datasync: () => this.call('datasync', () => file.datasync()),
      sync: () => this.call('sync', () => file.sync()),
      truncate: (bytes) => this.call('truncate', () => file.truncate(bytes)),
      close: () => this.call('close', () => file.close()),
    };
  };
}

/** Turns as they are; timers go off when the test says so. */
export class ManualTimers implements Scheduler {
  readonly timers = new Map<() => void, number>();

  nextTurn(callback: () => void, keepAlive: boolean): void {
    systemScheduler.nextTurn(callback, keepAlive);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    this.timers.set(callback, delayMs);
    return { cancel: () => void this.timers.delete(callback) };
  }

  fire(): void {
    const due = [...this.timers.keys()];
    this.timers.clear();
    for (const callback of due) {
      callback();
    }
  }
}
