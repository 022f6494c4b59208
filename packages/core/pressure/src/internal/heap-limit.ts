/** What the old generation of a heap may grow to. */
export interface HeapLimit {
  readonly bytes: number;
  /** The largest size of the young generation, which is not in `bytes`. */
  readonly youngBytes: number;
  /** Where it was found, for people. */
  readonly from: string;
}

export interface HeapLimitFacts {
  /** `heap_size_limit`: the young generation is in it. */
  readonly heapSizeLimit: number;
  /** In the order in which they count; the last one wins. */
  readonly flags: readonly string[];
  readonly v8Version: string;
  readonly workerLimitMb: number | undefined;
}

const MIB = 2 ** 20;
/** Half-spaces to a young generation: two, and as much again for what is large. */
const SEMI_SPACES = 3;

/**
 * Works out the limit of the old generation. `heap_size_limit` is of no use by itself, since the young generation that
 * it includes differs from version to version: a flag of 256 MB reads as 304, 304, 448 and 352 in Node 20, 22, 24
 * and 26.
 */
export function heapLimitOf({ heapSizeLimit, flags, v8Version, workerLimitMb }: HeapLimitFacts): HeapLimit {
  const youngBytes = SEMI_SPACES * MIB * (valueOf(flags, 'max-semi-space-size') ?? semiSpaceMb(v8Version));
  const flagMb = valueOf(flags, 'max-old-space-size');
  if (flagMb !== undefined && flagMb * MIB <= heapSizeLimit) {
    return { bytes: flagMb * MIB, youngBytes, from: '--max-old-space-size' };
  }
  if (workerLimitMb !== undefined && workerLimitMb > 0) {
    return { bytes: workerLimitMb * MIB, youngBytes, from: 'resourceLimits.maxOldGenerationSizeMb' };
  }
  return {
    bytes: Math.max(heapSizeLimit - youngBytes, heapSizeLimit / 2),
    youngBytes,
    from: 'v8.getHeapStatistics().heap_size_limit, less the young generation',
  };
}

function semiSpaceMb(v8Version: string): number {
  const major = Number.parseInt(v8Version, 10);
  if (major <= 12) {
    return 16;
  }
  // What is newer than is known is taken for the largest known: then the limit is too small rather than too large.
  return major === 14 ? 32 : 64;
}

/** The value of a flag of V8, which may be written with `-` or `_`, and after `=` or as the next word. */
function valueOf(flags: readonly string[], name: string): number | undefined {
  let value: number | undefined;
  for (const [index, flag] of flags.entries()) {
    const [word, given] = flag.split('=', 2) as [string, string | undefined];
    if (word.replace(/^--?/, '').replaceAll('_', '-') === name && word.startsWith('-')) {
      const number = Number(given ?? flags[index + 1]);
      if (number > 0 && Number.isFinite(number)) {
        value = number;
      }
    }
  }
  return value;
}
