import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';

/** One that says nothing for so long hangs. */
const HANGS_MS = 60_000;

/** What a child has said, as far as all tortures want to know it. */
export interface Heard {
  lines: number;
  readonly wrong: string[];
}

export interface KillOptions {
  /**
   * So long after the child's first line it is killed. Not before: how long a process takes to start says nothing of
   * what it does. Infinity: it kills itself.
   */
  readonly delayMs: number;
  /** After so many lines it is killed, too. */
  readonly mostLines: number;
  /** Takes each line, and counts it. */
  readonly hear: (line: string) => void;
}

/** Runs a child until it is dead, which it is to be by SIGKILL; else that is wrong. */
export async function killed(
  child: string,
  settings: object,
  heard: Heard,
  { delayMs, mostLines, hear }: KillOptions,
): Promise<void> {
  const running = spawn(process.execPath, [child, '--settings', JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let timer = setTimeout(() => {
    heard.wrong.push('the child hangs');
    running.kill('SIGKILL');
  }, HANGS_MS);
  let errors = '';
  running.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  let rest = '';
  running.stdout.on('data', (text: Buffer) => {
    const lines = (rest + text.toString()).split('\n');
    rest = lines.pop() ?? '';
    if (heard.lines === 0 && delayMs !== Infinity) {
      clearTimeout(timer);
      timer = setTimeout(() => running.kill('SIGKILL'), delayMs);
    }
    for (const line of lines) {
      hear(line);
    }
    if (heard.lines >= mostLines) {
      running.kill('SIGKILL');
    }
  });
  const [code, signal] = (await once(running, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  if (signal !== 'SIGKILL') {
    heard.wrong.push(`the child ended by itself, with ${String(code)}: ${errors}`);
  }
}

/** Removes a directory with all that is in it; nothing where there was none yet. */
export async function remove(directory: string): Promise<void> {
  if (directory !== '') {
    await rm(directory, { recursive: true, force: true });
  }
}
