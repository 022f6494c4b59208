import { defineConfig } from 'vitest/config';

// Tests read the packages' sources through the `@core/source` export condition, so they need no build.
export default defineConfig({
  resolve: { conditions: ['@core/source'] },
  ssr: {
    resolve: { conditions: ['@core/source'], externalConditions: ['@core/source'] },
    noExternal: [/^@(core|cache|testing)\//],
  },
  test: {
    include: ['packages/*/*/test/**/*.test.ts', 'bench/test/**/*.test.ts', '.ci/test/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
  },
});
