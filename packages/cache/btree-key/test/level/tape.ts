import assert from 'node:assert/strict';
import { isThenable } from '@core/base';

/** As much of tape's `t` as abstract-level's tests call. */
export interface TapeTest {
  is(actual: unknown, expected: unknown, message?: string): void;
  isNot(actual: unknown, expected: unknown, message?: string): void;
  same(actual: unknown, expected: unknown, message?: string): void;
  ok(value: unknown, message?: string): void;
  pass(message?: string): void;
  fail(message?: string): void;
  throws(run: () => void, expected?: unknown, message?: string): void;
  doesNotThrow(run: () => void, message?: string): void;
  plan(count: number): void;
  end(error?: unknown): void;
}

type Body = (t: TapeTest) => unknown;

/**
 * Runs the body of a tape test: it has ended when its promise is fulfilled and its plan, if it has one, is; without
 * either, when it says so.
 *
 * @param onAssertion called for each assertion
 */
export function runTape(body: Body, onAssertion: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let planned: number | null = null;
    let made = 0;
    let returned = false;
    const look = (): void => {
      if (planned !== null && made > planned) {
        reject(new Error(`${made} assertions, of ${planned} planned`));
      } else if (returned && (planned === null || made === planned)) {
        resolve();
      }
    };
    const asserting =
      <Args extends unknown[]>(check: (...args: Args) => void) =>
      (...args: Args): void => {
        made++;
        onAssertion();
        try {
          check(...args);
        } catch (error) {
          reject(error);
        }
        look();
      };
    const end = (error?: unknown): void => {
      if (error === undefined || error === null) {
        returned = true;
        look();
      } else {
        reject(error);
      }
    };
    const result = body({
      is: asserting((actual, expected, message) => assert.strictEqual(actual, expected, message as string)),
      isNot: asserting((actual, expected, message) => assert.notStrictEqual(actual, expected, message as string)),
      same: asserting((actual, expected, message) => assert.deepStrictEqual(actual, expected, message as string)),
      ok: asserting((value, message) => assert.ok(value, message as string)),
      pass: asserting(() => {}),
      fail: asserting((message) => assert.fail(message as string)),
      throws: asserting((run, expected) => {
        assert.throws(run as () => void, (error) => (typeof expected === 'function' ? expected(error) : true));
      }),
      doesNotThrow: asserting((run) => {
        (run as () => void)();
      }),
      plan(count) {
        planned = count;
      },
      end,
    });
    if (isThenable(result)) {
      result.then(() => end(), reject);
    } else if (planned !== null) {
      end();
    }
  });
}
