import { SeededRng } from '@core/base';
import { describe, expect, it } from 'vitest';

import { Pin, PinList } from '../src/internal/pin-list.js';

describe('PinList against an array', () => {
  it.each([1, 2, 3, 4, 5])('seed %i', (seed) => {
    const rng = new SeededRng(seed);
    const list = new PinList();
    const pins = Array.from({ length: 12 }, () => new Pin(list, false));
    /** Oldest first. */
    let model: { readonly pin: Pin; readonly sequence: number }[] = [];
    for (let step = 0; step < 2_000; step++) {
      const pin = rng.pick(pins);
      if (rng.next() < 0.3) {
        list.unpin(pin);
        model = model.filter((one) => one.pin !== pin);
      } else {
        const sequence = pin.sequence + 1 + rng.below(10);
        list.pin(pin, sequence);
        model = model.filter((one) => one.pin !== pin);
        const place = model.findLastIndex((one) => one.sequence <= sequence) + 1;
        model.splice(place, 0, { pin, sequence });
      }
      list.checkInvariants();
      expect(list.oldestSequence).toBe(model[0]?.sequence ?? 0);
      expect(list.count).toBe(model.length);
      expect([...list.pins(Infinity)]).toEqual(model.map((one) => one.pin));
    }
  });

  it('notices a list that is out of order', () => {
    const list = new PinList();
    const pins = [1, 2, 3].map((sequence) => {
      const pin = new Pin(list, false);
      list.pin(pin, sequence);
      return pin;
    });
    (pins[1] as Pin).sequence = 9;
    expect(() => list.checkInvariants()).toThrow(/out of order/);
  });

  it('goes on when pins are moved and taken off meanwhile', () => {
    const list = new PinList();
    const pins = Array.from({ length: 10 }, (_, index) => {
      const pin = new Pin(list, false);
      list.pin(pin, index + 1);
      return pin;
    });
    const seen: number[] = [];
    for (const pin of list.pins(10)) {
      seen.push(pins.indexOf(pin));
      if (seen.length % 3 === 0) {
        list.pin(pin, 100 + seen.length);
      } else if (seen.length % 3 === 1) {
        list.unpin(pin);
      }
      const other = pins[seen.length + 3];
      if (seen.length === 2 && other !== undefined) {
        list.unpin(other);
      }
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
    list.checkInvariants();
  });
});
