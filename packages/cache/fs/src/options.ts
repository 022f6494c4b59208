import { checkOptionNames } from '@core/base';
import nodeFs from 'node:fs';

export interface CachedFsOptions {
  /**
   * The file system below: node:fs, which is the default, or anything of its shape. What it lacks, the façade lacks; its
   * functions are called as methods, and looked up anew for each call.
   */
  readonly fs?: object;
}

const OPTION_NAMES = Object.keys({ fs: true } satisfies Record<keyof CachedFsOptions, true>);

export function checkOptions(options: CachedFsOptions): { fs: object } {
  checkOptionNames(options, OPTION_NAMES, 'a cached file system');
  const { fs = nodeFs } = options;
  if ((typeof fs !== 'object' && typeof fs !== 'function') || fs === null) {
    throw new TypeError(`Cannot create a cached file system over ${String(fs)}: fs must be of the shape of node:fs`);
  }
  return { fs };
}
