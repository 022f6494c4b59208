import type { FsView, Lookup, PendingChange } from './fs-view.js';

const UNKNOWN: Lookup<never> = {
  peek: () => undefined,
  now: () => {
    throw new Error('Cannot answer: nothing is cached');
  },
  later: () => Promise.reject(new Error('Cannot answer: nothing is cached')),
};
const PENDING: PendingChange = { finish: () => {} };

/** Knows nothing. */
export const NO_VIEW: FsView = {
  stat: UNKNOWN,
  lstat: UNKNOWN,
  exists: UNKNOWN,
  readdir: UNKNOWN,
  readlink: UNKNOWN,
  realpath: UNKNOWN,
  bytes: UNKNOWN,
  text: UNKNOWN,
  json: UNKNOWN,
  maxKeptBytes: 0,
  hasLinks: false,
  changeCount: 0,
  blocks: null,
  changing: () => PENDING,
  invalidate: () => {},
  invalidateExact: () => {},
};
