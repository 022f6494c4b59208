import nodeFs from 'node:fs';
import type { Rng } from '@core/base';
import type { NodeFs } from '@cache/fs';
import { systemError } from '@core/fs-source';

type Call = (...args: unknown[]) => unknown;

/** A call that was made to fail. */
export interface Strike {
  /** Without `Sync`. */
  readonly name: string;
  readonly error: Error;
  /** Whether it was carried out all the same. */
  readonly after: boolean;
}

export interface FaultyFs {
  readonly fs: NodeFs;
  /** The share of calls that fail, 0 to 1. */
  rate: number;
  /** Calls that failed since the last {@link reset}. */
  readonly strikes: readonly Strike[];
  /** Of all times. */
  readonly total: () => number;
  readonly reset: () => void;
}

const CODES = ['EIO', 'EMFILE', 'ENOSPC', 'EACCES'];
/** What opens descriptors, or gives them back: nothing may be left open by a call that fails. */
const NEVER_AFTER = new Set(['open', 'opendir', 'mkdtemp']);
const ALWAYS_AFTER = new Set(['close']);
const CHANGING = new Set(
  'writeFile appendFile truncate chmod utimes lutimes rmdir unlink rm mkdir symlink link rename copyFile cp'.split(' '),
);
const HANDLE_CALLS = ['read', 'readv', 'readFile', 'write', 'writeFile', 'truncate', 'chmod', 'utimes', 'stat'];
const TURNS_MAX = 3;

/**
 * node:fs, of whose calls a share fails, before they are made or after, and whose asynchronous ones take some turns of
 * the event loop, before and after, so that they overtake each other.
 *
 * @param passed is told of each delayed call
 */
export function faultyFs(rng: Rng, passed: () => void): FaultyFs {
  const strikes: Strike[] = [];
  let total = 0;
  const faulty = { rate: 0 };

  const strike = (name: string, args: readonly unknown[]): Strike | null => {
    const base = name.replace(/Sync$/, '');
    if (rng.next() >= faulty.rate) {
      return null;
    }
    const after = ALWAYS_AFTER.has(base) || (CHANGING.has(base) && !NEVER_AFTER.has(base) && rng.next() < 0.3);
    const code = CODES[Math.floor(rng.next() * CODES.length)] as string;
    const struck = {
      name: base,
      error: systemError(code, base, typeof args[0] === 'string' ? args[0] : undefined),
      after,
    };
    strikes.push(struck);
    total++;
    return struck;
  };
  const turns = async (): Promise<void> => {
    for (let left = Math.floor(rng.next() * (TURNS_MAX + 1)); left > 0; left--) {
      passed();
      await new Promise((resolve) => void setImmediate(resolve));
    }
  };

  const sync =
    (name: string, call: Call): Call =>
    (...args) => {
      const struck = strike(name, args);
      if (struck === null || struck.after) {
        const value = call(...args);
        if (struck === null) {
          return value;
        }
      }
      if (name === 'existsSync') {
        return false;
      }
      throw (struck as Strike).error;
    };

  const promised =
    (name: string, call: Call): Call =>
    async (...args) => {
      const struck = strike(name, args);
      await turns();
      if (struck !== null && !struck.after) {
        throw struck.error;
      }
      const value = await call(...args);
      await turns();
      if (struck !== null) {
        throw struck.error;
      }
      return value;
    };

  const calledBack =
    (name: string, call: Call): Call =>
    (...args) => {
      const callback = args.at(-1);
      if (typeof callback !== 'function') {
        return call(...args);
      }
      const struck = strike(name, args);
      const tell = (...values: unknown[]): void => {
        void turns().then(() => process.nextTick(callback as Call, ...values));
      };
      const fail = (): void => (name === 'exists' ? tell(false) : tell((struck as Strike).error));
      void turns().then(() =>
        struck !== null && !struck.after ? fail() : call(...args.slice(0, -1), struck === null ? tell : fail),
      );
      return undefined;
    };

  const handled = (handle: Record<string, unknown>): unknown => {
    for (const name of HANDLE_CALLS) {
      const method = (handle[name] as Call).bind(handle);
      Object.defineProperty(handle, name, { value: promised(name, method), configurable: true, writable: true });
    }
    return handle;
  };

  const ours: Record<string, unknown> = { ...nodeFs };
  for (const [name, call] of Object.entries(nodeFs)) {
    if (typeof call === 'function' && /^[a-z]/.test(name)) {
      const wrapped = name.endsWith('Sync') ? sync(name, call as Call) : calledBack(name, call as Call);
      ours[name] = Object.assign(wrapped, call);
    }
  }
  const promises: Record<string, unknown> = { ...nodeFs.promises };
  for (const [name, call] of Object.entries(nodeFs.promises)) {
    if (typeof call === 'function') {
      const wrapped = promised(name, call as Call);
      promises[name] =
        name === 'open' ? async (...args: unknown[]) => handled((await wrapped(...args)) as never) : wrapped;
    }
  }
  ours.promises = promises;
  return Object.assign(faulty, {
    fs: ours as unknown as NodeFs,
    strikes,
    total: () => total,
    reset: () => {
      strikes.length = 0;
    },
  });
}
