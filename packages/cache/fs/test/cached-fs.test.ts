import { EventEmitter, once } from 'node:events';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCachedFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { countedFs } from './support/counted-fs.js';
import { plant, scratch } from './support/scratch.js';

/** A clock that a test moves. */
class ManualClock {
  ms = 1000;

  now(): number {
    return this.ms;
  }
}

describe('the shape of node:fs', () => {
  const fs = createCachedFs();

  it('has all names, and those of promises, as own enumerable properties', () => {
    expect(Object.keys(fs)).toEqual(expect.arrayContaining(Object.keys(nodeFs)));
    expect(Object.keys(fs.promises)).toEqual(expect.arrayContaining(Object.keys(nodeFs.promises)));
    expect(Object.getOwnPropertyDescriptor(fs, 'promises')).toMatchObject({ enumerable: true });
    expect(fs.constants).toBe(nodeFs.constants);
    expect(fs.Stats).toBe(nodeFs.Stats);
    expect(fs.Dirent).toBe(nodeFs.Dirent);
  });

  it('has functions of the same name and length, which need no this', async () => {
    for (const [name, theirs] of Object.entries(nodeFs)) {
      if (typeof theirs === 'function') {
        const ours = (fs as unknown as Record<string, { name: string; length: number }>)[name];
        expect([ours?.name, ours?.length], name).toEqual([theirs.name, theirs.length]);
      }
    }
    const { readFileSync, promises } = fs;
    const { readFile } = promises;
    expect(await readFile(import.meta.filename, 'utf8')).toBe(readFileSync(import.meta.filename, 'utf8'));
  });

  it('is promisified as node:fs is', async () => {
    expect(await promisify(fs.exists)(import.meta.filename)).toBe(true);
    const fd = fs.openSync(import.meta.filename, 'r');
    expect(await promisify(fs.read)(fd, Buffer.alloc(3), 0, 3, 0)).toMatchObject({ bytesRead: 3 });
    fs.closeSync(fd);
    expect(typeof fs.realpath.native).toBe('function');
    expect(typeof fs.realpathSync.native).toBe('function');
  });

  it('makes streams that open, read and close by its own functions', async () => {
    const called: string[] = [];
    const patched = createCachedFs() as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of ['open', 'read', 'close']) {
      const call = patched[name] as (...args: unknown[]) => unknown;
      patched[name] = (...args) => {
        called.push(name);
        return call(...args);
      };
    }
    const stream = (patched as unknown as typeof fs).createReadStream(import.meta.filename).resume();
    await once(stream, 'close');
    expect(stream).toBeInstanceOf(nodeFs.ReadStream);
    expect(stream).toBeInstanceOf(fs.ReadStream);
    expect([...new Set(called)]).toEqual(['open', 'read', 'close']);
  });
});

describe('answers from the cache', () => {
  it('need no call once they are known', async () => {
    using area = scratch();
    plant(area.path);
    const below = countedFs();
    await using fs = createCachedFs({ fs: below.fs, revalidate: { ageMs: 60_000 } });
    // Old enough for its content to be kept: a file of this package.
    const old = new URL('../package.json', import.meta.url);
    const askAll = async (): Promise<void> => {
      const file = join(area.path, 'to-dir/one');
      fs.statSync(file);
      await fs.promises.lstat(file, { bigint: true });
      fs.existsSync(join(area.path, 'dir/nothing'));
      fs.accessSync(file);
      fs.readdirSync(join(area.path, 'dir'));
      fs.realpathSync(file);
      fs.readlinkSync(join(area.path, 'to-dir'));
      fs.readFileSync(old);
      fs.readFileSync(old, 'utf8');
      fs.readJsonSync(old);
      await fs.readJson(old);
    };
    await askAll();
    await askAll();
    below.reset();
    await askAll();
    expect(below.calls()).toEqual([]);
    fs.invalidate();
    await askAll();
    expect(below.calls()).not.toEqual([]);
  });

  it('are copies, which callers may change', () => {
    using area = scratch();
    plant(area.path);
    const fs = createCachedFs();
    const file = join(area.path, 'file.txt');
    const stats = fs.statSync(file);
    stats.size = 0;
    stats.mtime.setTime(0);
    fs.readFileSync(file).fill(0);
    fs.readdirSync(area.path).length = 0;
    expect(fs.statSync(file)).toEqual(nodeFs.statSync(file));
    expect(fs.readFileSync(file)).toEqual(nodeFs.readFileSync(file));
    expect(fs.readdirSync(area.path)).toEqual(nodeFs.readdirSync(area.path));
  });

  it('share parsed JSON, until the file changes', () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'value.json');
    fs.writeFileSync(file, '{"value":1}');
    expect(fs.readJsonSync(file)).toEqual({ value: 1 });
    fs.writeFileSync(file, '{"value":2}');
    expect(fs.readJsonSync(file)).toEqual({ value: 2 });
    fs.writeFileSync(file, '{');
    expect(() => fs.readJsonSync(file)).toThrow(SyntaxError);
    fs.unlinkSync(file);
    expect(() => fs.readJsonSync(file)).toThrow(expect.objectContaining({ code: 'ENOENT', path: file }));
  });

  it('have errors with a stack, but for a flood of them', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const missing = (name: string): Error => {
      try {
        fs.statSync(join(area.path, name));
      } catch (error) {
        return error as Error;
      }
      throw new Error('it is there');
    };
    for (let turn = 0; turn < 2; turn++) {
      const first = missing('nothing');
      expect(first.stack).toContain('\n    at ');
      expect(missing('nothing')).not.toBe(first);
      for (let times = 0; times < 100; times++) {
        missing(`nothing-${times}`);
      }
      const late = missing('nothing');
      expect(late).toEqual(first);
      expect(late.stack).not.toContain('\n    at ');
      expect(missing('nothing')).toBe(late);
      expect(missing('other')).not.toBe(late);
      await new Promise((resolve) => void setImmediate(resolve));
    }
  });

  it('let the event loop go on, however fast they are asked for', async () => {
    using area = scratch();
    const fs = createCachedFs();
    let answers = 0;
    const turn = { isOver: false };
    setImmediate(() => {
      turn.isOver = true;
    });
    while (!turn.isOver) {
      await fs.promises.access(join(area.path, 'nothing')).catch(() => undefined);
      answers++;
    }
    expect(answers).toBeLessThan(100_000);
    await new Promise<void>((resolve) => {
      let turns = 0;
      setImmediate(function count() {
        turns++;
        setImmediate(count).unref();
      });
      const again = (): void => {
        fs.exists(join(area.path, 'nothing'), () => (turns > 2 ? resolve() : again()));
      };
      again();
    });
  });
});

describe('changes by others', () => {
  it('are seen when the age is over, in a loop without a turn too', () => {
    using area = scratch();
    const clock = new ManualClock();
    const fs = createCachedFs({ clock, revalidate: { ageMs: 1000 } });
    const file = join(area.path, 'file');
    expect(fs.existsSync(file)).toBe(false);
    nodeFs.writeFileSync(file, 'one');
    expect(fs.existsSync(file)).toBe(false);
    clock.ms += 1001;
    let asked = 0;
    while (!fs.existsSync(file)) {
      asked++;
    }
    expect(asked).toBeLessThan(100);
    expect(fs.statSync(file).size).toBe(3);
    nodeFs.writeFileSync(file, 'three');
    clock.ms += 1001;
    for (let times = 0; times < 100; times++) {
      fs.existsSync(file);
    }
    expect(fs.statSync(file).size).toBe(5);
  });

  it('are seen at once after invalidate, by path, by several paths, and exactly', () => {
    using area = scratch();
    plant(area.path);
    const fs = createCachedFs();
    const [file, other] = [join(area.path, 'dir/one'), join(area.path, 'dir/below/deep/two')];
    const sizes = (): number[] => [fs.statSync(file).size, fs.statSync(other).size];
    expect(sizes()).toEqual([1, 1]);
    nodeFs.writeFileSync(file, 'longer');
    nodeFs.writeFileSync(other, 'longer');
    expect(sizes()).toEqual([1, 1]);
    fs.purge(join(area.path, 'dir'), { exact: true });
    expect(sizes()[1]).toBe(1);
    fs.invalidate(new Set([file, other]));
    expect(sizes()).toEqual([6, 6]);
    nodeFs.writeFileSync(file, '');
    fs.purge(join(area.path, 'to-dir'));
    expect(sizes()).toEqual([0, 6]);
  });

  it('are seen in directories that were not there when they were asked for', () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'new/directory/file');
    for (const path of [file, join(area.path, 'new')]) {
      expect(fs.existsSync(path)).toBe(false);
    }
    nodeFs.mkdirSync(join(area.path, 'new/directory'), { recursive: true });
    nodeFs.writeFileSync(file, '');
    fs.invalidate(file);
    expect([fs.existsSync(join(area.path, 'new')), fs.existsSync(file)]).toEqual([true, true]);
  });

  it('never make readFile, readdir or open fail by a cached miss', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'late');
    for (const ask of [
      () => fs.readFileSync(file, 'utf8'),
      () => fs.promises.readFile(file, 'utf8'),
      () => promisify(fs.readFile)(file, 'utf8'),
    ]) {
      expect(fs.existsSync(file)).toBe(false);
      nodeFs.writeFileSync(file, 'there');
      expect(await ask()).toBe('there');
      expect(fs.existsSync(file)).toBe(true);
      fs.unlinkSync(file);
    }
  });

  it('are seen when the watch of their directory tells, and by age when it does not', async () => {
    using area = scratch();
    const clock = new ManualClock();
    const watchers = new Map<string, EventEmitter>();
    const watch = (directory: string): EventEmitter => {
      const watcher = Object.assign(new EventEmitter(), { close: () => {} });
      watchers.set(directory, watcher);
      return watcher;
    };
    await using fs = createCachedFs({ fs: { ...nodeFs, watch }, clock, revalidate: 'watch' });
    const [file, other] = [join(area.path, 'file'), join(area.path, 'other')];
    nodeFs.writeFileSync(file, '');
    const sizes = (): unknown[] => [fs.statSync(file).size, fs.existsSync(other)];
    expect(sizes()).toEqual([0, false]);
    nodeFs.writeFileSync(file, 'one');
    nodeFs.writeFileSync(other, 'one');
    expect(sizes()).toEqual([0, false]);
    for (const name of ['file', 'other']) {
      watchers.get(area.path)?.emit('change', 'change', name);
    }
    expect(sizes()).toEqual([3, true]);
    nodeFs.writeFileSync(file, 'three');
    nodeFs.unlinkSync(other);
    expect(sizes()).toEqual([3, true]);
    clock.ms += 60_001;
    await new Promise((resolve) => void setImmediate(resolve));
    expect(sizes()).toEqual([5, false]);
  });

  it('are found as they are by listeners of watch and watchFile', () => {
    using area = scratch();
    const watcher = new EventEmitter();
    let polled: (() => void) & { listener?: unknown } = () => {};
    const fs = createCachedFs({
      fs: {
        ...nodeFs,
        watch: () => watcher,
        watchFile: (_: string, listener: () => void) => {
          polled = listener;
          return watcher;
        },
      },
    });
    const file = join(area.path, 'watched');
    fs.writeFileSync(file, '');
    const sizes: number[] = [];
    const look = (): void => void sizes.push(fs.statSync(file).size);
    fs.watch(area.path, look);
    fs.watchFile(file, look);
    look();
    nodeFs.writeFileSync(file, 'one');
    look();
    watcher.emit('change', 'change', 'watched');
    nodeFs.writeFileSync(file, 'three');
    look();
    polled();
    expect(sizes).toEqual([0, 0, 3, 3, 5]);
    // By this, node finds the listener that is to be taken off again.
    expect(polled.listener).toBe(look);
  });
});

describe('a file system that fails', () => {
  it('has its errors told, and none of them kept', async () => {
    using area = scratch();
    plant(area.path);
    const below = countedFs();
    await using fs = createCachedFs({ fs: below.fs });
    const file = join(area.path, 'dir/below/deep/two');
    for (const code of ['EIO', 'EMFILE', 'EACCES']) {
      below.fail(code);
      expect(() => fs.statSync(file)).toThrow(expect.objectContaining({ code }));
      await expect(fs.promises.readFile(file)).rejects.toMatchObject({ code });
      expect(() => fs.readdirSync(area.path)).toThrow(expect.objectContaining({ code }));
      expect(() => fs.writeFileSync(file, 'lost')).toThrow(expect.objectContaining({ code }));
      below.fail(null);
      expect(fs.statSync(file)).toEqual(nodeFs.statSync(file));
      expect(await fs.promises.readFile(file, 'utf8')).toBe('2');
      expect(fs.readdirSync(area.path)).toEqual(nodeFs.readdirSync(area.path));
      fs.invalidate();
    }
  });
});

describe('closing', () => {
  it('leaves a plain file system', async () => {
    using area = scratch();
    plant(area.path);
    const fs = createCachedFs();
    const file = join(area.path, 'dir/one');
    expect(fs.statSync(file).size).toBe(1);
    await Promise.all([fs.close(), fs.close(), fs.promises.readFile(file)]);
    nodeFs.writeFileSync(file, 'longer');
    expect(fs.statSync(file).size).toBe(6);
    fs.invalidate(file);
    fs.writeFileSync(file, '');
    expect(fs.stats().closed).toBe(true);
    expect(() => fs.close(-1 as never, () => {})).toThrow(RangeError);
  });
});

describe('options', () => {
  it.each([
    [{ revalidate: 'sometimes' }, TypeError],
    [{ revalidate: { ageMs: -1 } }, RangeError],
    [{ revalidate: {} }, TypeError],
    [{ maxBytes: 0 }, RangeError],
    [{ maxNames: 1.5 }, RangeError],
    [{ fs: 5 }, TypeError],
    [{ maxByte: 5 }, TypeError],
  ] as const)('%j are refused', (options, error) => {
    expect(() => createCachedFs(options as never)).toThrow(error);
  });

  it('always: every call goes through', () => {
    using area = scratch();
    const fs = createCachedFs({ revalidate: 'always' });
    const file = join(area.path, 'file');
    for (let size = 1; size < 4; size++) {
      nodeFs.writeFileSync(file, 'x'.repeat(size));
      expect(fs.statSync(file).size).toBe(size);
    }
  });

  it('a file system of promises alone', async () => {
    using area = scratch();
    plant(area.path);
    const { lstat, stat, readdir, readlink, readFile, writeFile } = nodeFs.promises;
    const promises = { lstat, stat, readdir, readlink, readFile, writeFile };
    await using fs = createCachedFs({ fs: { promises } });
    const file = join(area.path, 'to-dir/one');
    expect(await fs.promises.stat(file)).toEqual(nodeFs.statSync(file));
    await fs.promises.writeFile(file, 'longer');
    expect((await fs.promises.stat(file)).size).toBe(6);
    expect(await fs.promises.readFile(file, 'utf8')).toBe('longer');
    expect('statSync' in fs).toBe(false);
  });
});
