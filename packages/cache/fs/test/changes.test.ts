import nodeFs from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { type Form, FORMS, hasForm, type Outcome, outcomeOf } from './support/outcome.js';
import { lookAround } from './support/look-around.js';
import { plant, scratch } from './support/scratch.js';

type Args = readonly unknown[];
type Step = readonly [name: string, args: (root: string) => Args];

const text = 'written';
const at =
  (...names: readonly string[]) =>
  (root: string): Args =>
    names.map((name) => join(root, '/') + name);
const withArgs =
  (name: string, ...rest: Args) =>
  (root: string): Args => [join(root, '/') + name, ...rest];
const old = new Date(1_600_000_000_000);

/** One after the other, on a tree that has all that `plant` makes. Some fail, as they do on node:fs. */
const STEPS: readonly Step[] = [
  ['writeFile', withArgs('new.txt', text)],
  ['writeFile', withArgs('file.txt', text)],
  ['writeFile', withArgs('to-file', `${text} through a link`)],
  ['writeFile', withArgs('dangling', 'now it leads somewhere')],
  ['writeFile', withArgs('to-dir/in-linked-directory', text)],
  ['writeFile', withArgs('dir', text)],
  ['writeFile', withArgs('nothing/below', text)],
  ['writeFile', withArgs('file.txt/below', text)],
  ['writeFile', withArgs('exclusive', text, { flag: 'wx' })],
  ['writeFile', withArgs('exclusive', text, { flag: 'wx' })],
  ['appendFile', withArgs('hard.txt', ' and more')],
  ['appendFile', withArgs('made-by-append', 'more', 'utf8')],
  ['truncate', withArgs('long.txt', 10)],
  ['truncate', withArgs('nothing', 10)],
  ['chmod', withArgs('file.txt', 0o600)],
  ['chmod', withArgs('to-dir', 0o700)],
  ['utimes', withArgs('file.txt', old, old)],
  ['lutimes', withArgs('to-file', old, old)],
  ['chown', withArgs('empty', 0, 0)],
  ['lchown', withArgs('to-file', 0, 0)],
  ['mkdir', at('made')],
  ['mkdir', at('made')],
  ['mkdir', withArgs('deep/er/est', { recursive: true })],
  ['mkdir', withArgs('deep/er/est', { recursive: true })],
  ['mkdir', withArgs('file.txt/x', { recursive: true })],
  ['mkdir', withArgs('to-dir/made-through', 0o700)],
  ['rmdir', at('made')],
  ['rmdir', at('dir')],
  ['rmdir', at('nothing')],
  ['symlink', (root) => ['file.txt', join(root, 'link')]],
  ['symlink', (root) => ['file.txt', join(root, 'link')]],
  ['symlink', (root) => ['../dir', join(root, 'deep/up')]],
  ['link', at('file.txt', 'third.txt')],
  ['link', at('nothing', 'fourth.txt')],
  ['unlink', at('third.txt')],
  ['unlink', at('to-dir/one')],
  ['unlink', at('nothing')],
  ['unlink', at('dir')],
  ['rename', at('new.txt', 'renamed.txt')],
  ['rename', at('renamed.txt', 'empty')],
  ['rename', at('deep', 'dir/deep')],
  ['rename', at('hollow', 'dir/deep/er/est')],
  ['rename', at('dir', 'dir/below/x')],
  ['rename', at('nothing', 'something')],
  ['rename', at('to-dir', 'moved-link')],
  ['rename', at('dir/below', 'dir/below/../beside')],
  ['rename', at('dir/beside', 'dir/beside/../below')],
  ['copyFile', at('file.txt', 'copied.txt')],
  ['copyFile', at('file.txt', 'to-file')],
  ['copyFile', withArgs('file.txt', 'no destination\0')],
  ['cp', (root) => [join(root, 'dir'), join(root, 'copies/of/dir'), { recursive: true }]],
  ['rm', at('copied.txt')],
  ['rm', at('nothing')],
  ['rm', withArgs('nothing', { force: true })],
  ['rm', withArgs('copies', { recursive: true })],
  ['unlink', at('to-file')],
  ['mkdir', withArgs('a\0b')],
  ['writeFile', withArgs('')],
  ['rename', () => ['', 'x']],
  ['rename', () => [undefined, null]],
  ['symlink', (root) => ['x', join(root, 'file.txt/y')]],
];

describe('what is changed is known at once', () => {
  for (const form of FORMS) {
    it(`in the ${form} form`, async () => {
      using theirs = scratch();
      using ours = scratch();
      const cached = createCachedFs();
      for (const { path } of [theirs, ours]) {
        plant(path);
      }
      await expectAsIs(cached, ours.path, 'before all');
      for (const [name, args] of STEPS) {
        const label = `${name} ${JSON.stringify(args('ROOT'))}`;
        if (hasForm(nodeFs, name, form)) {
          const expected = await outcomeOf(nodeFs, name, form, args(theirs.path), theirs.path);
          const actual = await outcomeOf(cached, name, form, args(ours.path), ours.path);
          expect(actual, label).toEqual(expected);
        }
        await expectAsIs(cached, ours.path, `after ${label}`);
      }
      await cached.close();
    });
  }

  it('by descriptors and handles, whatever the file is called by then', async () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    const path = join(area.path, 'file.txt');
    const moved = join(area.path, 'dir/moved.txt');
    const expectSame = (): Promise<void> => expectAsIs(cached, area.path, 'descriptor');
    await expectSame();
    const fd = cached.openSync(path, 'r+');
    cached.writeSync(fd, 'by descriptor');
    await expectSame();
    cached.renameSync(path, moved);
    await expectSame();
    cached.writevSync(fd, [Buffer.from('one'), Buffer.from('two')]);
    await expectSame();
    cached.ftruncateSync(fd, 3);
    await expectSame();
    cached.futimesSync(fd, old, old);
    await expectSame();
    cached.fchmodSync(fd, 0o640);
    await expectSame();
    cached.writeFileSync(fd, 'all of it');
    await expectSame();
    cached.closeSync(fd);

    const handle = await cached.promises.open(moved, 'r+');
    for (const change of [
      () => handle.write('by handle'),
      () => handle.truncate(2),
      () => handle.chmod(0o600),
      () => handle.utimes(old, old),
      () => handle.writeFile('whole'),
      () => handle.appendFile('and more'),
      () => handle.writev([Buffer.from('a'), Buffer.from('b')]),
      () => cached.promises.writeFile(handle, 'by another call'),
    ]) {
      await change();
      await expectSame();
    }
    await handle.close();
    await cached.close();
  });

  it('by a descriptor whose file has lost the name that it was opened by', async () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    const [path, hard] = [join(area.path, 'file.txt'), join(area.path, 'hard.txt')];
    await expectAsIs(cached, area.path, 'before');
    for (const takeName of [
      () => cached.unlinkSync(path),
      () => cached.writeFileSync(path, 'another file'),
      () => cached.renameSync(join(area.path, 'empty'), path),
    ]) {
      const fd = cached.openSync(hard, 'a');
      cached.linkSync(hard, join(area.path, 'spare'));
      cached.unlinkSync(hard);
      cached.renameSync(join(area.path, 'spare'), hard);
      takeName();
      await expectAsIs(cached, area.path, 'named anew');
      cached.writeSync(fd, 'written');
      await expectAsIs(cached, area.path, 'written');
      cached.closeSync(fd);
    }
    const other = cached.openSync(hard, 'r+');
    cached.linkSync(hard, join(area.path, 'left'));
    cached.renameSync(path, hard);
    await expectAsIs(cached, area.path, 'replaced');
    cached.writeSync(other, 'to what is left');
    await expectAsIs(cached, area.path, 'written to what is left');
    cached.closeSync(other);
    await cached.close();
  });

  it('on other names of a file, of which only those were asked for', () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    const at = (name: string): string => join(area.path, name);
    const links = (): number => cached.statSync(at('hard.txt')).nlink;
    cached.readdirSync(area.path);
    expect(links()).toBe(2);
    cached.unlinkSync(at('file.txt'));
    expect(links()).toBe(1);
    cached.linkSync(at('hard.txt'), at('dir/below/deep/again'));
    cached.linkSync(at('hard.txt'), at('once-more'));
    expect(links()).toBe(3);
    cached.statSync(at('dir'));
    cached.rmSync(at('dir'), { recursive: true });
    expect(links()).toBe(2);
    cached.renameSync(at('empty'), at('once-more'));
    expect(links()).toBe(1);
  });

  it('on a way over what it takes away', () => {
    using area = scratch();
    const cached = createCachedFs();
    const at = (name: string): string => join(area.path, '/') + name;
    cached.mkdirSync(at('from'));
    expect(cached.existsSync(at('to'))).toBe(false);
    cached.renameSync(at('from'), at('from/../to'));
    expect([cached.existsSync(at('from')), cached.existsSync(at('to'))]).toEqual([false, true]);
  });

  it('by streams', async () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    const path = join(area.path, 'stream.txt');
    await expectAsIs(cached, area.path, 'stream');
    for (const create of [
      () => cached.createWriteStream(path),
      () => new cached.WriteStream(path as never),
      () => cached.createWriteStream(path, 'utf8'),
      () => cached.createWriteStream(path, { flags: 'a' }),
    ]) {
      const stream = create();
      await new Promise<void>((resolve, reject) => {
        stream.on('close', resolve).on('error', reject);
        stream.end('through a stream');
      });
      await expectAsIs(cached, area.path, 'stream');
    }
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('through a stream'.repeat(2));
    await cached.close();
  });

  it('by mkdtemp', async () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    await expectAsIs(cached, area.path, 'mkdtemp');
    const made = [
      cached.mkdtempSync(join(area.path, 'sync-')),
      await cached.promises.mkdtemp(join(area.path, 'promise-')),
    ];
    await expectAsIs(cached, area.path, 'mkdtemp');
    expect(made.every((path) => cached.existsSync(path))).toBe(true);
    await cached.close();
  });

  it('a cache that hears of nothing is found out', async () => {
    using area = scratch();
    plant(area.path);
    const cached = createCachedFs();
    await expectAsIs(cached, area.path, 'deaf');
    nodeFs.writeFileSync(join(area.path, 'file.txt'), 'behind its back');
    expect(await differences(cached, area.path)).not.toEqual([]);
    cached.invalidate(join(area.path, 'file.txt'));
    expect(await differences(cached, area.path)).toEqual([]);
    await cached.close();
  });
});

async function expectAsIs(cached: NodeFs, root: string, label: string): Promise<void> {
  expect(await differences(cached, root), label).toEqual([]);
}

/** All that can be asked about everything below, and is answered otherwise than by node:fs. */
async function differences(cached: NodeFs, root: string): Promise<{ what: string; ours: Outcome; theirs: Outcome }[]> {
  const found = [];
  let turn = 0;
  for (const [name, args] of lookAround(root)) {
    const form = FORMS[turn++ % FORMS.length] as Form;
    const theirs = await outcomeOf(nodeFs, name, form, args);
    const ours = await outcomeOf(cached, name, form, args);
    if (!isDeepStrictEqual(ours, theirs)) {
      found.push({ what: `${name} ${JSON.stringify(args)}`, ours, theirs });
    }
  }
  return found;
}
