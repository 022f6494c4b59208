import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createCachedFs } from '@cache/fs';
import { countingFs } from './backing.js';
import { editsOf, gitCommands, gitStatus, porcelainOf } from './clients/isomorphic-git.js';
import { cloneOf, git, makeRepository } from './git-repository.js';
import { idealFs } from './ideal-fs.js';
import { fastest, measure } from './measure.js';
import type { Report } from './report.js';
import type { Settings } from './settings.js';

/** What of an ideal cache's gain is wanted. */
const SHARE_OF_IDEAL = 0.7;
/** How many times less CPU is wanted on the local disk. */
const CPU_SAVED = 1.3;
/** Ratios of times below this tell of nothing but noise. */
const NOISE_MS = 50;
/** Of what can be repeated, the fastest run counts: the others have waited for somebody else. */
const RUNS = 5;

/** isomorphic-git on plain node:fs, on the cache, and on what no cache can beat, each on a working tree of its own. */
export async function runGit(settings: Settings, scratch: string, delayMs: number, report: Report): Promise<void> {
  const template = join(scratch, `template-${delayMs}`);
  makeRepository(template, settings.files, settings.commits);
  const treeOf = (name: string): string => cloneOf(template, join(scratch, `${name}-${delayMs}`));
  const trees = { plain: treeOf('plain'), cached: treeOf('cached'), ideal: treeOf('ideal') };
  const backing = countingFs(delayMs);
  const cached = createCachedFs({ fs: backing.fs });
  const ideal = idealFs(backing.fs);
  const where = delayMs === 0 ? 'local' : `${delayMs} ms`;

  for (const { name, changes, run, warm, savesCpu } of gitCommands(settings.files, settings.statuses)) {
    const what = `git ${name}, ${where}`;
    const plain = await measure(backing, () => run(backing.fs, trees.plain));
    report.add(what, 'node:fs', plain, plain);
    if (!changes) {
      report.add(what, 'cached, cold', await measure(backing, () => run(cached, trees.cached)), plain);
      await run(ideal, trees.ideal);
    }
    await warm?.(cached, trees.cached);
    await warm?.(ideal, trees.ideal);
    const [ours, best] = await fastest(changes ? 1 : RUNS, [
      () => measure(backing, () => run(cached, trees.cached)),
      () => measure(backing, () => run(ideal, trees.ideal)),
    ]);
    report.add(what, changes && warm === undefined ? 'cached' : 'cached, warm', ours, plain);
    report.add(what, 'ideal', best, plain);
    if (delayMs === 0 && savesCpu === true) {
      const saved = plain.cpuMs / ours.cpuMs;
      report.bar(saved >= CPU_SAVED, `${what}: ${saved.toFixed(1)}× less CPU; ${CPU_SAVED}× is wanted`);
    }
    if (delayMs > 0 && plain.ms > NOISE_MS) {
      const share = best.ms / ours.ms;
      report.bar(
        share >= SHARE_OF_IDEAL,
        `${what}: ${(share * 100).toFixed(0)} % of an ideal cache's gain; 70 % are wanted`,
      );
    }
  }
  git(trees.cached, 'fsck', '--strict');
  await cached.close();
}

/** Another process edits the files; what isomorphic-git says on the cache is what git says. */
export async function runForeignEdits(settings: Settings, scratch: string, report: Report): Promise<void> {
  const template = join(scratch, 'template-edits');
  makeRepository(template, settings.files, 2);
  const dir = cloneOf(template, join(scratch, 'edits'));
  const cached = createCachedFs();
  const [matrix] = gitCommands(settings.files, settings.statuses);
  for (let round = 0; round < settings.editRounds; round++) {
    const { script, paths } = editsOf(round, dir);
    // Answers of meanwhile may be of before or after. To isomorphic-git it is an error, on node:fs too, when a file that
    // it has listed is gone.
    const asked = matrix?.run(cached, dir).catch(() => null);
    execFileSync('sh', ['-c', script]);
    await asked;
    cached.invalidate(paths);
    const ours = porcelainOf(await matrix?.run(cached, dir));
    const theirs = gitStatus(dir);
    const equal = isDeepStrictEqual(ours, theirs);
    const wrong = [...ours.filter((line) => !theirs.includes(line)), ...theirs.filter((line) => !ours.includes(line))];
    report.check(equal, `foreign edits, round ${round}: ${wrong.slice(0, 5).join('; ')}`);
  }
  git(dir, 'fsck', '--strict');
  await cached.close();
}
