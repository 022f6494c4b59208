import { describe, expect, it } from 'vitest';
import { checkOptionNames } from '../src/index.js';

const KNOWN = ['budgetBytes', 'nodeEntries', 'spareNodes'];

function check(options: unknown, known: readonly string[] = KNOWN): () => void {
  return () => checkOptionNames(options, known, 'a NodePool');
}

/** What is thrown, as a class and a message. */
function told(options: unknown, known?: readonly string[]): string {
  try {
    check(options, known)();
  } catch (error) {
    return String(error);
  }
  return 'nothing';
}

describe('checkOptionNames', () => {
  it.each([[undefined], [{}], [{ budgetBytes: 1 }], [{ spareNodes: undefined, nodeEntries: 2, budgetBytes: 'x' }]])(
    'accepts %j',
    (options) => {
      expect(check(options)).not.toThrow();
    },
  );

  it('looks at own names that can be enumerated, so that instances and bare objects can be options', () => {
    class Options {
      nodeEntries = 2;
      get other(): number {
        return 1;
      }
    }
    expect(check(new Options())).not.toThrow();
    expect(check(Object.assign(Object.create(null) as object, { nodeEntries: 2 }))).not.toThrow();
    expect(told(Object.assign(Object.create(null) as object, { nodeEntrys: 2 }))).toContain('"nodeEntries"?');
  });

  it.each([
    ['nodesEntries', 'nodeEntries'],
    ['budgetbytes', 'budgetBytes'],
    ['budget', 'budgetBytes'],
    ['spares', 'spareNodes'],
    ['sparenode', 'spareNodes'],
    ['nodeEntires', 'nodeEntries'],
  ])('knows that %s is %s', (wrong, right) => {
    expect(told({ nodeEntries: 2, [wrong]: 1 })).toBe(
      `TypeError: Cannot create a NodePool: it has no option "${wrong}"; did you mean "${right}"?`,
    );
  });

  it('names them all when none is near', () => {
    const known = ['nodes', 'rcu'];
    expect(told({ pool: undefined }, known)).toBe(
      'TypeError: Cannot create a NodePool: it has no option "pool"; use "nodes", "rcu"',
    );
    expect(told({ '': 1 }, known)).toContain('it has no option ""; use "nodes"');
  });

  it('takes an instance with other fields for what it is', () => {
    class Vector {
      length = 5;
    }
    const wants = 'pass an object with "nodes"';
    expect(told(new Vector(), ['nodes'])).toBe(`TypeError: Cannot create a NodePool with a Vector: ${wants}`);
    const nameless = new (class {
      length = 5;
    })();
    expect(told(nameless, ['nodes'])).toBe(
      'TypeError: Cannot create a NodePool: it has no option "length"; use "nodes"',
    );
  });

  it.each([
    [null, 'null'],
    [5, '5'],
    ['heap', '"heap"'],
    [[], 'an array'],
    [true, 'true'],
  ])('refuses %j', (options, said) => {
    expect(told(options, ['nodes'])).toBe(
      `TypeError: Cannot create a NodePool with ${said}: pass an object with "nodes"`,
    );
  });

  it('refuses a function and a symbol', () => {
    expect(check(() => {})).toThrow('with a function: pass');
    expect(check(Symbol('s'))).toThrow(TypeError);
  });
});
