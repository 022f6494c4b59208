import { defineConfig } from 'vitest/config';
import root from '../../vitest.config.js';

// Apart from the other tests: the service is loaded for some seconds, and needs the build.
export default defineConfig({ ...root, test: { ...root.test, include: ['examples/counters/test/**/*.test.ts'] } });
