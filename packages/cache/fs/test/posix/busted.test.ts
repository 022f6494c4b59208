import { expect, it } from 'vitest';
import { deafTo, run, type Step } from '../support/posix-kit.js';

const WRITE: Step = ['writeFile', './one', '1'];
const CHANGES: readonly (readonly [what: string, before: readonly Step[], change: Step])[] = [
  ['a new file', [], WRITE],
  ['a rename', [WRITE], ['rename', './one', './two']],
  ['a new directory', [], ['mkdir', './dir']],
  ['a removed file', [WRITE], ['unlink', './one']],
  // Of a file that has just been read attributes are looked at again, for the time of the last access.
  ['a mode', [['mkdir', './dir']], ['chmod', './dir', 0o700]],
  ['another name', [WRITE], ['link', './one', './two']],
  ['a link that is gone', [['symlink', 'x', './link']], ['unlink', './link']],
];

it.each(CHANGES)('%s is missed by a façade that is not told of it', async (_, before, change) => {
  const steps = [...before, change];
  await run(deafTo(-1), steps);
  await expect(run(deafTo(before.length), steps)).rejects.toThrow(`after`);
});
