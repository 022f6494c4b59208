import { describe, expect, it } from 'vitest';
import { Hold, HoldList } from '../../src/internal/holds.js';

function list(...names: string[]): { readonly holds: HoldList; readonly all: Hold[] } {
  const holds = new HoldList();
  const all = names.map((name, index) => new Hold(name, index, null));
  for (const hold of all) {
    holds.add(hold);
  }
  return { holds, all };
}

function names(holds: HoldList): string[] {
  holds.checkInvariants();
  const found: string[] = [];
  for (let hold = holds.oldest; hold !== null; hold = hold.newer) {
    found.push(hold.label);
  }
  return found;
}

describe('HoldList', () => {
  it('keeps the order of age whichever is removed', () => {
    for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
      const { holds, all } = list('a', 'b', 'c');
      const left = new Set(['a', 'b', 'c']);
      for (const name of order) {
        holds.remove(all.find(({ label }) => label === name) as Hold);
        left.delete(name);
        expect(names(holds)).toEqual([...left]);
      }
      holds.add(new Hold('d', 9, null));
      expect(names(holds)).toEqual(['d']);
    }
  });

  it('leaves nothing hanging on a hold that was removed', () => {
    const { holds, all } = list('a', 'b', 'c');
    for (const hold of all) {
      holds.remove(hold);
    }
    expect(all.map(({ newer, older, released }) => [newer, older, released])).toEqual(
      all.map(() => [null, null, true]),
    );
  });

  it('forgets all, and lets each still be removed', () => {
    const { holds, all } = list('a', 'b', 'c');
    holds.abandonAll();
    expect(names(holds)).toEqual([]);
    holds.add(new Hold('d', 9, null));
    for (const hold of all) {
      holds.remove(hold);
    }
    expect(names(holds)).toEqual(['d']);
    expect(all.every(({ released }) => released)).toBe(true);
  });

  it('asserts that a hold is removed once', () => {
    const { holds, all } = list('a', 'b');
    holds.remove(all[0] as Hold);
    expect(() => holds.remove(all[0] as Hold)).toThrow(/twice/);
    expect(names(holds)).toEqual(['b']);
  });

  it('notices a broken list', () => {
    const { holds, all } = list('a', 'b');
    (all[1] as Hold).older = null;
    expect(() => holds.checkInvariants()).toThrow(/broken/);
  });
});
