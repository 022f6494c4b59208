import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, describe, expect, test } from 'vitest';
import { openLmdb, openSqlite, type OrderedStore, storeOfLevel } from '@core/ordered-store';
import { BtreeKeyCache } from '../../src/index.js';
import { KeyLevel, type KeyLevelOptions } from '../../src/level/key-level.js';
import { TestJournal } from '../support/test-journal.js';
import { runTape, type TapeTest } from './tape.js';

type Options = KeyLevelOptions<string, string>;

const suite = createRequire(import.meta.url)('abstract-level/test') as (options: {
  test: (name: string, body: (t: TapeTest) => unknown) => void;
  factory: (options?: Options) => KeyLevel;
}) => void;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const HAS_SQLITE = major > 22 || (major === 22 && minor >= 13);
/** In memory where that can be had: what is judged here is no disk, and each test opens a database of its own. */
const ROOT = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'key-level-'));

afterAll(() => {
  rmSync(ROOT, { recursive: true, force: true });
});

const STORES: Readonly<Record<string, (path: string) => OrderedStore | Promise<OrderedStore>>> = {
  lmdb: (path) => openLmdb({ path }),
  ...(HAS_SQLITE ? { sqlite: (path: string) => openSqlite({ path }) } : {}),
  'classic-level': (path) => storeOfLevel(new ClassicLevel<Uint8Array, Uint8Array>(path)),
};

let databases = 0;

describe.each(Object.entries(STORES))('abstract-level, on a key cache over %s', (_, open) => {
  let assertions = 0;
  suite({
    test: (name, body) => {
      test(name, () => runTape(body, () => assertions++));
    },
    factory: (options = {}) => {
      const place = join(ROOT, String(databases++));
      const journal = new TestJournal();
      return new KeyLevel(() => BtreeKeyCache.open({ store: () => open(place), journal }), options);
    },
  });

  test('was judged by all of it', () => {
    expect(assertions).toBeGreaterThan(4200);
  });
});
