import { describe, test } from 'vitest';
import { storeSuite } from '../src/index.js';
import { KINDS } from './support/places.js';

describe.each(KINDS)('$name', ({ factory, supports, seeds }) => {
  storeSuite({ test, factory, supports, seeds });
});
