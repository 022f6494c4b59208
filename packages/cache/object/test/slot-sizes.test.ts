import { array, assert, constant, constantFrom, double, integer, nat, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { SlotSizes } from '../src/internal/slot-sizes.js';

/** As a plain array does it, whatever is done in whatever order. */
function check(Sizes: typeof SlotSizes): void {
  const size = oneof(
    constantFrom(0, 64, 0.5, 2 ** 40),
    integer({ min: 0, max: 1000 }),
    double({ min: 0, noNaN: true }),
  );
  const action = oneof(
    record({ slot: nat(600), size }),
    record({ slot: nat(600), size: constant(null) }),
    constant('grow' as const),
  );
  assert(
    property(array(action, { maxLength: 1200, size: 'max' }), (actions) => {
      let capacity = 601;
      const sizes = new Sizes(capacity);
      const model = Array.from({ length: capacity }, () => 0);
      for (const one of actions) {
        if (one === 'grow') {
          capacity += 7;
          sizes.grow(capacity);
        } else if (one.size === null) {
          sizes.clear(one.slot);
          model[one.slot] = 0;
        } else {
          sizes.set(one.slot, one.size);
          model[one.slot] = one.size;
        }
      }
      expect(model.map((_, slot) => sizes.get(slot))).toEqual(model);
    }),
    { numRuns: 40, seed: 5, endOnFailure: true },
  );
}

test('keeps every size exactly, few different ones or many', () => {
  check(SlotSizes);
});

test('the check notices codes that are taken when there are none left', () => {
  class Busted extends SlotSizes {
    private readonly seen = new Set<number>();

    override set(slot: number, size: number): void {
      this.seen.add(size);
      super.set(slot, this.seen.size > 200 ? 64 : size);
    }
  }
  expect(() => check(Busted)).toThrow(/Property failed/);
});
