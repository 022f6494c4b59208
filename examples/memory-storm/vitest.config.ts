import { defineConfig } from 'vitest/config';
import root from '../../vitest.config.js';

// Apart from the other tests: a storm takes some seconds of both processors, and needs the build.
export default defineConfig({ ...root, test: { ...root.test, include: ['examples/memory-storm/test/**/*.test.ts'] } });
