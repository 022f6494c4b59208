import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishedPackages, read, ROOT } from './workspace.js';

const PNPM = /pnpm@[\d.]+/.exec(readFileSync(join(ROOT, '.ci/task.mjs'), 'utf8'))?.[0] as string;
const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

/** Runs a command and returns what it printed; what it printed is in the error, too, if it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** What a package can be imported by: its name, and the doors beside that. */
function doorsOf(name: string, folder: string): string[] {
  const { exports } = JSON.parse(read(join(folder, 'package.json'))) as { exports: Record<string, unknown> };
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => join(name, path));
}

/** What npm may take to pack and to install; hooks do not have the time of their suite. */
const INSTALL_MS = 300_000;

describe(
  'publishing',
  () => {
    const names = publishedPackages().map(({ manifest }) => manifest.name);
    const doors = publishedPackages().flatMap(({ manifest, folder }) => doorsOf(manifest.name, folder));
    const folder = mkdtempSync(join(tmpdir(), 'reclaim-packs-'));
    const tarballOf = (name: string): string => {
      const start = `${name.slice(1).replace('/', '-')}-`;
      return join(
        folder,
        readdirSync(folder).find((file) => file.startsWith(start) && file.endsWith('.tgz')) as string,
      );
    };

    beforeAll(() => {
      run('npx', ['--yes', PNPM, '-r', '--filter', './packages/**', 'pack', '--pack-destination', folder], ROOT);
    }, INSTALL_MS);
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(names)('%s packs, and publint and attw have nothing to say', (name) => {
      expect(run(bin('publint'), ['run', tarballOf(name), '--strict'], ROOT)).toContain('All good!');
      run(bin('attw'), [tarballOf(name), '--profile', 'esm-only', '--no-emoji'], ROOT);
    });

    describe('outside of the workspace', () => {
      const outside = join(folder, 'outside');

      beforeAll(() => {
        mkdirSync(outside);
        writeFileSync(join(outside, 'package.json'), '{ "private": true, "type": "module" }');
        // @types/node as every TypeScript user of Node has it.
        const packages = ['@types/node@20', ...names.map(tarballOf)];
        run('npm', ['install', '--no-audit', '--no-fund', ...packages], outside);
      }, INSTALL_MS);

      it('installs next to nothing: the cores have no dependency but one another', () => {
        const lean = join(folder, 'lean');
        mkdirSync(lean);
        writeFileSync(join(lean, 'package.json'), '{ "private": true, "type": "module" }');
        const cores = ['base', 'genradix', 'rcu', 'shrinker', 'rcu-pending'].map((core) => tarballOf(`@core/${core}`));
        run('npm', ['install', '--no-audit', '--no-fund', ...cores], lean);
        expect(readdirSync(join(lean, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@core']);
        expect(readdirSync(join(lean, 'node_modules/@core'))).toHaveLength(cores.length);
        writeFileSync(
          join(lean, 'main.mjs'),
          `import { Rcu } from '@core/rcu';
         import { RcuPending } from '@core/rcu-pending';
         import { ShrinkerRegistry } from '@core/shrinker';
         let processed = 0;
         const pending = new RcuPending({ rcu: new Rcu(), process: () => { processed++; } });
         for (let i = 0; i < 1000; i++) pending.enqueue({ rcuNext: null });
         await pending.exit();
         const registry = new ShrinkerRegistry();
         let left = 500;
         const shrinker = registry.alloc({ name: 's', count: () => left, scan: (sc) => { left -= sc.nrToScan; return sc.nrToScan; } });
         registry.register(shrinker);
         const freed = registry.shrinkSlabSync({ priority: 2 });
         await registry.free(shrinker);
         console.log(processed, freed);`,
        );
        expect(run(process.execPath, ['main.mjs'], lean)).toBe('1000 128\n');
      });

      it.each(doors)('import and require of %s work from plain files', (door) => {
        const file = join(outside, door.slice(1).replaceAll('/', '-'));
        writeFileSync(`${file}.mjs`, `import * as all from '${door}'; console.log(Object.keys(all).length > 0);`);
        writeFileSync(`${file}.cjs`, `console.log(Object.keys(require('${door}')).length > 0);`);
        expect(run(process.execPath, [`${file}.mjs`], outside)).toBe('true\n');
        expect(run(process.execPath, [`${file}.cjs`], outside)).toBe('true\n');
      });

      it('a package has doors beside its name', () => {
        expect(doors).toContain('@cache/object/lru-compat');
      });

      it.each(['nodenext', 'bundler'])('types resolve under moduleResolution %s', (resolution) => {
        const source = doors.map((name, index) => `import * as p${index} from '${name}';\nvoid p${index};`).join('\n');
        writeFileSync(
          join(outside, 'main.ts'),
          `${source}
         import { ObjectCache } from '@cache/object';
         const cache: ObjectCache<string, number> = new ObjectCache({ max: 2, dispose: (value: number) => value.toFixed() });
         const value: number | undefined = cache.set('a', 1).get('a');
         // @ts-expect-error: a key of another type
         cache.get(1);
         void value;`,
        );
        const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'esnext', '--types', 'node'];
        const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
        run(bin('tsc'), [...options, '--module', module, '--moduleResolution', resolution, 'main.ts'], outside);
      });
    });
  },
  INSTALL_MS,
);
