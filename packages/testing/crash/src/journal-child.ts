import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { SeededRng } from '@core/base';
import { Journal, type JournalFile, type JournalFiles, NodeFiles } from '@core/journal';

import { type ChildSettings, payloadOf } from './internal/journal-child-settings.js';

/** A busted child dies with a lie on its lips, and does not leave that to chance. */
const BUSTED_DIES_AT = 100;

/**
 * The process that is killed: opens a journal, reads it, and appends in groups until it dies. It says over its standard
 * output what the parent may rely on: `acked 12`, or that it may no more: `pinned 7`. Both are written before anything
 * else happens, and what is in a pipe stays there when the writer is killed.
 */
async function run(settings: ChildSettings): Promise<never> {
  const rng = new SeededRng(settings.seed);
  const journal = await Journal.open({
    directory: settings.directory,
    durability: settings.durability,
    segmentBytes: settings.segmentBytes,
    intervalMs: 5,
    files: dying(new NodeFiles(), settings.dieAtCall),
  });
  const pin = journal.createPin();
  journal.pin(pin, journal.firstSequence);
  for await (const { sequence, payload } of journal.replay()) {
    if (!payloadOf(sequence).equals(payload)) {
      say(`wrong ${sequence}`);
    }
  }
  say(`opened ${journal.lastSequence}`);
  const lane = async (): Promise<never> => {
    for (;;) {
      const sequence = journal.append(payloadOf(journal.lastSequence + 1));
      if (settings.busted) {
        say(`acked ${sequence}`);
        if (sequence % BUSTED_DIES_AT === 0) {
          process.kill(process.pid, 'SIGKILL');
        }
      }
      await journal.committed(sequence);
      say(`acked ${sequence}`);
      if (rng.next() < 0.02) {
        const next = Math.max(pin.sequence, sequence - rng.below(200));
        say(`pinned ${next}`);
        journal.pin(pin, next);
      }
    }
  };
  return Promise.race(Array.from({ length: 1 + rng.below(16) }, lane));
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Files that kill the process before, or in the middle of, the call with that number; 0: never. */
function dying(files: JournalFiles, dieAtCall: number): JournalFiles {
  let calls = 0;
  const count = (): boolean => ++calls === dieAtCall;
  const die = (): void => {
    process.kill(process.pid, 'SIGKILL');
  };
  const dyingFile = (file: JournalFile): JournalFile =>
    wrapped(file, async (name, args) => {
      if (!count()) {
        return null;
      }
      if (name === 'write' || name === 'writeSynced') {
        const [bytes, offset, length, position] = args as Parameters<JournalFile['write']>;
        await file.write(bytes, offset, Math.floor(length / 2), position);
      }
      die();
      return null;
    });
  return wrapped(files, async (name, args) => {
    if (count()) {
      die();
    }
    return name === 'open' ? dyingFile(await files.open(...(args as Parameters<JournalFiles['open']>))) : null;
  });
}

/** `target`, of which each method first asks `before`; what that gives, if anything, is the result. */
function wrapped<T extends object>(target: T, before: (name: string, args: readonly unknown[]) => Promise<unknown>): T {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name);
      // Whoever awaits the target looks for a `then`, which is not there.
      return typeof method === 'function'
        ? async (...args: unknown[]) => (await before(String(name), args)) ?? method.apply(target, args)
        : method;
    },
  });
}

const { values } = parseArgs({ options: { settings: { type: 'string', default: '{}' } } });
await run(JSON.parse(values.settings) as ChildSettings);
