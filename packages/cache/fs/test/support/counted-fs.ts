import nodeFs from 'node:fs';
import { systemError } from '@core/fs-source';

type Call = (...args: unknown[]) => unknown;

export interface CountedFs {
  readonly fs: object;
  /** Names of the calls since the last reset. */
  readonly calls: () => readonly string[];
  /** As {@link calls}: those of `promises`. */
  readonly promiseCalls: () => readonly string[];
  readonly reset: () => void;
  /** From now on every call fails with this error; null: none. */
  readonly fail: (code: string | null) => void;
}

/** node:fs, which counts its calls, and fails when it is told to. */
export function countedFs(): CountedFs {
  let calls: string[] = [];
  let promiseCalls: string[] = [];
  let failing: string | null = null;
  const counted = (theirs: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(theirs).map(([name, value]) => {
        if (typeof value !== 'function' || !/^[a-z]/.test(name)) {
          return [name, value];
        }
        const call: Call = (...args) => {
          calls.push(name);
          if (theirs !== nodeFs) {
            promiseCalls.push(name);
          }
          if (failing === null) {
            return (value as Call)(...args);
          }
          const error = systemError(failing, name, String(args[0]));
          const callback = args.at(-1);
          if (typeof callback !== 'function') {
            throw error;
          }
          return void setImmediate(callback as Call, error);
        };
        return [name, theirs === nodeFs ? call : async (...args: unknown[]) => call(...args)];
      }),
    );
  return {
    fs: { ...counted(nodeFs), promises: counted(nodeFs.promises) },
    calls: () => calls,
    promiseCalls: () => promiseCalls,
    reset: () => {
      calls = [];
      promiseCalls = [];
    },
    fail: (code) => {
      failing = code;
    },
  };
}
