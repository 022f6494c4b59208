/** How much memory the caches of a host may take. */
export type MemoryOption = 'auto' | MemoryLimit;

export interface MemoryLimit {
  readonly limitBytes: number;
}

/** What `host.stats()` says of the memory option. */
export interface MemoryStats {
  readonly mode: 'auto' | 'limit';
  readonly limitBytes: number | null;
  /** Whether anything reclaims by itself. Not yet: the choice is recorded, and reclaim runs by hand. */
  readonly enforced: false;
}

/**
 * @throws {RangeError} the limit is not a positive finite number
 * @throws {TypeError} neither `'auto'` nor `{ limitBytes }`
 */
export function checkMemory(memory: MemoryOption = 'auto'): MemoryStats {
  if (memory === 'auto') {
    return { mode: 'auto', limitBytes: null, enforced: false };
  }
  const limitBytes: unknown = (memory as MemoryLimit | null | undefined)?.limitBytes;
  if (typeof limitBytes !== 'number') {
    throw new TypeError(`Cannot use memory ${describe(memory)}: pass 'auto' or { limitBytes: <number> }`);
  }
  if (!Number.isFinite(limitBytes) || limitBytes <= 0) {
    throw new RangeError(`Cannot limit memory to ${limitBytes} bytes: limitBytes must be positive and finite`);
  }
  return { mode: 'limit', limitBytes, enforced: false };
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `{ ${Object.keys(value).join(', ')} }`
    : typeof value === 'string'
      ? `'${value}'`
      : String(value);
}
