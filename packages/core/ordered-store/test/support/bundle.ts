import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

const PACKAGE = join(import.meta.dirname, '../..');

/** The child in one file of JavaScript, for processes that know no TypeScript. */
export class Bundle implements AsyncDisposable {
  readonly file: string;
  private readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.file = join(directory, 'child.mjs');
  }

  static async create(): Promise<Bundle> {
    // Where native packages are found from.
    const directory = join(PACKAGE, 'node_modules', `.child-${process.pid}`);
    await mkdir(directory, { recursive: true });
    await build({
      configFile: false,
      logLevel: 'error',
      resolve: { conditions: ['@core/source'] },
      ssr: { noExternal: [/^@core\//], external: ['lmdb', 'classic-level'], resolve: { conditions: ['@core/source'] } },
      build: {
        ssr: join(import.meta.dirname, 'child.ts'),
        outDir: directory,
        emptyOutDir: false,
        minify: false,
        target: 'node20',
        rollupOptions: { output: { entryFileNames: 'child.mjs' } },
      },
    });
    return new Bundle(directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
