import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type nodeFs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rspack } from '@rspack/core';
import { glob } from 'glob';
import { rollup } from 'rollup';
import webpack from 'webpack';

type Fs = typeof nodeFs;

/** A tool that takes a file system. What it returns is all that it made. */
export interface Tool {
  readonly name: string;
  readonly run: (fs: Fs | null, project: string) => Promise<unknown>;
}

/** A project with a few hundred modules, a directory without an index, JSON, and a package of its own. */
export function makeProject(project: string, modules: number): void {
  const write = (name: string, content: string): void => {
    const path = join(project, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  write('package.json', '{"name":"project","type":"module","version":"1.0.0"}');
  write(
    'node_modules/helper/package.json',
    '{"name":"helper","version":"2.0.0","type":"module","main":"lib/index.js"}',
  );
  write('node_modules/helper/lib/index.js', 'export const help = (x) => x + 1;\n');
  for (let index = 0; index < modules; index++) {
    const next =
      index + 1 < modules
        ? `import { sum as next } from '../part-${(index + 1) % 10}/module-${index + 1}.js';\n`
        : 'const next = 0;\n';
    write(
      `src/part-${index % 10}/module-${index}.js`,
      `import { help } from 'helper';\n${next}export const sum = help(${index}) + next;\n`,
    );
  }
  write('src/index.js', `import { sum } from './part-0/module-0.js';\nconsole.log(sum);\n`);
}

export const TOOLS: readonly Tool[] = [
  { name: 'webpack', run: runWebpack },
  { name: 'rspack', run: runRspack },
  { name: 'rollup', run: runRollup },
  { name: 'glob', run: runGlob },
];

async function runWebpack(fs: Fs | null, project: string): Promise<unknown> {
  return intoFolder(project, async (folder) => {
    const compiler = webpack({ ...entryOf(project, folder), infrastructureLogging: { level: 'error' } });
    if (compiler === null) {
      throw new Error('webpack made no compiler');
    }
    if (fs !== null) {
      compiler.inputFileSystem = fs as unknown as NonNullable<typeof compiler.inputFileSystem>;
    }
    await finished(compiler);
  });
}

async function runRspack(fs: Fs | null, project: string): Promise<unknown> {
  return intoFolder(project, async (folder) => {
    const compiler = rspack({
      ...entryOf(project, folder),
      experiments: fs === null ? {} : { useInputFileSystem: [/.*/] },
    });
    if (fs !== null) {
      compiler.inputFileSystem = fs;
    }
    await finished(compiler);
  });
}

function entryOf(
  project: string,
  folder: string,
): { mode: 'production'; context: string; entry: string; output: { path: string } } {
  return { mode: 'production', context: project, entry: './src/index.js', output: { path: folder } };
}

interface Compiler {
  run(callback: (error: Error | null, stats?: { hasErrors(): boolean; toString(): string }) => void): void;
  close(callback: (error?: Error | null) => void): void;
}

function finished(compiler: unknown): Promise<void> {
  const { run, close } = compiler as Compiler;
  return new Promise((resolve, reject) => {
    run.call(compiler, (error, stats) => {
      close.call(compiler, (closeError) => {
        const failed = error ?? closeError ?? (stats?.hasErrors() === true ? new Error(stats.toString()) : null);
        if (failed) {
          reject(failed);
        } else {
          resolve();
        }
      });
    });
  });
}

/** Runs a bundler into a folder, and tells what is in it then. */
async function intoFolder(project: string, run: (folder: string) => Promise<void>): Promise<unknown> {
  const folder = join(dirname(project), 'output');
  rmSync(folder, { recursive: true, force: true });
  await run(folder);
  return readdirSync(folder)
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]);
}

async function runRollup(fs: Fs | null, project: string): Promise<unknown> {
  const bundle = await rollup({
    input: join(project, 'src/index.js'),
    external: ['helper'],
    ...(fs === null ? {} : { fs: fs.promises as never }),
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return output.map((file) => (file.type === 'chunk' ? [file.fileName, file.code] : [file.fileName]));
}

async function runGlob(fs: Fs | null, project: string): Promise<unknown> {
  const found = await glob('**/*.js', { cwd: project, absolute: true, ...(fs === null ? {} : { fs }) });
  return found.map((path) => relative(project, path)).sort();
}
