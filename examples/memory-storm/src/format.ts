import type { ContenderName, LoadName } from './protocol.js';

const MIB = 2 ** 20;
const BAR_CELLS = 20;

export const TITLES: Readonly<Record<ContenderName, string>> = {
  'lru-entries': 'lru-cache by entries',
  'lru-size': 'lru-cache by bytes',
  reclaim: 'Reclaim',
};

export const LOADS: Readonly<Record<LoadName, string>> = { storm: 'storm', 'one-tick': 'one tick' };

export function mb(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MB`;
}

export function count(number: number): string {
  return number.toLocaleString('en');
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A bar that is full from 1 on. */
export function bar(share: number): string {
  const full = Math.round(BAR_CELLS * Math.min(1, Math.max(0, share)));
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}
