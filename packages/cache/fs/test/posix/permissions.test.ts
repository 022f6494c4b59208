import nodeFs from 'node:fs';
import { join } from 'node:path';
import { createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { FORMS, hasForm, outcomeOf } from '../support/outcome.js';
import { scratch } from '../support/scratch.js';

const NOBODY = 65_534;

/** As another user, who may not do everything. */
async function asNobody<T>(use: () => Promise<T>): Promise<T> {
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await use();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

const QUESTIONS = ['stat', 'lstat', 'access', 'exists', 'readdir', 'readFile', 'readlink', 'realpath'] as const;
const PLACES = [
  '',
  'open',
  'open/file',
  'open/secret',
  'open/none',
  'listed',
  'listed/file',
  'listed/none',
  'searched',
  'searched/file',
  'searched/none',
  'closed',
  'closed/file',
  'closed/none',
  'closed/below/deep',
  'closed/..',
  'to-closed',
  'to-closed/file',
];

/** Directories that may be listed only, searched only, and neither. */
function plantClosed(root: string): void {
  nodeFs.chmodSync(root, 0o755);
  for (const [name, mode] of [
    ['open', 0o755],
    ['listed', 0o744],
    ['searched', 0o711],
    ['closed', 0o700],
  ] as const) {
    nodeFs.mkdirSync(join(root, name));
    nodeFs.writeFileSync(join(root, name, 'file'), name);
    nodeFs.chmodSync(join(root, name), mode);
  }
  nodeFs.mkdirSync(join(root, 'closed/below/deep'), { recursive: true });
  nodeFs.writeFileSync(join(root, 'open/secret'), 'secret');
  nodeFs.chmodSync(join(root, 'open/secret'), 0o600);
  nodeFs.symlinkSync('closed', join(root, 'to-closed'));
}

async function expectSame(cached: NodeFs, root: string, label: string): Promise<void> {
  for (const form of FORMS) {
    for (const place of PLACES) {
      for (const name of QUESTIONS) {
        if (hasForm(nodeFs, name, form)) {
          const args = [join(root, '/') + place];
          const theirs = await outcomeOf(nodeFs, name, form, args);
          expect(await outcomeOf(cached, name, form, args), `${label}: ${form} ${name} ${place}`).toEqual(theirs);
        }
      }
    }
  }
}

describe.runIf(process.getuid?.() === 0)('for a user who may not do everything', () => {
  it('what may not be seen is not seen', async () => {
    using area = scratch();
    plantClosed(area.path);
    const cached = createCachedFs();
    await asNobody(() => expectSame(cached, area.path, 'at first'));
    await asNobody(() => expectSame(cached, area.path, 'again'));
  });

  it.each([
    ['through the façade', false],
    ['by others', true],
  ])('a directory that is opened and closed %s', async (_, isForeign) => {
    using area = scratch();
    plantClosed(area.path);
    const cached = createCachedFs();
    const closed = join(area.path, 'closed');
    for (const mode of [0o755, 0o711, 0o744, 0o700, 0o755]) {
      // By its owner, who is somebody else for the process from then on: the cache is the same.
      (isForeign ? nodeFs : cached).chmodSync(closed, mode);
      if (isForeign) {
        cached.invalidate(closed);
      }
      await asNobody(() => expectSame(cached, area.path, `mode ${mode.toString(8)}`));
    }
  });

  it('changes that are not allowed change nothing', async () => {
    using area = scratch();
    plantClosed(area.path);
    const cached = createCachedFs();
    const at = (name: string): string => join(area.path, name);
    await asNobody(async () => {
      for (const [name, ...args] of [
        ['writeFile', at('open/file'), 'x'],
        ['writeFile', at('open/new'), 'x'],
        ['writeFile', at('closed/file'), 'x'],
        ['appendFile', at('open/secret'), 'x'],
        ['mkdir', at('open/new')],
        ['mkdir', at('searched/a/b'), { recursive: true }],
        ['unlink', at('open/file')],
        ['rmdir', at('closed/below')],
        ['rename', at('open/file'), at('open/moved')],
        ['rename', at('closed'), at('open/closed')],
        ['link', at('open/file'), at('open/linked')],
        ['symlink', 'x', at('open/link')],
        ['chmod', at('open/file'), 0o777],
        ['truncate', at('open/file'), 0],
        ['utimes', at('open/file'), 1, 1],
        ['rm', at('closed'), { recursive: true }],
        ['copyFile', at('open/secret'), at('open/copy')],
      ] as const) {
        for (const form of FORMS) {
          const theirs = await outcomeOf(nodeFs, name, form, args);
          expect(await outcomeOf(cached, name, form, args), `${form} ${name}`).toEqual(theirs);
        }
        await expectSame(cached, area.path, `after ${name}`);
      }
    });
  });
});
