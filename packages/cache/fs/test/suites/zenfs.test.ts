import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scratch, scratch } from '../support/scratch.js';

/** The tests of @zenfs/core, as they come with it. */
const SUITE = join(dirname(createRequire(import.meta.url).resolve('@zenfs/core')), '../tests');
const SUFFIX = '.test.ts';
const QUIETLY = { configFile: false, logLevel: 'silent' } as const;
const AS_MODULES = { target: 'node20', emptyOutDir: false, minify: false } as const;
const PARALLEL = 2;
const TIMEOUT_MS = 60_000;
/** How many are known to pass on this version of node, at least. */
const PASSED_MIN = 150;
/** Files about what node:fs does not have, or that take long and tell little. */
const SKIPPED = new Set(['xattr', 'scaling']);

interface Result {
  readonly passed: string[];
  readonly failed: string[];
}

let area: Scratch;
let plain: Result;

/** Tests that need what is newer than the oldest node that is supported fail on node:fs too: they are told by that. */
describe('what @zenfs/core’s tests find on node:fs, they find', { timeout: 5 * TIMEOUT_MS }, () => {
  beforeAll(async () => {
    area = scratch();
    await bundleSetup(area.path);
    await bundleSuite(area.path);
    plain = await runSuite('plain');
    expect(plain.passed.length).toBeGreaterThan(PASSED_MIN);
  }, 5 * TIMEOUT_MS);

  afterAll(() => area[Symbol.dispose]());

  it.each([
    ['on the façade', 'cached'],
    ['on the façade over a file system with paths of its own', 'over'],
    ['with hardly any memory', 'tiny'],
  ])('%s', async (_, subject) => {
    const { passed, failed } = await runSuite(subject);
    expect(failed.filter((test) => !plain.failed.includes(test))).toEqual([]);
    expect(passed).toEqual(expect.arrayContaining(plain.passed));
  });
});

/** The façade from its sources, for processes of plain node. */
function bundleSetup(folder: string): Promise<unknown> {
  return build({
    ...QUIETLY,
    ssr: { noExternal: true, resolve: { conditions: ['@core/source', 'node', 'import', 'default'] } },
    build: {
      ...AS_MODULES,
      ssr: join(import.meta.dirname, 'zenfs-setup.ts'),
      outDir: folder,
      rolldownOptions: { output: { entryFileNames: 'zenfs-setup.mjs' } },
    },
  });
}

/** Its tests are TypeScript, and newer than the oldest node that is supported. */
async function bundleSuite(folder: string): Promise<void> {
  await build({
    ...QUIETLY,
    root: SUITE,
    build: {
      ...AS_MODULES,
      ssr: true,
      outDir: folder,
      rolldownOptions: {
        input: suiteFiles().map((file) => join(SUITE, 'fs', `${file}.test.ts`)),
        // All packages, but for what the bundler brings itself.
        external: /^(?!@oxc-project)[a-z@]/,
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
  });
  // What they import, and the files that they read, are where they have been.
  fs.symlinkSync(join(SUITE, '../../..'), join(folder, 'node_modules'));
  fs.symlinkSync(join(SUITE, 'data'), join(folder, 'data'));
}

function suiteFiles(): string[] {
  return fs
    .readdirSync(join(SUITE, 'fs'))
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter((file) => !SKIPPED.has(file));
}

async function runSuite(subject: string): Promise<Result> {
  const result: Result = { passed: [], failed: [] };
  const files = suiteFiles();
  const work = async (): Promise<void> => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      collect(file, await runFile(file, subject), result);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return result;
}

/** What it prints, as TAP. */
function runFile(file: string, subject: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--test-reporter=tap', join(area.path, `${file}.test.mjs`)], {
      env: {
        ...process.env,
        SETUP: join(area.path, 'zenfs-setup.mjs'),
        ZENFS_SUBJECT: subject,
        ZENFS_DATA: join(SUITE, 'data'),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.on('close', (code) => resolve(code === 0 ? printed : `${printed}\nnot ok 0 - it ends well\n`));
  });
}

function collect(file: string, printed: string, { passed, failed }: Result): void {
  for (const [, not, test] of printed.matchAll(/^ *(not )?ok \d+ - (.*?)(?: # .*)?$/gm)) {
    (not === undefined ? passed : failed).push(`${file}: ${test}`);
  }
}
