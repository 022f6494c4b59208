import { checkOptionNames } from '@core/base';
import { BackedStore } from './internal/backed-store.js';
import type { Backend, Cursor } from './internal/backend.js';
import { failedOf } from './internal/failed.js';
import type { KeyRange } from './internal/key-range.js';
import type { SqliteDatabase, SqliteModule, SqliteStatement } from './internal/sqlite-module.js';
import type { OrderedStore, StoreCaps, StoreEntry, StoreOperation } from './ordered-store.js';
import { StoreError } from './store-error.js';

export interface SqliteOptions {
  /** A file, made where there is none. Two more stand beside it: `-wal`, `-shm`. */
  readonly path: string;
  /** How long to wait for another process that writes, in milliseconds, the event loop with it. Default: 1,000. */
  readonly busyTimeoutMs?: number;
}

const CAPS: StoreCaps = { maxKeyBytes: 2 ** 20, maxValueBytes: 2 ** 29, durable: true, snapshots: true };
/** Connections of ranges that ended are kept for others, up to so many. */
const MAX_IDLE_READERS = 4;
/** SQLITE_FULL of SQLite's result codes. */
const SQLITE_FULL = 13;

/**
 * Opens a store on `node:sqlite`, which Node has since 22.13. All of it runs in the caller's turn: a durable batch
 * holds the event loop for as long as its sync takes.
 *
 * Batches that are not durable survive the end of the process, and get to the disk with the next durable one.
 *
 * @throws {StoreError} ERR_STORE_UNAVAILABLE, ERR_STORE_FULL, ERR_STORE_FAILED
 * @see https://sqlite.org/wal.html
 */
export async function openSqlite(options: SqliteOptions): Promise<OrderedStore> {
  checkOptionNames(options, ['path', 'busyTimeoutMs'], 'a sqlite store');
  const { path, busyTimeoutMs = 1000 } = options;
  if (typeof path !== 'string' || path === '' || path === ':memory:') {
    throw new TypeError('Cannot open a sqlite store: "path" is no path of a file');
  }
  if (!Number.isSafeInteger(busyTimeoutMs) || busyTimeoutMs < 0) {
    throw new RangeError(`Cannot open a sqlite store with a timeout of ${busyTimeoutMs} ms: pass a whole number ≥0`);
  }
  const { DatabaseSync } = await load();
  const open = (): SqliteDatabase => {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return database;
  };
  let database: SqliteDatabase | null = null;
  try {
    database = open();
    return new BackedStore(new SqliteBackend(database, open));
  } catch (error) {
    database?.close();
    throw faultOf(error, 'open a sqlite store');
  }
}

async function load(): Promise<SqliteModule> {
  try {
    // By a variable: the types of Node 20 do not know it.
    const name: string = 'node:sqlite';
    return (await import(name)) as SqliteModule;
  } catch (error) {
    throw new StoreError(
      'ERR_STORE_UNAVAILABLE',
      `Cannot open a sqlite store: Node ${process.version} has no node:sqlite; use Node 22.13 or later, or openLmdb`,
      { cause: error },
    );
  }
}

class SqliteBackend implements Backend {
  readonly caps: StoreCaps = CAPS;
  readonly #open: () => SqliteDatabase;
  readonly #database: SqliteDatabase;
  readonly #idleReaders: SqliteDatabase[] = [];
  readonly #get: SqliteStatement;
  readonly #put: SqliteStatement;
  readonly #del: SqliteStatement;
  readonly #getMark: SqliteStatement;
  readonly #setMark: SqliteStatement;
  #syncing = true;

  constructor(database: SqliteDatabase, open: () => SqliteDatabase) {
    this.#database = database;
    this.#open = open;
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS marks (id INTEGER PRIMARY KEY, mark REAL NOT NULL);
    `);
    this.#get = database.prepare('SELECT value FROM entries WHERE key = ?');
    // Some versions bind no bytes as NULL.
    this.#put = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, coalesce(?, zeroblob(0)))');
    this.#del = database.prepare('DELETE FROM entries WHERE key = ?');
    this.#getMark = database.prepare('SELECT mark FROM marks WHERE id = 0');
    this.#setMark = database.prepare('INSERT OR REPLACE INTO marks VALUES (0, ?)');
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getSync(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#get.get(key)?.['value'] as Uint8Array | undefined;
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.getSync(key));
  }

  openCursor(range: KeyRange): Cursor {
    const reader = this.#idleReaders.pop() ?? this.#open();
    try {
      return new SqliteCursor(reader, range, this.#release);
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  write(operations: readonly StoreOperation[], durable: boolean, mark: number | undefined): void {
    this.#syncCommits(durable);
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const operation of operations) {
        if (operation.type === 'put') {
          this.#put.run(operation.key, operation.value);
        } else {
          this.#del.run(operation.key);
        }
      }
      if (mark !== undefined) {
        this.#setMark.run(mark);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  mark(): number {
    return (this.#getMark.get()?.['mark'] as number | undefined) ?? 0;
  }

  close(): void {
    for (const reader of this.#idleReaders) {
      reader.close();
    }
    this.#database.close();
  }

  faultOf(error: unknown, action: string): StoreError {
    return faultOf(error, action);
  }

  readonly #release = (reader: SqliteDatabase): void => {
    if (this.#idleReaders.length < MAX_IDLE_READERS) {
      this.#idleReaders.push(reader);
    } else {
      reader.close();
    }
  };

  /** FULL syncs the log at each commit, NORMAL only when the log is copied to the database. */
  #syncCommits(durable: boolean): void {
    if (durable !== this.#syncing) {
      this.#database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#syncing = durable;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full. The first error is the one to tell.
    }
  }
}

/** Pages of rows on a connection of its own, whose open transaction is the snapshot. */
class SqliteCursor implements Cursor {
  readonly #reader: SqliteDatabase;
  readonly #release: (reader: SqliteDatabase) => void;
  readonly #first: SqliteStatement;
  readonly #rest: SqliteStatement;
  /** The bound at the far end, as parameters. */
  readonly #far: readonly Uint8Array[];
  readonly #near: Uint8Array | undefined;
  #last: Uint8Array | null = null;

  constructor(reader: SqliteDatabase, range: KeyRange, release: (reader: SqliteDatabase) => void) {
    this.#reader = reader;
    this.#release = release;
    const { lower, lowerOpen, upper, upperOpen, reverse } = range;
    const above = lowerOpen ? 'key > ?' : 'key >= ?';
    const below = upperOpen ? 'key < ?' : 'key <= ?';
    const near = reverse ? upper : lower;
    const far = reverse ? lower : upper;
    this.#near = near;
    this.#far = far === undefined ? [] : [far];
    const farTerm = far === undefined ? [] : [reverse ? above : below];
    const nearTerm = near === undefined ? [] : [reverse ? below : above];
    this.#first = reader.prepare(select([...nearTerm, ...farTerm], reverse));
    this.#rest = reader.prepare(select([reverse ? 'key < ?' : 'key > ?', ...farTerm], reverse));
    reader.exec('BEGIN');
    // The first read takes the snapshot, not BEGIN.
    reader.prepare('SELECT 1 FROM entries LIMIT 1').get();
  }

  next(count: number): StoreEntry[] {
    const near = this.#last ?? this.#near;
    const statement = this.#last === null ? this.#first : this.#rest;
    const rows = statement.all(...(near === undefined ? [] : [near]), ...this.#far, count);
    const entries = rows.map(({ key, value }): StoreEntry => [key as Uint8Array, value as Uint8Array]);
    const last = entries.at(-1);
    if (last !== undefined) {
      // The caller may change its own.
      this.#last = new Uint8Array(last[0]);
    }
    return entries;
  }

  close(): void {
    try {
      this.#reader.exec('COMMIT');
    } catch (error) {
      this.#reader.close();
      throw error;
    }
    this.#release(this.#reader);
  }
}

function select(terms: readonly string[], reverse: boolean): string {
  const where = terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`;
  return `SELECT key, value FROM entries ${where} ORDER BY key ${reverse ? 'DESC' : 'ASC'} LIMIT ?`;
}

function faultOf(error: unknown, action: string): StoreError {
  if ((error as { errcode?: unknown } | null)?.errcode === SQLITE_FULL) {
    return new StoreError('ERR_STORE_FULL', `Cannot ${action}: no room on the disk; make room and try again`, {
      cause: error,
    });
  }
  return failedOf(error, action);
}
