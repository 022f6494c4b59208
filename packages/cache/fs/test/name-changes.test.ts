import nodeFs from 'node:fs';
import { join } from 'node:path';
import { createCachedFs } from '@cache/fs';
import { SeededRng } from '@core/base';
import { describe, expect, it } from 'vitest';
import { NameChanges } from '../src/internal/name-changes.js';
import { countedFs } from './support/counted-fs.js';
import { scratch } from './support/scratch.js';

describe('changes of one name', () => {
  it('are alone, unless there is another one at any time', () => {
    const changes = new NameChanges();
    const first = changes.begin('/a');
    const other = changes.begin('/b');
    expect([first.isAlone(), other.isAlone()]).toEqual([true, true]);
    const second = changes.begin('/a');
    expect([first.isAlone(), second.isAlone()]).toEqual([false, false]);
    first.end();
    const third = changes.begin('/a');
    second.end();
    expect(third.isAlone()).toBe(false);
    third.end();
    expect([changes.begin('/a').isAlone(), other.isAlone()]).toEqual([true, true]);
  });

  it('are not alone where it is not known where another one is made', () => {
    const changes = new NameChanges();
    const before = changes.begin('/a');
    const lost = changes.begin(undefined);
    const meanwhile = changes.begin('/b');
    expect([before.isAlone(), lost.isAlone(), meanwhile.isAlone()]).toEqual([false, false, false]);
    lost.end();
    expect([before.isAlone(), meanwhile.isAlone()]).toEqual([false, false]);
    expect(changes.begin('/c').isAlone()).toBe(true);
  });

  it('are not alone when somebody says that anything has changed', () => {
    const changes = new NameChanges();
    const change = changes.begin('/a');
    changes.interrupt();
    expect(change.isAlone()).toBe(false);
    change.end();
    expect(changes.begin('/a').isAlone()).toBe(true);
  });
});

/** node:fs whose calls are made at once, and answered when `rng` likes: that says nothing of what was made last. */
function answeringLate(rng: SeededRng): { fs: typeof nodeFs; settle: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  const promises: Record<string, unknown> = { ...nodeFs.promises };
  for (const name of ['writeFile', 'mkdir', 'unlink', 'rmdir', 'symlink', 'rename', 'rm'] as const) {
    const call = nodeFs[`${name}Sync`] as (...args: unknown[]) => unknown;
    promises[name] = (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        let answer: () => void;
        try {
          const value = call(...args);
          answer = () => resolve(value);
        } catch (error) {
          answer = () => reject(error as Error);
        }
        waiting.push(answer);
      });
  }
  const settle = async (): Promise<void> => {
    while (waiting.length > 0) {
      for (const answer of waiting.splice(rng.below(waiting.length), 1)) {
        answer();
      }
      await new Promise((resolve) => void setImmediate(resolve));
    }
  };
  return { fs: { ...nodeFs, promises } as unknown as typeof nodeFs, settle };
}

const NAMES = ['a', 'b', 'a/x', 'b/x', 'link/x', 'link'];

/** Changes of the same names at the same time. @returns what the façade then says, and what is so */
async function race(seed: number): Promise<[ours: unknown, theirs: unknown]> {
  using area = scratch();
  const rng = new SeededRng(seed);
  const { fs: backing, settle } = answeringLate(rng);
  const fs = createCachedFs({ fs: backing });
  const at = (name: string): string => join(area.path, name);
  const tell = (on: typeof nodeFs): unknown =>
    NAMES.map((name) => [
      name,
      on.existsSync(at(name)),
      outcome(() => on.lstatSync(at(name)).mode),
      outcome(() => on.readdirSync(at(name)).sort()),
    ]);
  nodeFs.mkdirSync(at('a'));
  tell(fs);
  for (let round = 0; round < 4; round++) {
    const calls = Array.from({ length: 5 }, () => {
      const name = at(rng.pick(NAMES));
      switch (rng.below(7)) {
        case 0:
          return fs.promises.writeFile(name, 'x'.repeat(rng.below(3)));
        case 1:
          return fs.promises.unlink(name);
        case 2:
          return fs.promises.rmdir(name);
        case 3:
          return fs.promises.symlink(rng.pick(['a', 'b']), name);
        case 4:
          return fs.promises.rename(name, at(rng.pick(NAMES)));
        case 5:
          return fs.promises.rm(name, { recursive: true });
        default:
          return fs.promises.mkdir(name);
      }
    });
    const done = Promise.allSettled(calls);
    if (rng.below(3) === 0) {
      tell(fs);
    }
    await settle();
    await done;
  }
  const both: [unknown, unknown] = [tell(fs), tell(nodeFs)];
  await fs.close();
  return both;
}

function outcome(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe('changes of the same names at the same time', () => {
  it.each([1, 1001, 2001])('leave nothing behind that is not so, from seed %i', async (first) => {
    for (let seed = first; seed < first + 40; seed++) {
      const [ours, theirs] = await race(seed);
      expect([seed, ours]).toEqual([seed, theirs]);
    }
  });

  it('leave something where each is taken for the only one: the check sees it', async () => {
    const begin = NameChanges.prototype.begin;
    NameChanges.prototype.begin = function busted(at) {
      return { ...begin.call(this, at), isAlone: () => true };
    };
    try {
      let wrong = 0;
      for (let seed = 1; seed < 200 && wrong === 0; seed++) {
        const [ours, theirs] = await race(seed);
        wrong += JSON.stringify(ours) === JSON.stringify(theirs) ? 0 : 1;
      }
      expect(wrong).toBe(1);
    } finally {
      NameChanges.prototype.begin = begin;
    }
  });
});

describe('what a change leaves behind', () => {
  it('is known without a look: a new directory, a new file, a name that is gone', async () => {
    using area = scratch();
    const counted = countedFs();
    const fs = createCachedFs({ fs: counted.fs });
    const at = (name: string): string => join(area.path, name);
    await fs.promises.readdir(area.path);
    // It asks once where that is.
    await fs.promises.rm('nothing', { force: true });
    await fs.promises.access(at('folder')).catch(() => undefined);
    const calls = async (run: () => Promise<unknown>): Promise<unknown> => {
      counted.reset();
      const value = await run().catch((error: unknown) => (error as { code?: unknown }).code);
      return [value, ...counted.calls()];
    };
    expect(await calls(() => fs.promises.mkdir(at('folder')))).toEqual([undefined, 'mkdir']);
    expect(await calls(() => fs.promises.access(at('folder/file')))).toEqual(['ENOENT']);
    expect(await calls(() => fs.promises.writeFile(at('folder/file'), 'x'))).toEqual([undefined, 'writeFile']);
    expect(await calls(() => fs.promises.access(at('folder/file')))).toEqual([undefined]);
    expect(await calls(() => fs.promises.symlink('file', at('folder/link')))).toEqual([undefined, 'symlink']);
    expect(await calls(() => fs.promises.unlink(at('folder/file')))).toEqual([undefined, 'unlink']);
    expect(await calls(() => fs.promises.access(at('folder/file')))).toEqual(['ENOENT']);
    expect(await calls(() => fs.promises.rm(at('folder'), { recursive: true }))).toEqual([undefined, 'rm']);
    expect(await calls(() => fs.promises.access(at('folder')))).toEqual(['ENOENT']);
    await fs.close();
  });

  it('is asked about in no synchronous call, where the change is not', async () => {
    using area = scratch();
    nodeFs.mkdirSync(join(area.path, 'a/b'), { recursive: true });
    nodeFs.writeFileSync(join(area.path, 'a/b/there'), '');
    const counted = countedFs();
    const at = (name: string): string => join(area.path, name);
    for (const change of [
      (fs: typeof nodeFs) => fs.promises.writeFile(at('a/b/there'), 'x'),
      (fs: typeof nodeFs) => fs.promises.writeFile(at('a/b/new'), 'x'),
      (fs: typeof nodeFs) => fs.promises.unlink(at('a/b/new')),
      (fs: typeof nodeFs) => new Promise<void>((resolve) => void fs.mkdir(at('a/b/folder'), () => resolve())),
      (fs: typeof nodeFs) => new Promise<void>((resolve) => void fs.appendFile(at('a/b/log'), 'x', () => resolve())),
    ]) {
      const fs = createCachedFs({ fs: counted.fs });
      counted.reset();
      await change(fs);
      expect(counted.calls().filter((name) => name.endsWith('Sync'))).toEqual([]);
      await fs.close();
    }
  });

  it('is found in a directory that somebody else has made meanwhile', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'folder/file');
    expect(fs.existsSync(file)).toBe(false);
    nodeFs.mkdirSync(join(area.path, 'folder'));
    await fs.promises.writeFile(file, 'x');
    expect([fs.existsSync(file), fs.readFileSync(file, 'utf8')]).toEqual([true, 'x']);
    await fs.close();
  });
});
