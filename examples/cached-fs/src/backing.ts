import nodeFs from 'node:fs';

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, unknown>;

/** A file system of node:fs's shape, each of whose calls is counted and may be slow. */
export interface Backing {
  readonly fs: typeof nodeFs;
  /** Calls since the last {@link reset}. */
  readonly calls: () => number;
  readonly callsByName: () => Readonly<Record<string, number>>;
  readonly reset: () => void;
}

/** Functions that say nothing of the file system. */
const FREE = new Set(['close', 'closeSync', 'unwatchFile']);

/**
 * node:fs, counted.
 *
 * @param delayMs by which each call is slower, as over a network; a synchronous one keeps its thread waiting. 0: not at all
 */
export function countingFs(delayMs: number): Backing {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  let counts = new Map<string, number>();
  const count = (name: string): void => {
    if (!FREE.has(name)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  const fs: Calls = { ...nodeFs };
  for (const [name, call] of Object.entries(nodeFs)) {
    if (typeof call === 'function' && /^[a-z]/.test(name)) {
      const wrapped: Call = (...args) => {
        count(name);
        const callback = args.at(-1);
        if (delayMs > 0 && name.endsWith('Sync')) {
          Atomics.wait(nobody, 0, 0, delayMs);
        }
        if (delayMs === 0 || typeof callback !== 'function') {
          return (call as unknown as Call)(...args);
        }
        setTimeout(() => (call as unknown as Call)(...args), delayMs);
        return undefined;
      };
      fs[name] = Object.assign(wrapped, call);
    }
  }
  const promises: Calls = { ...nodeFs.promises };
  for (const [name, call] of Object.entries(nodeFs.promises)) {
    if (typeof call === 'function') {
      promises[name] = async (...args: unknown[]): Promise<unknown> => {
        count(name);
        if (delayMs > 0) {
          await new Promise((resolve) => setTimeout(resolve, delayMs));
        }
        return (call as unknown as Call)(...args);
      };
    }
  }
  fs.promises = promises;
  return {
    fs: fs as unknown as typeof nodeFs,
    calls: () => [...counts.values()].reduce((sum, calls) => sum + calls, 0),
    callsByName: () => Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])),
    reset: () => {
      counts = new Map();
    },
  };
}
