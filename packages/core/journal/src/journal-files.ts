/** A file that is open. */
export interface JournalFile {
  /** Its length in bytes. */
  size(): Promise<number>;
  /**
   * Reads from `position` on into `target`.
   *
   * @returns bytes read: fewer than `target` holds at the file's end, or where the system reads short; 0 at the end
   */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes `length` bytes from `offset` of `bytes` on. @returns bytes written: may be fewer */
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** As {@link write}; those bytes, and the length if it grew, are on disk when this resolves. */
  writeSynced(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** What was written, and the length if it grew, is on disk when this resolves (`fdatasync(2)`). */
  datasync(): Promise<void>;
  /** The same, with every attribute, as needed after `truncate` (`fsync(2)`). */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** A lock that is held. */
export interface JournalLock {
  release(): Promise<void>;
}

/**
 * The file calls of a journal. `NodeFiles` makes them; a simulated disk that loses power makes them too. Paths are the
 * directory that was given to the journal, with names joined to it.
 *
 * Names (a file that is made, renamed or unlinked) are on disk only when `syncDirectory` of their directory resolved.
 */
export interface JournalFiles {
  /** Makes a directory, and those above it; on disk when this resolves. Does nothing where it is there. */
  makeDirectory(path: string): Promise<void>;
  /** The names in a directory, in any order. */
  list(directory: string): Promise<readonly string[]>;
  /**
   * Takes a lock that ends with the process, however that ends, and excludes every other taker, those of the same
   * process as well. Makes the file if there is none.
   *
   * @returns null when somebody else has it
   */
  lock(path: string): Promise<JournalLock | null>;
  /** `create` makes an empty file, over one that is there; the others fail with ENOENT where there is none. */
  open(path: string, mode: 'create' | 'read' | 'write'): Promise<JournalFile>;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncDirectory(directory: string): Promise<void>;
}
