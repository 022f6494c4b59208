import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { MemoryDisk, MemoryStore, type StoreEntry, type StoreRange } from '@core/ordered-store';
import { BtreeKeyCache } from '../../src/index.js';
import { KeyLevel, type KeyLevelOptions } from '../../src/level/key-level.js';
import type { LevelBackend } from '../../src/level/level-backend.js';
import { TestJournal } from '../support/test-journal.js';
import { TestStore } from '../support/test-store.js';
import { runTape, type TapeTest } from './tape.js';

type Options = KeyLevelOptions<string, string>;

const suite = createRequire(import.meta.url)('abstract-level/test') as (options: {
  test: (name: string, body: (t: TapeTest) => unknown) => void;
  factory: (options?: Options) => KeyLevel;
}) => void;

const BACKENDS: Record<string, () => () => Promise<LevelBackend>> = {
  'a key cache': () => {
    const store = new TestStore();
    const journal = new TestJournal();
    return () => BtreeKeyCache.open({ store, journal });
  },
  'a store in memory': () => {
    const disk = new MemoryDisk();
    return async () => new MemoryStore({ disk });
  },
};

describe.each(Object.entries(BACKENDS))('abstract-level, on %s', (_, backend) => {
  let assertions = 0;
  suite({
    test: (name, body) => {
      test(name, () => runTape(body, () => assertions++));
    },
    factory: (options = {}) => new KeyLevel(backend(), options),
  });

  test('was judged by all of it', () => {
    expect(assertions).toBeGreaterThan(4200);
  });
});

/** A store whose ranges have their upper bound in them, always. */
class Inclusive extends MemoryStore {
  override range({ lt, ...rest }: StoreRange): AsyncIterableIterator<StoreEntry> {
    return super.range(lt === undefined ? rest : { ...rest, lte: lt });
  }
}

test('a backend that is broken would be seen', async () => {
  const failures: string[] = [];
  const tests: [string, (t: TapeTest) => unknown][] = [];
  suite({
    test: (name, body) => tests.push([name, body]),
    factory: (options = {}) => new KeyLevel(() => new Inclusive(), options),
  });
  for (const [name, body] of tests.filter(
    ([name]) => name.startsWith('iterator() range with ') || name.endsWith(' setup'),
  )) {
    await runTape(body, () => {}).catch(() => failures.push(name));
  }
  expect(failures).toContain('iterator() range with gt=29 and lt=71');
  expect(failures).not.toContain('iterator() range with gte=30 and lte=70');
});
