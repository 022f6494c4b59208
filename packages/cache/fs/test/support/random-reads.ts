import nodeFs from 'node:fs';
import { join } from 'node:path';
import type { SeededRng } from '@core/base';
import type { CachedFs, NodeFs } from '@cache/fs';

type FileHandle = Awaited<ReturnType<NodeFs['promises']['open']>>;

export interface RandomReads {
  readonly rng: SeededRng;
  /** Twin directories: node:fs works in one, the façade in the other. */
  readonly theirs: string;
  readonly ours: string;
  readonly cached: CachedFs;
  /** Where the façade's changes are made. */
  readonly changer: NodeFs;
  /** Told of what others have changed. */
  readonly tell: (path: string) => void;
  /** Takes back some of what is cached. */
  readonly shrink: () => void;
  /** Told of what was changed, a path or a descriptor, when it was. */
  readonly changed: (file: string | number) => void;
  /** Throws when the books do not balance. */
  readonly check: () => void;
}

const NAMES = ['one', 'two', 'three'];
const OPEN_MAX = 6;
const CHECK_EVERY = 10;
/** A few blocks, and a reader that is far ahead of them. */
const FILE_MAX = 40_000;

/** A descriptor of each side, of the same name. */
interface Pair {
  readonly theirs: number;
  readonly ours: number;
  readonly handles: readonly [FileHandle, FileHandle] | null;
  readonly isWritable: boolean;
}

type Sides<T> = readonly [theirs: T, ours: T];

/** @returns the first step at which the two sides differ, and how; null if they never do */
export async function runRandomReads(world: RandomReads, steps: number): Promise<string | null> {
  const { rng, theirs, ours, cached } = world;
  const pairs: Pair[] = [];
  try {
    for (const name of NAMES) {
      rewrite(world, name, nodeFs);
    }
    for (let step = 0; step < steps; step++) {
      const kind = rng.below(100);
      const results = await stepOf(world, pairs, kind);
      if (step % CHECK_EVERY === 0) {
        world.check();
      }
      const [expected, actual] = results.map((result, side) => plain(result, [theirs, ours][side] as string));
      if (expected !== actual) {
        return `step ${step}, kind ${kind}:\n  ${String(expected)}\n  ${String(actual)}`;
      }
    }
    return null;
  } finally {
    for (const pair of pairs) {
      await close(pair, cached);
    }
  }
}

async function stepOf(world: RandomReads, pairs: Pair[], kind: number): Promise<Sides<unknown>> {
  const { rng } = world;
  const pair = pairs[rng.below(Math.max(1, pairs.length))];
  if (kind < 12 || pair === undefined) {
    return pairs.length < OPEN_MAX ? open(world, pairs) : [null, null];
  }
  if (kind < 80) {
    return read(world, pair);
  }
  if (kind < 85) {
    pairs.splice(pairs.indexOf(pair), 1);
    await close(pair, world.cached);
    return [null, null];
  }
  if (kind < 88) {
    return stream(world);
  }
  if (kind === 88) {
    world.shrink();
    return [null, null];
  }
  return kind < 95 ? change(world, pair) : changeByOthers(world);
}

async function open({ rng, theirs, ours, cached }: RandomReads, pairs: Pair[]): Promise<Sides<unknown>> {
  const name = NAMES[rng.below(NAMES.length)] as string;
  const isWritable = rng.below(4) === 0;
  const flags = isWritable ? 'r+' : 'r';
  const paths: Sides<string> = [join(theirs, name), join(ours, name)];
  try {
    if (rng.below(2) === 0) {
      const handles = [
        await nodeFs.promises.open(paths[0], flags),
        await cached.promises.open(paths[1], flags),
      ] as const;
      pairs.push({ theirs: handles[0].fd, ours: handles[1].fd, handles, isWritable });
    } else {
      pairs.push({
        theirs: nodeFs.openSync(paths[0], flags),
        ours: cached.openSync(paths[1], flags),
        handles: null,
        isWritable,
      });
    }
    return [null, null];
  } catch (error) {
    return [(error as { code: string }).code, await settled(async () => cached.openSync(paths[1], flags))];
  }
}

async function close({ theirs, ours, handles }: Pair, cached: CachedFs): Promise<void> {
  if (handles !== null) {
    await Promise.all(handles.map((handle) => handle.close()));
    return;
  }
  nodeFs.closeSync(theirs);
  cached.closeSync(ours);
}

/** The same read of both, in one of its forms. */
async function read({ rng, cached }: RandomReads, pair: Pair): Promise<Sides<unknown>> {
  const length = [1, 7, 100, 4096, 10_000, 50_000][rng.below(6)] as number;
  const offset = rng.below(3) === 0 ? rng.below(length) : 0;
  const position = positionOf(rng);
  const form = rng.below(pair.handles === null ? 8 : 12);
  const each = async (fs: NodeFs, fd: number, handle?: FileHandle): Promise<unknown> => {
    const buffer = Buffer.alloc(length, '.');
    const rest = length - offset;
    switch (form) {
      case 0:
      case 1:
        return [fs.readSync(fd, buffer, offset, rest, position), buffer];
      case 2:
        return [fs.readSync(fd, buffer, { offset, position: position as number }), buffer];
      case 3:
        return [fs.readvSync(fd, [buffer.subarray(0, offset + 1), buffer], position as number), buffer];
      case 4:
        return fs.readFileSync(fd);
      case 5:
        return new Promise((resolve) => {
          fs.read(fd, buffer, offset, rest, position, (error, bytes, same) => {
            resolve([error, bytes, same === buffer, buffer]);
          });
        });
      case 6:
        return new Promise((resolve) => {
          fs.readv(fd, [buffer.subarray(0, offset + 1), buffer], position as number, (error, bytes, same) => {
            resolve([error, bytes, same.length, buffer]);
          });
        });
      case 7:
        return new Promise((resolve) => {
          fs.readFile(fd, 'latin1', (error, content) => resolve([error, content]));
        });
      case 8:
        return [(await handle?.read(buffer, offset, rest, position as number))?.bytesRead, buffer];
      case 9:
        return [(await handle?.read({ buffer, offset, position: position as number }))?.bytesRead, buffer];
      case 10:
        return [(await handle?.readv([buffer.subarray(0, offset + 1), buffer], position as number))?.bytesRead, buffer];
      default:
        return rng.below(2) === 0 ? handle?.readFile('latin1') : handle?.readFile('latin1');
    }
  };
  return [
    await settled(() => each(nodeFs, pair.theirs, pair.handles?.[0])),
    await settled(() => each(cached, pair.ours, pair.handles?.[1])),
  ];
}

function positionOf(rng: SeededRng): number | bigint | null {
  const at = rng.below(FILE_MAX + 5000);
  switch (rng.below(8)) {
    case 0:
      return at;
    case 1:
      return 0;
    case 2:
      return at - (at % 4096);
    case 3:
      return -1;
    default:
      return null;
  }
}

/** A stream of some of a file, by its path. */
async function stream({ rng, theirs, ours, cached }: RandomReads): Promise<Sides<unknown>> {
  const name = NAMES[rng.below(NAMES.length)] as string;
  const start = rng.below(2) === 0 ? rng.below(FILE_MAX) : 0;
  const options = { start, end: start + rng.below(FILE_MAX), highWaterMark: 1 + rng.below(20_000) };
  const all = async (fs: NodeFs, root: string): Promise<unknown> => {
    const chunks: Buffer[] = [];
    for await (const chunk of fs.createReadStream(join(root, name), options)) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  };
  return [await settled(() => all(nodeFs, theirs)), await settled(() => all(cached, ours))];
}

/** By the façade: on one side by node:fs, on the other by ours. */
async function change(world: RandomReads, pair: Pair): Promise<Sides<unknown>> {
  const { rng, theirs, ours, changer } = world;
  const name = NAMES[rng.below(NAMES.length)] as string;
  const [kind, at, bytes] = [rng.below(6), rng.below(FILE_MAX), contentOf(rng, 1 + rng.below(9000))];
  const other = NAMES[rng.below(NAMES.length)] as string;
  const each = async (fs: NodeFs, root: string, fd: number, handle?: FileHandle): Promise<unknown> => {
    const path = join(root, name);
    switch (kind) {
      case 0:
        return fs.writeFileSync(path, bytes);
      case 1:
        return fs.promises.appendFile(path, bytes);
      case 2:
        return fs.truncateSync(path, at);
      case 3:
        fs.writeFileSync(`${path}.new`, bytes);
        return fs.renameSync(`${path}.new`, join(root, other));
      case 4:
        return handle === undefined ? fs.writeSync(fd, bytes, 0, bytes.length, at) : handle.write(bytes, 0, 5, at);
      default:
        fs.unlinkSync(path);
        return fs.writeFileSync(path, bytes);
    }
  };
  if (kind === 4 && !pair.isWritable) {
    return [null, null];
  }
  const results: Sides<string> = [
    typeof (await settled(() => each(nodeFs, theirs, pair.theirs, pair.handles?.[0]))),
    typeof (await settled(() => each(changer, ours, pair.ours, pair.handles?.[1]))),
  ];
  world.changed(kind === 4 ? pair.ours : join(ours, kind === 3 ? other : name));
  return results;
}

/** By somebody else, who tells of it. */
async function changeByOthers(world: RandomReads): Promise<Sides<unknown>> {
  const { rng, theirs, ours, tell } = world;
  const name = NAMES[rng.below(NAMES.length)] as string;
  const [isCut, at] = [rng.below(3) === 0, rng.below(FILE_MAX)];
  const bytes = contentOf(rng, 1 + rng.below(9000));
  for (const root of [theirs, ours]) {
    const path = join(root, name);
    if (isCut) {
      nodeFs.truncateSync(path, at);
    } else {
      const fd = nodeFs.openSync(path, 'r+');
      nodeFs.writeSync(fd, bytes, 0, bytes.length, at);
      nodeFs.closeSync(fd);
    }
  }
  world.changed(join(ours, name));
  tell(join(ours, name));
  return [null, null];
}

function rewrite({ rng, theirs, ours }: RandomReads, name: string, fs: NodeFs): void {
  const bytes = contentOf(rng, FILE_MAX);
  for (const root of [theirs, ours]) {
    fs.writeFileSync(join(root, name), bytes);
  }
}

function contentOf(rng: SeededRng, length: number): Buffer {
  const seed = rng.below(256);
  return Buffer.from(Array.from({ length }, (_, index) => (index * 31 + seed + (index >> 8)) & 255));
}

async function settled(make: () => Promise<unknown>): Promise<unknown> {
  try {
    return await make();
  } catch (error) {
    return error;
  }
}

/** What two results are compared by. */
function plain(result: unknown, root: string): string {
  if (result instanceof Error) {
    const { code, syscall, message } = result as Error & { code?: string; syscall?: string };
    return `${result.name} ${String(code)} ${String(syscall)} ${message.replaceAll(root, '')}`;
  }
  if (Array.isArray(result)) {
    return result.map((part: unknown) => plain(part, root)).join(' | ');
  }
  return result instanceof Uint8Array ? `${result.length}: ${Buffer.from(result).toString('base64')}` : String(result);
}
