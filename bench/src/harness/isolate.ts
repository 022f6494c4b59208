import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CaseResult } from './result.js';

const CASE_PROCESS = fileURLToPath(new URL('../case-process.js', import.meta.url));

/** Runs a case in a fresh process, so that nothing the JIT learnt from another case is left. */
export function runIsolated(area: string, question: string, name: string): Promise<CaseResult> {
  return new Promise((resolve, reject) => {
    const child = fork(CASE_PROCESS, [area, question, name], { execArgv: ['--expose-gc'], serialization: 'advanced' });
    let result: CaseResult | null = null;
    child.on('message', (message) => {
      result = message as CaseResult;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (result !== null && code === 0) {
        resolve(result);
      } else {
        reject(new Error(`Cannot finish ${area}/${question}/${name}: its process ended with ${signal ?? code}`));
      }
    });
  });
}
