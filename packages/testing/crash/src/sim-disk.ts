import { must, type Rng } from '@core/base';
import type { JournalFile, JournalFiles, JournalLock } from '@core/journal';

import { type DataChange, type NameChange, SimNode, systemError } from './internal/sim-node.js';

/** The calls of a disk, as a fault or a test sees them. */
export interface DiskCall {
  readonly name:
    | 'makeDirectory'
    | 'list'
    | 'lock'
    | 'release'
    | 'open'
    | 'size'
    | 'read'
    | 'write'
    | 'datasync'
    | 'sync'
    | 'truncate'
    | 'close'
    | 'rename'
    | 'unlink'
    | 'syncDirectory';
  readonly path: string;
  /** 1, 2, 3 … */
  readonly index: number;
}

/** What becomes of a call: it fails with a code, or takes (or gives) so many bytes only. */
export type Fault = { readonly code: string } | { readonly bytes: number };

/** What is on a disk at one instant, and what of it a power loss may undo. */
export interface DiskCapture {
  readonly directories: readonly string[];
  readonly names: ReadonlyMap<string, SimNode>;
  /** Oldest first. */
  readonly nameChanges: readonly NameChange[];
  readonly data: ReadonlyMap<SimNode, { readonly durable: Buffer; readonly changes: readonly DataChange[] }>;
}

/**
 * A disk in memory that knows what is on it and what only looks as if it were.
 *
 * A write is on the disk after a sync of its file, a name after a sync of its directory. Reads see everything at once.
 * A sync that fails keeps what it was to write readable, does not write it, and forgets that it had to: as Linux does.
 */
export class SimDisk implements JournalFiles {
  /** Asked before each call. */
  fault: ((call: DiskCall) => Fault | null) | null = null;
  /** Told before each call; what it sees is what a power loss at that instant finds. */
  onCall: ((call: DiskCall) => void) | null = null;
  calls = 0;
  /** Grows with each change, and each sync: while it stays the same, so does what a power loss may leave. */
  version = 0;
  private readonly directories = new Set<string>();
  private readonly names = new Map<string, SimNode>();
  private durableNames = new Map<string, SimNode>();
  private nameChanges: NameChange[] = [];
  private readonly locks = new Set<string>();
  private life = 0;

  async makeDirectory(path: string): Promise<void> {
    this.check('makeDirectory', path);
    this.directories.add(path);
  }

  async list(directory: string): Promise<readonly string[]> {
    this.check('list', directory);
    if (!this.directories.has(directory)) {
      throw systemError('ENOENT', directory);
    }
    return [...this.names.keys(), ...this.directories]
      .filter((path) => directoryOf(path) === directory)
      .map((path) => path.slice(directory.length + 1));
  }

  async lock(path: string): Promise<JournalLock | null> {
    this.check('lock', path);
    if (this.locks.has(path)) {
      return null;
    }
    this.locks.add(path);
    const { life } = this;
    return {
      release: async () => {
        this.check('release', path);
        if (life === this.life) {
          this.locks.delete(path);
        }
      },
    };
  }

  async open(path: string, mode: 'create' | 'read' | 'write'): Promise<JournalFile> {
    this.check('open', path);
    const found = this.names.get(path);
    if (mode === 'create' && found !== undefined) {
      found.change({ truncate: 0 });
      this.version++;
    } else if (mode === 'create') {
      const node = new SimNode();
      this.names.set(path, node);
      this.nameChanges.push({ link: path, node });
      this.version++;
    } else if (found === undefined) {
      throw systemError('ENOENT', path);
    }
    return new SimFile(this, path, must(this.names.get(path), 'the file is there'));
  }

  async rename(from: string, to: string): Promise<void> {
    this.check('rename', from);
    const node = this.names.get(from);
    if (node === undefined) {
      throw systemError('ENOENT', from);
    }
    this.names.delete(from);
    this.names.set(to, node);
    this.nameChanges.push({ rename: from, to });
    this.version++;
  }

  async unlink(path: string): Promise<void> {
    this.check('unlink', path);
    if (!this.names.delete(path)) {
      throw systemError('ENOENT', path);
    }
    this.nameChanges.push({ unlink: path });
    this.version++;
  }

  async syncDirectory(directory: string): Promise<void> {
    this.check('syncDirectory', directory);
    const synced = (change: NameChange): boolean => directoryOf(targetOf(change)) === directory;
    this.durableNames = applyNames(this.durableNames, this.nameChanges.filter(synced));
    this.nameChanges = this.nameChanges.filter((change) => !synced(change));
    this.version++;
  }

  /** The process is gone, the machine is not: its locks are free, its files go on as they are. */
  kill(): void {
    this.life++;
    this.locks.clear();
  }

  capture(): DiskCapture {
    const nodes = new Set([...this.names.values(), ...this.durableNames.values()]);
    return {
      directories: [...this.directories],
      names: this.durableNames,
      nameChanges: [...this.nameChanges],
      data: new Map([...nodes].map((node) => [node, { durable: node.durable, changes: [...node.changes] }])),
    };
  }

  /** A disk on which all that is there is durable. */
  static of(directories: readonly string[], contents: ReadonlyMap<string, Buffer>): SimDisk {
    const disk = new SimDisk();
    for (const directory of directories) {
      disk.directories.add(directory);
    }
    for (const [path, bytes] of contents) {
      const node = new SimNode(Buffer.from(bytes));
      disk.names.set(path, node);
      disk.durableNames.set(path, node);
    }
    return disk;
  }

  /** What reads see, on a disk of its own: as after a clean shutdown of the machine. */
  copy(): SimDisk {
    return SimDisk.of([...this.directories], new Map([...this.names].map(([path, node]) => [path, node.read()])));
  }

  /** Paths of files, in order. */
  paths(): string[] {
    return [...this.names.keys()].sort();
  }

  bytesOf(path: string): Buffer {
    return must(this.names.get(path), () => `there is no ${path}`).read();
  }

  /** Changes a file behind everybody's back: durable at once. */
  replace(path: string, bytes: Buffer): void {
    const node = new SimNode(bytes);
    this.names.set(path, node);
    this.durableNames.set(path, node);
  }

  /** For a file's calls. @returns the fault that has to be taken account of: bytes only */
  check(name: DiskCall['name'], path: string): number {
    const call: DiskCall = { name, path, index: ++this.calls };
    this.onCall?.(call);
    const fault = this.fault?.(call) ?? null;
    if (fault !== null && 'code' in fault) {
      throw systemError(fault.code, path, name);
    }
    return fault === null ? Infinity : fault.bytes;
  }
}

class SimFile implements JournalFile {
  readonly #disk: SimDisk;
  readonly #path: string;
  readonly #node: SimNode;
  #closed = false;

  constructor(disk: SimDisk, path: string, node: SimNode) {
    this.#disk = disk;
    this.#path = path;
    this.#node = node;
  }

  async size(): Promise<number> {
    this.#check('size');
    return this.#node.read().length;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const most = this.#check('read');
    const bytes = this.#node.read().subarray(position, position + Math.min(target.length, most));
    target.set(bytes);
    return bytes.length;
  }

  async write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const most = Math.min(this.#check('write'), length);
    // Copied at once: the caller may use the buffer again when this has resolved.
    this.#node.change({ at: position, bytes: Buffer.from(bytes.subarray(offset, offset + most)) });
    this.#disk.version++;
    return most;
  }

  /** Two calls, as a fault or a test sees it: the power may fail in between. Other changes of the file still wait. */
  async writeSynced(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const written = await this.write(bytes, offset, length, position);
    const change = must(this.#node.changes.at(-1), 'it was written just now');
    try {
      this.#check('datasync');
    } catch (error) {
      this.#node.forget();
      this.#disk.version++;
      throw error;
    }
    await Promise.resolve();
    this.#node.syncOne(change);
    this.#disk.version++;
    return written;
  }

  async datasync(): Promise<void> {
    await this.#sync('datasync');
  }

  async sync(): Promise<void> {
    await this.#sync('sync');
  }

  async truncate(bytes: number): Promise<void> {
    this.#check('truncate');
    this.#node.change({ truncate: bytes });
    this.#disk.version++;
  }

  async close(): Promise<void> {
    this.#check('close');
    this.#closed = true;
  }

  async #sync(name: 'datasync' | 'sync'): Promise<void> {
    try {
      this.#check(name);
    } catch (error) {
      this.#node.forget();
      this.#disk.version++;
      throw error;
    }
    // In between others have their turn: what they write now is not part of this sync.
    const upTo = this.#node.changes.length;
    await Promise.resolve();
    this.#node.sync(upTo);
    this.#disk.version++;
  }

  #check(name: DiskCall['name']): number {
    if (this.#closed) {
      throw systemError('EBADF', this.#path, name);
    }
    return this.#disk.check(name, this.#path);
  }
}

/** How many of the states that a power loss may leave are made. */
export interface CrashStatesOptions {
  /** All of them up to so many; above, each with one torn write first, and then random ones. */
  readonly limit: number;
  readonly rng: Rng;
}

/**
 * The disks that a power loss at the instant of `capture` may leave: each change that was not synced is there or not,
 * whatever became of the others, and each write may be there up to any of its bytes, or from any of them on.
 *
 * The first has nothing of what was not synced.
 */
export function* crashStates(capture: DiskCapture, { limit, rng }: CrashStatesOptions): Generator<SimDisk> {
  const data = [...capture.data].flatMap(([node, { changes }]) => changes.map((change) => ({ node, change })));
  const ways = [...capture.nameChanges.map(() => 2), ...data.map(({ change }) => waysOf(change))];
  /** Nothing of it, and all of it. */
  const whole = [...capture.nameChanges.map(() => 1), ...data.map(({ change }) => lengthOf(change))];
  const all = ways.reduce((product, count) => product * count, 1);
  if (all <= limit) {
    for (let index = 0; index < all; index++) {
      yield stateOf(capture, data, digits(index, ways));
    }
    return;
  }
  for (const full of [false, true]) {
    const others = full ? whole : ways.map(() => 0);
    yield stateOf(capture, data, others);
    for (const [place, count] of ways.entries()) {
      const stride = Math.max(1, Math.floor((count * ways.length) / limit));
      for (let choice = 0; choice < count; choice += stride) {
        yield stateOf(capture, data, others.with(place, choice));
      }
    }
  }
  for (let made = 0; made < limit; made++) {
    yield stateOf(
      capture,
      data,
      ways.map((count, place) =>
        rng.next() < 0.7 ? (rng.next() < 0.5 ? 0 : (whole[place] as number)) : Math.floor(rng.next() * count),
      ),
    );
  }
}

function lengthOf(change: DataChange): number {
  return 'bytes' in change ? change.bytes.length : 1;
}

/** Nothing, or the first so many bytes of a write, or all but those. */
function waysOf(change: DataChange): number {
  return 'bytes' in change ? Math.max(1, change.bytes.length * 2) : 2;
}

/** @param choice 0: none of it is there; up to its length: so many bytes of it; above: all but the first so many */
function torn(change: DataChange, choice: number): DataChange {
  if (!('bytes' in change)) {
    return change;
  }
  const missing = choice - change.bytes.length;
  return missing > 0
    ? { at: change.at + missing, bytes: change.bytes.subarray(missing) }
    : { at: change.at, bytes: change.bytes.subarray(0, choice) };
}

/** @param choices for each change of a name, and then for each of data: 0 for nothing, see {@link torn} */
function stateOf(
  capture: DiskCapture,
  data: readonly { readonly node: SimNode; readonly change: DataChange }[],
  choices: readonly number[],
): SimDisk {
  const names = applyNames(
    capture.names,
    capture.nameChanges.filter((_, index) => choices[index] === 1),
  );
  const contents = new Map<SimNode, SimNode>();
  for (const [node, { durable }] of capture.data) {
    contents.set(node, new SimNode(durable));
  }
  for (const [index, { node, change }] of data.entries()) {
    const choice = choices[capture.nameChanges.length + index] as number;
    if (choice > 0) {
      contents.get(node)?.change(torn(change, choice));
    }
  }
  return SimDisk.of(
    capture.directories,
    new Map([...names].map(([path, node]) => [path, contents.get(node)?.read() ?? node.durable])),
  );
}

function digits(index: number, ways: readonly number[]): number[] {
  let left = index;
  return ways.map((count) => {
    const digit = left % count;
    left = Math.floor(left / count);
    return digit;
  });
}

function applyNames(names: ReadonlyMap<string, SimNode>, changes: readonly NameChange[]): Map<string, SimNode> {
  const applied = new Map(names);
  for (const change of changes) {
    if ('link' in change) {
      applied.set(change.link, change.node);
    } else if ('unlink' in change) {
      applied.delete(change.unlink);
    } else {
      const node = applied.get(change.rename);
      applied.delete(change.rename);
      if (node !== undefined) {
        applied.set(change.to, node);
      }
    }
  }
  return applied;
}

function targetOf(change: NameChange): string {
  return 'link' in change ? change.link : 'unlink' in change ? change.unlink : change.to;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
