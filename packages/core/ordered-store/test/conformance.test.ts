import { describe, test } from 'vitest';
import { storeSuite } from '../src/index.js';
import { KINDS } from './support/places.js';

describe.each(KINDS)('$name', ({ factory, supports }) => {
  storeSuite({ test, factory, supports });
});
