import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

/** How a process of its own ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The package in one file of JavaScript, for processes that know no TypeScript. */
export class Bundle implements AsyncDisposable {
  readonly url: string;
  private readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.url = pathToFileURL(join(directory, 'rcu.mjs')).href;
  }

  static async create(): Promise<Bundle> {
    const directory = await mkdtemp(join(tmpdir(), 'rcu-test-'));
    await build({
      configFile: false,
      logLevel: 'error',
      resolve: { conditions: ['@core/source'] },
      ssr: { noExternal: true, resolve: { conditions: ['@core/source'] } },
      build: {
        ssr: join(import.meta.dirname, '../../src/index.ts'),
        outDir: directory,
        emptyOutDir: false,
        minify: false,
        rollupOptions: { output: { entryFileNames: 'rcu.mjs' } },
      },
    });
    return new Bundle(directory);
  }

  /**
   * Runs `program`, an ES module that finds `Rcu` and `Srcu` imported and writes with `say`, until it ends by itself.
   * One that hangs is killed, and its code is null.
   */
  run(program: string): Promise<Ended> {
    const prelude = `import { Rcu, Srcu } from '${this.url}'; const say = (...words) => console.log(...words);\n`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', prelude + program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });
    const output = { stdout: '', stderr: '' };
    for (const channel of ['stdout', 'stderr'] as const) {
      child[channel].setEncoding('utf8').on('data', (chunk: string) => {
        output[channel] += chunk;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, ...output }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}
