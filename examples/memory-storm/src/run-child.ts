import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './outcome.js';
import type { Job, Message, Sample } from './protocol.js';

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));
/** Of what a child prints the last is kept. */
const LAST_WORDS = 20_000;

/** Runs a job in a process with a small heap, to its end, whatever that is. */
export async function runChild(job: Job, node: string, onSample: (sample: Sample) => void): Promise<Outcome> {
  const startedAt = performance.now();
  const child = fork(CHILD, [JSON.stringify(job)], {
    execPath: node,
    execArgv: [`--max-old-space-size=${job.heapMb}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let last: Sample | null = null;
  let report: string | null = null;
  let isDone = false;
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  child.on('message', (message: Message) => {
    if (message.type === 'short') {
      report = message.report;
      return;
    }
    last = message.sample;
    isDone = message.type === 'done';
    onSample(last);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return {
    job,
    survived: isDone && code === 0,
    exit: signal ?? `exit ${code}`,
    lastWords: lastWords.trim(),
    seconds: (performance.now() - startedAt) / 1000,
    last,
    report,
  };
}
