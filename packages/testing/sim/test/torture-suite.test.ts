import { describe, expect, test } from 'vitest';

import {
  EarlyPending,
  guardReader,
  NoFlipSrcu,
  ReferencePending,
  ReferenceSrcu,
  SimError,
  tortureSuite,
  type TortureSuiteOptions,
} from '../src/index.js';

/** The runner of an outsider. */
function register(options: Omit<TortureSuiteOptions, 'test'>): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  tortureSuite({ ...options, test: (name, body) => tests.set(name, body) });
  return tests;
}

async function failuresOf(tests: Map<string, () => Promise<void>>): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  for (const [name, body] of tests) {
    await body().catch((error: unknown) => failures.set(name, error));
  }
  return failures;
}

// As an outsider would: with the runner at hand.
describe('tortureSuite in vitest', () => {
  tortureSuite({
    test,
    factory: ({ scheduler }) => {
      const flavor = new ReferenceSrcu({ scheduler, stallMs: 100 });
      return {
        flavor,
        reader: guardReader(flavor),
        stallMs: 100,
        pending: (hooks) => new ReferencePending(flavor, hooks),
      };
    },
    supports: { pending: true },
    operations: 1_000,
    seeds: [4],
  });
});

test('registers what is supported, and nothing else', () => {
  const factory = (): never => {
    throw new Error('not when tests are registered');
  };
  expect([...register({ factory }).keys()]).toEqual([
    'torture, real loop',
    'torture, simulated loop, seed 1',
    'torture, simulated loop, seed 2',
    'torture, simulated loop, seed 3',
  ]);
  expect([...register({ factory, supports: { simulation: false, pending: true } }).keys()]).toEqual([
    'torture, real loop',
    'torture of the pending, real loop',
  ]);
  expect(register({ factory, supports: { pending: true }, seeds: [9] }).size).toBe(4);
});

test('a busted flavour fails each of its tests, with a report, and is closed', async () => {
  let closed = 0;
  const tests = register({
    factory: ({ scheduler }) => {
      const flavor = new NoFlipSrcu({ scheduler });
      return { flavor, reader: guardReader(flavor), close: () => void closed++ };
    },
  });
  const failures = await failuresOf(tests);
  expect([...failures.keys()]).toEqual([...tests.keys()]);
  expect(closed).toBe(4);
  for (const error of failures.values()) {
    expect(error).toSatisfy(SimError.is);
    expect(error).toMatchObject({ code: 'ERR_SIM_TORTURE_FAILED' });
    expect(String(error)).toContain('Verdict: FAILURE');
    expect(String(error)).toMatch(/reader-(age|batch|reuse)/);
  }
});

test('a busted pending fails its tests, and its flavour does not', async () => {
  const tests = register({
    factory: ({ scheduler }) => {
      const flavor = new ReferenceSrcu({ scheduler });
      return { flavor, reader: guardReader(flavor), pending: (hooks) => new EarlyPending(flavor, hooks) };
    },
    supports: { pending: true },
    operations: 1_000,
  });
  const failures = await failuresOf(tests);
  expect([...failures.keys()]).toEqual([...tests.keys()].filter((name) => name.includes('pending')));
});

test('says so when the factory makes no pending', async () => {
  const tests = register({
    factory: ({ scheduler }) => {
      const flavor = new ReferenceSrcu({ scheduler });
      return { flavor, reader: guardReader(flavor) };
    },
    supports: { pending: true, simulation: false },
    operations: 1_000,
  });
  const failures = await failuresOf(tests);
  expect([...failures.values()]).toEqual([expect.any(TypeError)]);
});
