import type { Cookie, RcuFlavor } from '../flavor.js';

export function firstOver(flavor: RcuFlavor, cookies: ArrayLike<Cookie>): number {
  for (let index = 0; index < cookies.length; index++) {
    if (flavor.poll(cookies[index] as Cookie)) {
      return index;
    }
  }
  return -1;
}
