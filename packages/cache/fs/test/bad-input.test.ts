import nodeFs from 'node:fs';
import { join } from 'node:path';
import { createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { countedFs } from './support/counted-fs.js';
import { lookAround } from './support/look-around.js';
import { type Form, FORMS, hasForm, type Outcome, outcomeOf } from './support/outcome.js';
import { plant, scratch } from './support/scratch.js';

/** So that nothing is too young to be cached. */
const LONG_AGO = new Date(1_600_000_000_000);

/** node:fs, where something happens to each file just before it is read as a whole. */
function changingFs(change: (path: string) => void): NodeFs {
  const { readFile, promises } = nodeFs;
  return {
    ...nodeFs,
    readFileSync: (path: string, options: never) => {
      change(path);
      return nodeFs.readFileSync(path, options);
    },
    readFile: (path: string, ...rest: never[]) => {
      change(path);
      (readFile as (...args: unknown[]) => void)(path, ...rest);
    },
    promises: {
      ...promises,
      readFile: (path: string, options: never) => {
        change(path);
        return promises.readFile(path, options);
      },
    },
  } as unknown as NodeFs;
}

describe('a file that changes its size between the look and the read', () => {
  for (const [what, bytes] of [
    ['shrinks', 3],
    ['is emptied', 0],
    ['grows', 5000],
  ] as const) {
    it.each(FORMS)(`and ${what}, in the %s form`, async (form) => {
      using area = scratch();
      const file = join(area.path, 'file');
      nodeFs.writeFileSync(file, 'some content');
      nodeFs.utimesSync(file, LONG_AGO, LONG_AGO);
      let left = 1;
      const fs = createCachedFs({
        fs: changingFs((path) => {
          if (left-- > 0) {
            nodeFs.truncateSync(path, bytes);
          }
        }),
      });
      expect(fs.statSync(file).size).toBe(12);
      for (let times = 0; times < 3; times++) {
        const ours = await outcomeOf(fs, 'readFile', form, [file]);
        expect(ours).toEqual(await outcomeOf(nodeFs, 'readFile', form, [file]));
      }
      expect(nodeFs.statSync(file).size).toBe(bytes);
    });
  }
});

describe('where every call below fails', () => {
  it.each(['EIO', 'EMFILE', 'ENOSPC', 'ENOMEM', 'EACCES'])(
    'with %s, that is what is told, and nothing else',
    async (code) => {
      using area = scratch();
      plant(area.path);
      const below = countedFs();
      const fs = createCachedFs({ fs: below.fs });
      const questions = lookAround(area.path);
      below.fail(code);
      for (const [index, [name, args]] of questions.entries()) {
        const form = FORMS[index % FORMS.length] as Form;
        if (name !== 'exists') {
          expect(codeOf(await outcomeOf(fs, name, form, args)), `${form} ${name} ${JSON.stringify(args)}`).toBe(code);
        }
      }
      below.fail(null);
      for (const [index, [name, args]] of questions.entries()) {
        const form = FORMS[index % FORMS.length] as Form;
        const theirs = await outcomeOf(nodeFs, name, hasForm(nodeFs, name, form) ? form : 'sync', args);
        const ours = await outcomeOf(fs, name, hasForm(nodeFs, name, form) ? form : 'sync', args);
        expect(ours, `${form} ${name} ${JSON.stringify(args)}`).toEqual(theirs);
      }
    },
  );
});

it.runIf(process.platform === 'linux')('a device that is full is told of as by node', async () => {
  const fs = createCachedFs();
  for (const form of FORMS) {
    const theirs = await outcomeOf(nodeFs, 'writeFile', form, ['/dev/full', 'content']);
    expect(codeOf(theirs)).toBe('ENOSPC');
    expect(await outcomeOf(fs, 'writeFile', form, ['/dev/full', 'content'])).toEqual(theirs);
  }
});

/** The code of the error that a call ended with. */
function codeOf(outcome: Outcome): unknown {
  const error = 'told' in outcome ? (outcome.told as unknown[])[0] : 'thrown' in outcome ? outcome.thrown : null;
  const { fields } = (error ?? { fields: [] }) as { fields: [name: string, value: unknown][] };
  return fields.find(([name]) => name === 'code')?.[1];
}
