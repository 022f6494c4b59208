/** As much of `node:sqlite` as is used here. The types of Node 20 have none of it. */
export interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase;
}

export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

type SqliteValue = Uint8Array | number;

export interface SqliteStatement {
  get(...values: readonly SqliteValue[]): Readonly<Record<string, unknown>> | undefined;
  all(...values: readonly SqliteValue[]): readonly Readonly<Record<string, unknown>>[];
  run(...values: readonly SqliteValue[]): unknown;
}
