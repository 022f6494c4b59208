import type { Cookie } from '@core/rcu';

import { ReferenceRcu } from './reference-rcu.js';

interface Box {
  readonly sequence: number;
}

/** Right, and odd: each cookie is an object of its own, so that only `equal` can compare them. */
export class ObjectCookieRcu extends ReferenceRcu {
  override readonly name: string = 'object-cookie-rcu';

  protected override cookieOf(sequence: number): Cookie {
    const box: Box = { sequence };
    return box as unknown as Cookie;
  }

  protected override sequenceOf(cookie: Cookie): number {
    return (cookie as unknown as Box).sequence;
  }
}

/** Right, and odd: the first cookie is 0, which must not be taken for none. */
export class ZeroCookieRcu extends ReferenceRcu {
  override readonly name: string = 'zero-cookie-rcu';
  protected override sequence: number = -4;
}
