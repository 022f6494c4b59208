import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import nodeFs, { constants } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShrinkerRegistry } from '@core/shrinker';
import { createCachedFs, type NodeFs } from '@cache/fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OpenFile } from '../src/internal/open-file.js';
import { countedFs } from './support/counted-fs.js';
import { type Form, FORMS, outcomeOf } from './support/outcome.js';
import { scratch } from './support/scratch.js';

/** A file that has not changed for long, so that what is read of it may be kept. */
const OLD = process.execPath;
const BLOCK = 4096;

type Handle = Awaited<ReturnType<NodeFs['promises']['open']>>;

/** The calls of the file system below that look at bytes. */
function reads(calls: readonly string[]): readonly string[] {
  return calls.filter((name) => name.startsWith('read'));
}

function readLater(
  fs: NodeFs,
  ...args: readonly [fd: number, buffer: Buffer, offset: number, length: number, position: number | null]
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(...args, (error, bytesRead) => {
      if (error === null) {
        resolve(bytesRead);
      } else {
        reject(error);
      }
    });
  });
}

async function turn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

/** The same file with other bytes, as long as before. */
function fill(path: string, letter: string, bytes = 3 * BLOCK): void {
  nodeFs.writeFileSync(path, letter.repeat(bytes));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what was read is not read again', () => {
  it('by another descriptor of the file, in any form', async () => {
    const { fs, calls, reset } = countedFs();
    const cached = createCachedFs({ fs });
    const first = cached.openSync(OLD, 'r');
    const buffer = Buffer.alloc(2 * BLOCK);
    expect(cached.readSync(first, buffer, 0, buffer.length, BLOCK)).toBe(buffer.length);
    cached.closeSync(first);
    const { hits = 0 } = cached.stats().blocks ?? {};
    reset();

    const second = cached.openSync(OLD, 'r');
    const same = Buffer.alloc(buffer.length);
    expect(cached.readSync(second, same, { position: BLOCK })).toBe(same.length);
    expect(same.equals(buffer)).toBe(true);
    expect(await readLater(cached, second, same.fill(0), 0, BLOCK, 2 * BLOCK)).toBe(BLOCK);
    expect(same.equals(Buffer.concat([buffer.subarray(BLOCK), Buffer.alloc(BLOCK)]))).toBe(true);
    expect(cached.readvSync(second, [new DataView(new ArrayBuffer(8)), Buffer.alloc(BLOCK)], BLOCK)).toBe(8 + BLOCK);
    cached.closeSync(second);
    const handle = await cached.promises.open(OLD);
    expect((await handle.read({ buffer: same.fill(0), position: BLOCK })).bytesRead).toBe(same.length);
    expect((await handle.readv([same.fill(0)], BLOCK)).bytesRead).toBe(same.length);
    await handle.close();
    const chunks: Buffer[] = [];
    for await (const chunk of cached.createReadStream(OLD, { start: BLOCK, end: 3 * BLOCK - 1 })) {
      chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks).equals(buffer)).toBe(true);

    expect(reads(calls())).toEqual([]);
    expect((cached.stats().blocks?.hits ?? 0) - hits).toBeGreaterThanOrEqual(6);
    await cached.close();
  });

  it('by streams of a handle, and by the handle as a file', async () => {
    const { fs, calls, reset } = countedFs();
    const cached = createCachedFs({ fs });
    const path = fileURLToPath(import.meta.url);
    const text = nodeFs.readFileSync(path, 'utf8');
    const all = async (from: (handle: Handle) => AsyncIterable<unknown>): Promise<string> => {
      const handle = await cached.promises.open(path);
      let content = '';
      for await (const chunk of from(handle)) {
        content += chunk instanceof ArrayBuffer ? Buffer.from(chunk).toString('latin1') : String(chunk);
      }
      await handle.close();
      return content;
    };
    expect(await all((handle) => handle.createReadStream({ encoding: 'utf8' }))).toBe(text);
    reset();
    expect(await all((handle) => handle.createReadStream({ encoding: 'utf8' }))).toBe(text);
    expect(await all((handle) => cached.createReadStream('', { fd: handle, encoding: 'utf8' }))).toBe(text);
    expect(await all((handle) => handle.readLines({ encoding: 'utf8' }))).toBe(text.replaceAll('\n', ''));
    const handle = await cached.promises.open(path);
    expect(await cached.promises.readFile(handle, 'utf8')).toBe(text);
    expect(await handle.readFile('utf8')).toBe('');
    await handle.close();
    expect(reads(calls()).filter((name) => name !== 'readFile')).toEqual([]);
    expect(await all((from) => from.readableWebStream() as AsyncIterable<unknown>)).toHaveLength(
      Buffer.byteLength(text),
    );
    await cached.close();
  });

  it('by a stream that is made by `new`, as node allows', async () => {
    const cached = createCachedFs();
    const Create = cached.createReadStream as unknown as new (path: string, options: object) => AsyncIterable<Buffer>;
    let bytes = 0;
    for await (const chunk of new Create(OLD, { end: 99 })) {
      bytes += chunk.length;
    }
    expect([bytes, cached.stats().blocks?.misses]).toEqual([100, 1]);
    await cached.close();
  });

  it('by one look for each descriptor, one at the end, and one when the look before is too old', async () => {
    const { fs, calls, reset } = countedFs();
    let nowMs = 1000;
    const cached = createCachedFs({ fs, clock: { now: () => nowMs } });
    const buffer = Buffer.alloc(100);
    const fd = cached.openSync(OLD, 'r');
    const size = nodeFs.statSync(OLD).size;
    reset();
    for (let time = 0; time < 10; time++) {
      cached.readSync(fd, buffer, 0, 100, 0);
    }
    expect(calls().filter((name) => name === 'fstatSync')).toHaveLength(1);
    expect(cached.readSync(fd, buffer, 0, 100, size)).toBe(0);
    expect(calls().filter((name) => name === 'fstatSync')).toHaveLength(2);
    await turn();
    nowMs += 2999;
    cached.readSync(fd, buffer, 0, 100, 0);
    expect(calls().filter((name) => name === 'fstatSync')).toHaveLength(2);
    await turn();
    nowMs += 2;
    cached.readSync(fd, buffer, 0, 100, 0);
    expect(calls().filter((name) => name === 'fstatSync')).toHaveLength(3);
    expect(reads(calls())).toHaveLength(1);
    cached.closeSync(fd);
    await cached.close();
  });

  it('but never where it is asked for as it is, or is no file', async () => {
    using area = scratch();
    const { fs, calls, reset } = countedFs();
    const cached = createCachedFs({ fs });
    const always = createCachedFs({ fs, revalidate: 'always' });
    nodeFs.symlinkSync('/dev/zero', join(area.path, 'zeros'));
    nodeFs.symlinkSync('/proc/self/status', join(area.path, 'status'));
    const buffer = Buffer.alloc(16, 1);
    for (const [facade, path, flags] of [
      [cached, OLD, 'rs'],
      [cached, OLD, constants.O_RDONLY | constants.O_DIRECT],
      [cached, OLD, 'r+'],
      [cached, join(area.path, 'zeros'), 'r'],
      [cached, join(area.path, 'status'), 'r'],
      [always, OLD, 'r'],
    ] as const) {
      const at = flags === 'r+' ? join(area.path, 'writable') : path;
      nodeFs.writeFileSync(join(area.path, 'writable'), 'x'.repeat(100));
      const fd = facade.openSync(at, flags);
      reset();
      const isDirect = typeof flags === 'number' && flags !== 0;
      for (const _ of [1, 2]) {
        // O_DIRECT takes aligned buffers only, and says so.
        expect(await outcomeOf(facade, 'read', 'sync', [fd, buffer, 0, 16, null])).toEqual(
          isDirect ? { thrown: expect.anything() as unknown } : { value: 16 },
        );
      }
      expect(reads(calls())).toEqual(['readSync', 'readSync']);
      facade.closeSync(fd);
    }
    expect(always.stats().blocks).toBeNull();
    await cached.close();
    await always.close();
  });
});

describe('a file that is too large to be kept as a whole', () => {
  it.each(FORMS)('is read by blocks, if it fits; each caller has bytes of its own: %s', async (form) => {
    using area = scratch();
    const { fs, calls, reset } = countedFs();
    const path = join(area.path, 'large');
    // Blocks have half of it, one file as a whole a quarter.
    const cached = createCachedFs({ fs, maxBytes: 1 << 20 });
    const whole = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7 + (index >> 8)) & 255));
    nodeFs.writeFileSync(path, whole);
    agedFiles();
    expect(cached.statSync(path).size).toBe(whole.length);
    const read = async (): Promise<Buffer> => {
      if (form !== 'callback') {
        return form === 'sync' ? cached.readFileSync(path) : cached.promises.readFile(path);
      }
      return new Promise((resolve, reject) => {
        cached.readFile(path, (error, content) => (error === null ? resolve(content) : reject(error)));
      });
    };
    const descriptors = nodeFs.readdirSync('/proc/self/fd').length;
    const first = await read();
    expect(first.equals(whole)).toBe(true);
    first.fill(0);
    reset();
    expect((await read()).equals(whole)).toBe(true);
    expect(reads(calls())).toEqual([]);
    expect(cached.readFileSync(path, 'latin1')).toBe(whole.toString('latin1'));
    cached.appendFileSync(path, 'more');
    expect((await read()).subarray(whole.length).toString()).toBe('more');
    nodeFs.truncateSync(path, 10);
    cached.invalidate(path);
    expect((await read()).equals(whole.subarray(0, 10))).toBe(true);
    expect(nodeFs.readdirSync('/proc/self/fd')).toHaveLength(descriptors);
    await cached.close();
  });

  it('is not kept at all, if it does not fit', async () => {
    using area = scratch();
    const path = join(area.path, 'large');
    const cached = createCachedFs({ maxBytes: 1 << 20 });
    nodeFs.writeFileSync(path, Buffer.alloc(600_000, 'x'));
    cached.statSync(path);
    expect(cached.readFileSync(path, 'utf8')).toHaveLength(600_000);
    expect(cached.stats()).toMatchObject({ blocks: { used: 0 }, files: { derived: 0 } });
    await cached.close();
  });
});

describe('a change is seen', () => {
  it.each(FORMS)('at once, when it is made on the façade: %s', async (form) => {
    using area = scratch();
    const path = join(area.path, 'file');
    const cached = createCachedFs();
    fill(path, 'a');
    const fd = cached.openSync(path, 'r');
    const buffer = Buffer.alloc(3);
    const seen = async (): Promise<string> => {
      buffer.fill('.');
      const got = await outcomeOf(cached, 'read', form === 'promise' ? 'sync' : form, [fd, buffer, 0, 3, BLOCK]);
      expect(got).toMatchObject(form === 'callback' ? { told: [null, 3, {}] } : { value: 3 });
      return buffer.toString();
    };
    const call = async (name: string, ...args: unknown[]): Promise<void> => {
      expect(await outcomeOf(cached, name, form, args)).not.toHaveProperty('thrown');
    };
    expect(await seen()).toBe('aaa');
    await call('writeFile', path, 'b'.repeat(3 * BLOCK));
    expect(await seen()).toBe('bbb');
    await call('appendFile', path, 'more');
    await call('truncate', path, BLOCK + 2);
    cached.truncateSync(path, BLOCK + 3);
    expect(await seen()).toBe('bb\0');
    const writer = cached.openSync(path, 'r+');
    cached.writeSync(writer, 'ccc', BLOCK);
    expect(await seen()).toBe('ccc');
    cached.renameSync(path, `${path}.moved`);
    cached.writeSync(writer, 'ddd', BLOCK);
    expect(await seen()).toBe('ddd');
    cached.closeSync(writer);
    const handle = await cached.promises.open(`${path}.moved`, 'r+');
    await handle.write('eee', BLOCK);
    expect(await seen()).toBe('eee');
    await handle.close();
    const stream = cached.createWriteStream(`${path}.moved`, { flags: 'r+', start: BLOCK });
    stream.end('fff');
    await once(stream, 'close');
    expect(await seen()).toBe('fff');
    cached.closeSync(fd);
    await cached.close();
  });

  it('of others: after `invalidate`, at the end of the file, or when it is old', async () => {
    using area = scratch();
    const path = join(area.path, 'file');
    let nowMs = 0;
    const cached = createCachedFs({ clock: { now: () => nowMs } });
    fill(path, 'a');
    const fd = cached.openSync(path, 'r');
    const read = (position: number): string => {
      const buffer = Buffer.alloc(3);
      return buffer.toString('latin1', 0, cached.readSync(fd, buffer, 0, 3, position));
    };
    expect(read(0)).toBe('aaa');
    fill(path, 'b');
    expect(read(0)).toBe('aaa');
    cached.invalidate(path);
    expect(read(0)).toBe('bbb');
    fill(path, 'c', 3 * BLOCK + 3);
    expect(read(0)).toBe('bbb');
    expect(read(3 * BLOCK)).toBe('ccc');
    expect(read(0)).toBe('ccc');
    fill(path, 'd');
    await turn();
    nowMs += 3001;
    expect(read(0)).toBe('ddd');
    expect(read(3 * BLOCK)).toBe('');
    cached.closeSync(fd);
    await cached.close();
  });
});

describe('the descriptor’s own position', () => {
  it('is where the read before ended, whoever read', async () => {
    using area = scratch();
    const path = join(area.path, 'file');
    nodeFs.writeFileSync(path, '0123456789'.repeat(BLOCK));
    const cached = createCachedFs();
    const handle = await cached.promises.open(path);
    const { fd } = handle;
    const read = async (...args: unknown[]): Promise<string> => {
      const { buffer, bytesRead } = await (
        handle.read as (...all: unknown[]) => Promise<{ buffer: Buffer; bytesRead: number }>
      )(...args);
      return buffer.toString('latin1', 0, bytesRead);
    };
    expect(await read(Buffer.alloc(3))).toBe('012');
    expect(await read(Buffer.alloc(3), 0, 2, null)).toBe('34');
    expect(await read(Buffer.alloc(3), 0, 3, 0)).toBe('012');
    expect(await read({ buffer: Buffer.alloc(2), position: -1 })).toBe('56');
    const [one, other] = [Buffer.alloc(2), Buffer.alloc(2)];
    expect(cached.readvSync(fd, [one, other])).toBe(4);
    expect(Buffer.concat([one, other]).toString()).toBe('7890');
    expect(cached.readSync(fd, one, 0, 1, -1n as never)).toBe(1);
    expect(one.toString()).toBe('18');
    // What node takes for a number of bytes, or refuses.
    expect(cached.readSync(fd, one, 0, '2' as never, null)).toBe(2);
    expect(one.toString()).toBe('23');
    expect(() => cached.readSync(fd, one, 0, 3, null)).toThrow(RangeError);
    expect(cached.readSync(fd, Buffer.alloc(1), 0, 0, null)).toBe(0);
    expect(await read()).toHaveLength(16_384);
    expect(cached.readFileSync(fd, 'latin1')).toBe('0123456789'.repeat(BLOCK).slice(14 + 16_384));
    expect(await handle.readFile('latin1')).toBe('');
    await handle.close();
    await cached.close();
  });

  it('is shared by reads that are under way together: each gets what follows', async () => {
    const cached = createCachedFs();
    const fd = cached.openSync(OLD, 'r');
    const buffers = Array.from({ length: 40 }, () => Buffer.alloc(1000));
    const got = await Promise.all(buffers.map(async (buffer) => readLater(cached, fd, buffer, 0, 1000, null)));
    expect(got).toEqual(buffers.map(() => 1000));
    const expected = Buffer.alloc(40_000);
    const direct = nodeFs.openSync(OLD, 'r');
    nodeFs.readSync(direct, expected);
    nodeFs.closeSync(direct);
    expect(Buffer.concat(buffers).equals(expected)).toBe(true);
    cached.closeSync(fd);
    await cached.close();
  });

  it('goes on behind what others read by the number, and after the cache is closed', async () => {
    using area = scratch();
    const path = join(area.path, 'file');
    nodeFs.writeFileSync(path, 'header\nbody\n');
    const cached = createCachedFs();
    const fresh = cached.openSync(path, 'r');
    expect(spawnSync('cat', { stdio: [fresh, 'pipe', 'inherit'] }).stdout.toString()).toBe('header\nbody\n');
    cached.closeSync(fresh);

    const handle = await cached.promises.open(path);
    await handle.read(Buffer.alloc(7), 0, 7);
    const web = (handle as unknown as { readableWebStream(): AsyncIterable<ArrayBuffer> }).readableWebStream();
    const chunks: Buffer[] = [];
    for await (const chunk of web) {
      chunks.push(Buffer.from(chunk));
    }
    expect(Buffer.concat(chunks).toString()).toBe('body\n');
    await handle.close();

    const fd = cached.openSync(path, 'r');
    const buffer = Buffer.alloc(7);
    cached.readSync(fd, buffer);
    await cached.close();
    expect(buffer.toString('latin1', 0, cached.readSync(fd, buffer))).toBe('body\n');
    expect(cached.readSync(fd, buffer)).toBe(0);
    nodeFs.appendFileSync(path, 'more');
    expect(buffer.toString('latin1', 0, await readLater(cached, fd, buffer, 0, 7, null))).toBe('more');
    expect(cached.readFileSync(fd)).toHaveLength(0);
    cached.closeSync(fd);
  });
});

describe('errors are node’s', () => {
  it.each(['sync', 'callback'] as readonly Form[])('of what is no file, is closed, or is wrong: %s', async (form) => {
    const cached = createCachedFs();
    const folder = cached.openSync('/', 'r');
    const closed = cached.openSync(OLD, 'r');
    const fd = cached.openSync(OLD, 'r');
    cached.closeSync(closed);
    cached.readSync(fd, Buffer.alloc(1));
    for (const args of [
      [folder, Buffer.alloc(1), 0, 1, null],
      [closed, Buffer.alloc(1), 0, 1, null],
      [fd, Buffer.alloc(1), 0, 2, 0],
      [fd, Buffer.alloc(1), -1, 1, 0],
      [fd, Buffer.alloc(1), 0.5, 1, 0],
      [fd, Buffer.alloc(1), 0, 1, 1.5],
      [fd, Buffer.alloc(1), 0, 1, 'x'],
      [fd, Buffer.alloc(0), 0, 1, 0],
      [fd, 'no buffer', 0, 1, 0],
      [fd, Buffer.alloc(1), 0, 0, 0],
      [fd, Buffer.alloc(1), 0, 2n, 0],
      ['fd', Buffer.alloc(1), 0, 1, 0],
    ]) {
      expect(await outcomeOf(cached, 'read', form, args), String(args)).toEqual(
        await outcomeOf(nodeFs, 'read', form, args),
      );
    }
    for (const args of [
      [fd, [], 0],
      [fd, [1], 0],
      [fd, null, 0],
      [closed, [Buffer.alloc(1)], 0],
    ]) {
      expect(await outcomeOf(cached, 'readv', form, args), String(args)).toEqual(
        await outcomeOf(nodeFs, 'readv', form, args),
      );
    }
    cached.closeSync(fd);
    cached.closeSync(folder);
    const handle = await cached.promises.open(OLD);
    await handle.close();
    await expect(handle.read(Buffer.alloc(1))).rejects.toMatchObject({ code: 'EBADF', message: 'file closed' });
    await cached.close();
  });

  it('of the system in the middle of a file; what was read before stays, and what follows is read again', async () => {
    const { fs, fail } = countedFs();
    const cached = createCachedFs({ fs });
    const fd = cached.openSync(OLD, 'r');
    const buffer = Buffer.alloc(BLOCK);
    cached.readSync(fd, buffer, 0, BLOCK, null);
    fail('EIO');
    const far = 1 << 20;
    await expect(readLater(cached, fd, buffer, 0, BLOCK, far)).rejects.toMatchObject({ code: 'EIO' });
    expect(() => cached.readSync(fd, buffer, 0, BLOCK, far)).toThrow('EIO');
    expect(() => cached.readvSync(fd, [buffer], far)).toThrow('EIO');
    expect(cached.readSync(fd, buffer, 0, BLOCK, 0)).toBe(BLOCK);
    fail(null);
    const expected = Buffer.alloc(BLOCK);
    const direct = nodeFs.openSync(OLD, 'r');
    nodeFs.readSync(direct, expected, 0, BLOCK, far);
    nodeFs.closeSync(direct);
    expect(cached.readSync(fd, buffer, 0, BLOCK, far)).toBe(BLOCK);
    expect(buffer.equals(expected)).toBe(true);
    // The one that failed has not moved the position.
    expect(cached.readSync(fd, buffer, 0, 1, null)).toBe(1);
    cached.closeSync(fd);
    await cached.close();
  });

  it('of a file that gets shorter while it is read: what is left of it', async () => {
    using area = scratch();
    const path = join(area.path, 'file');
    fill(path, 'a', 20 * BLOCK);
    let cut = -1;
    const fs = {
      ...nodeFs,
      readSync: (...args: Parameters<typeof nodeFs.readSync>) => {
        if (cut >= 0) {
          nodeFs.truncateSync(path, cut);
          cut = -1;
        }
        return nodeFs.readSync(...args);
      },
    };
    const cached = createCachedFs({ fs });
    const fd = cached.openSync(path, 'r');
    const buffer = Buffer.alloc(10 * BLOCK);
    cut = 5 * BLOCK + 7;
    expect(cached.readSync(fd, buffer, 0, buffer.length, 0)).toBe(5 * BLOCK + 7);
    expect(cached.readSync(fd, buffer, 0, buffer.length, 5 * BLOCK)).toBe(7);
    expect(cached.readFileSync(fd)).toHaveLength(5 * BLOCK + 7);
    cached.closeSync(fd);
    await cached.close();
  });
});

/** From now on files are so old that what is read of them may be kept: a change would have another stamp. */
function agedFiles(): void {
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + 60_000);
}

/** A file system whose `read` waits until it is let go, and then reads whatever has the number. */
function waiting(): { readonly fs: object; readonly go: () => void; readonly count: () => number } {
  const held: (() => void)[] = [];
  return {
    fs: {
      ...nodeFs,
      read: (...args: Parameters<typeof nodeFs.read>) => {
        held.push(() => nodeFs.read(...args));
      },
      readv: (...args: Parameters<typeof nodeFs.readv>) => {
        held.push(() => nodeFs.readv(...args));
      },
    },
    go: () => {
      for (const read of held.splice(0)) {
        read();
      }
    },
    count: () => held.length,
  };
}

function isOpen(fd: number): boolean {
  return nodeFs.existsSync(`/proc/self/fd/${fd}`);
}

/** A read is under way when its number becomes another file's. @returns what is then read of the first file */
async function reusedNumber(): Promise<string> {
  using area = scratch();
  const { fs, go, count } = waiting();
  const cached = createCachedFs({ fs });
  const other = join(area.path, 'other');
  const path = join(area.path, 'file');
  fill(other, 'x');
  fill(path, 'a');
  agedFiles();
  const fd = cached.openSync(path, 'r');
  const lost = readLater(cached, fd, Buffer.alloc(BLOCK), 0, BLOCK, 0).catch(String);
  while (count() === 0) {
    await turn();
  }
  cached.closeSync(fd);
  const reused = nodeFs.openSync(other, 'r');
  expect(reused).toBe(fd);
  const again = cached.openSync(path, 'r');
  const buffer = Buffer.alloc(3);
  go();
  const state = { isLost: false };
  void lost.then(() => (state.isLost = true));
  while (!state.isLost) {
    go();
    await turn();
  }
  cached.readSync(again, buffer, 0, 3, 0);
  cached.closeSync(again);
  nodeFs.closeSync(reused);
  await cached.close();
  return buffer.toString();
}

describe('a descriptor that is closed', () => {
  it('while it is read gives no bytes of the file that has its number next', async () => {
    expect(await reusedNumber()).toBe('aaa');
  });

  it('gives them in a variant that is not told', async () => {
    vi.spyOn(OpenFile.prototype, 'close').mockImplementation(() => {});
    expect(await reusedNumber()).not.toBe('aaa');
  });

  it('as a handle, ends when what was begun has ended', async () => {
    const { fs, go, count } = waiting();
    const cached = createCachedFs({ fs });
    const handle = await cached.promises.open(OLD);
    const reading = handle.read(Buffer.alloc(10), 0, 10, 0);
    while (count() === 0) {
      await turn();
    }
    const closing = handle.close();
    go();
    expect((await reading).bytesRead).toBe(10);
    await closing;
    await handle.close();
    expect(handle.fd).toBe(-1);
    await cached.close();
  });

  it('by the collector, since nobody has closed its handle, is forgotten', async () => {
    using area = scratch();
    const cached = createCachedFs();
    nodeFs.writeFileSync(join(area.path, 'new'), 'new');
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const lose = async (): Promise<number> => {
      const handle = await cached.promises.open(OLD);
      await handle.read(Buffer.alloc(3), 0, 3, 0);
      return handle.fd;
    };
    const fd = await lose();
    const buffer = Buffer.alloc(3);
    for (let tries = 0; tries < 100 && isOpen(fd); tries++) {
      await turn();
      globalThis.gc?.();
    }
    await turn();
    expect(nodeFs.openSync(join(area.path, 'new'), 'r')).toBe(fd);
    cached.readSync(fd, buffer, 0, 3, 0);
    expect(buffer.toString()).toBe('new');
    nodeFs.closeSync(fd);
    warnings.mockRestore();
    await cached.close();
  });

  it('by other means, and opened again by the façade, is the new file', async () => {
    using area = scratch();
    const cached = createCachedFs();
    nodeFs.writeFileSync(join(area.path, 'new'), 'new');
    const fd = cached.openSync(OLD, 'r');
    const buffer = Buffer.alloc(3);
    cached.readSync(fd, buffer, 0, 3, 0);
    nodeFs.closeSync(fd);
    expect(cached.openSync(join(area.path, 'new'), 'r')).toBe(fd);
    cached.readSync(fd, buffer);
    expect(buffer.toString()).toBe('new');
    cached.closeSync(fd);
    await cached.close();
  });
});

describe('memory', () => {
  it('blocks take half of the budget at most, and go under pressure', async () => {
    const shrinkers = new ShrinkerRegistry();
    const cached = createCachedFs({ shrinkers, maxBytes: 2 << 20 });
    const fd = cached.openSync(OLD, 'r');
    const buffer = Buffer.alloc(BLOCK);
    for (let block = 0; block < 1000; block++) {
      cached.readSync(fd, buffer, 0, BLOCK, block * BLOCK);
    }
    const { arenaBytes = 0, used = 0 } = cached.stats().blocks ?? {};
    expect(arenaBytes).toBeGreaterThan(1 << 19);
    expect(arenaBytes).toBeLessThanOrEqual(1.25 * (1 << 20));
    expect(used * BLOCK).toBeLessThanOrEqual(1 << 20);
    await turn();
    for (let pass = 0; pass < 20; pass++) {
      shrinkers.shrinkSlabSync({ priority: 0, zone: 'external' });
    }
    expect(cached.stats().blocks?.used).toBe(0);
    expect(cached.readSync(fd, buffer, 0, BLOCK, 0)).toBe(BLOCK);
    cached.closeSync(fd);
    await cached.close();
    expect(cached.stats().blocks?.arenaBytes).toBe(0);
  });

  it('blocks are charged to the group, within its limit, and given back', async () => {
    const shrinkers = new ShrinkerRegistry();
    const group = shrinkers.root.child('files', { max: 1 << 20 });
    const cached = createCachedFs({ shrinkers, group, maxBytes: 8 << 20 });
    const fd = cached.openSync(OLD, 'r');
    const direct = nodeFs.openSync(OLD, 'r');
    const [buffer, expected] = [Buffer.alloc(BLOCK), Buffer.alloc(BLOCK)];
    for (let block = 0; block < 1000; block++) {
      expect(cached.readSync(fd, buffer, 0, BLOCK, block * BLOCK)).toBe(BLOCK);
      nodeFs.readSync(direct, expected, 0, BLOCK, block * BLOCK);
      expect(buffer.equals(expected)).toBe(true);
    }
    expect(group.usage('external')).toBe(cached.stats().blocks?.arenaBytes);
    expect(group.usage()).toBeLessThanOrEqual(1 << 20);
    expect(cached.stats().blocks?.used).toBeGreaterThan(64);
    nodeFs.closeSync(direct);
    cached.closeSync(fd);
    await cached.close();
    expect(group.usage()).toBe(0);
  });

  it('a read that would put out all else is not kept', async () => {
    const cached = createCachedFs({ maxBytes: 1 << 20 });
    const fd = cached.openSync(OLD, 'r');
    const buffer = Buffer.alloc(1 << 20);
    expect(cached.readSync(fd, buffer, 0, buffer.length, 0)).toBe(buffer.length);
    expect(cached.stats().blocks?.used).toBe(0);
    cached.closeSync(fd);
    await cached.close();
  });
});
