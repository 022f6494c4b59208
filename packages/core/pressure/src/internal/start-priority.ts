import { DEF_PRIORITY } from '@core/shrinker';

/**
 * The mildest priority at which a pass frees about so many of the bytes that are charged: at priority p it looks at
 * 2 / 2^p of a cache whose seeks are the default.
 */
export function startPriority(chargedBytes: number, wantedBytes: number): number {
  const priority = Math.floor(Math.log2((2 * chargedBytes) / Math.max(1, wantedBytes)));
  return Math.min(DEF_PRIORITY, Math.max(0, priority));
}
