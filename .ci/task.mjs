#!/usr/bin/env node
// What `npm start`, `npm test` and the other scripts run. Needs Node and npm, and gets everything else itself.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const PNPM = 'pnpm@10.34.9';
const OLDEST_NODE = [20, 19];
/** Areas of benches whose smallest sizes are part of the tests. */
const BENCHES = ['core', 'shrinker', 'pressure', 'fs', 'hit-ratio', 'btree-key', 'peers'];
/** Examples that can do less, so that the tests need not do all. */
const QUICK = new Set(['cached-fs', 'counters', 'file-handles']);
/** What is tortured by killing processes. */
const CRASHES = new Set(['journal', 'btree-key']);
const bin = (name) => join(ROOT, 'node_modules', '.bin', name);

const [task = 'test', ...args] = process.argv.slice(2);
process.chdir(ROOT);
checkNode();

const TASKS = {
  start() {
    setUp();
    run(
      process.execPath,
      ['examples/file-handles/dist/main.js', ...args],
      'file handles under load: lru-cache, then Reclaim',
    );
  },
  build: setUp,
  test,
  bench() {
    setUp();
    run(process.execPath, ['--expose-gc', 'bench/dist/main.js', ...args], `benches ${args.join(' ')}`);
  },
  example() {
    const [name = '', ...rest] = args;
    setUp();
    const main = `examples/${name}/dist/main.js`;
    if (name === '' || !existsSync(main)) {
      fail(`There is no example "${name}". Choose one of: ${readdirSync('examples').join(', ')}`);
    }
    run(process.execPath, [main, ...rest], `example ${name}`);
  },
  report() {
    setUp();
    run(process.execPath, ['--expose-gc', 'bench/dist/report.js', ...args], `report ${args.join(' ')}`);
    run(bin('oxfmt'), ['bench/results'], 'formatting the results');
  },
  torture() {
    setUp();
    const main = CRASHES.has(args[0]) ? 'packages/testing/crash/dist/cli.js' : 'packages/testing/sim/dist/cli.js';
    run(process.execPath, ['--expose-gc', main, ...args], `torture ${args.join(' ')}`);
  },
  format() {
    setUp();
    run(bin('oxfmt'), ['.'], 'formatting');
  },
};

if (!Object.hasOwn(TASKS, task)) {
  fail(`There is no task "${task}". Choose one of: ${Object.keys(TASKS).join(', ')}`);
}
TASKS[task]();

/** Installs and builds what is not current. */
function setUp() {
  install();
  run(bin('tsc'), ['-b'], 'building with tsc -b (only what changed)');
}

function install() {
  const stampFile = join('node_modules', '.reclaim-installed');
  const stamp = installStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    say('packages are installed and current');
    return;
  }
  run('npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], `installing packages with ${PNPM}, lockfile frozen`);
  writeFileSync(stampFile, stamp);
}

/** Changes whenever an install might do something. */
function installStamp() {
  const hash = createHash('sha256').update(PNPM).update(process.version);
  const manifests = ['packages', 'examples', 'bench', 'docs'].flatMap((folder) => manifestsBelow(folder));
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', ...manifests]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function manifestsBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === 'node_modules' || entry.name === 'src' || entry.name === 'dist' ? [] : manifestsBelow(path);
    }
    return entry.name === 'package.json' ? [path] : [];
  });
}

/** Everything that must hold before a commit: each step runs even if one before it failed. */
function test() {
  setUp();
  const results = { passed: 0, failed: 0 };
  const step = (name, command, commandArgs) => {
    const ok = attempt(command, commandArgs, name);
    results[ok ? 'passed' : 'failed']++;
  };
  step('lint (oxlint, type-aware)', bin('oxlint'), ['--type-aware']);
  step('format (oxfmt)', bin('oxfmt'), ['--check']);
  step('types of the tests, and type tests', bin('tsc'), ['-p', '.ci/tsconfig.json']);
  vitest(results);
  for (const area of BENCHES) {
    step(`smoke benches, ${area}`, process.execPath, ['--expose-gc', 'bench/dist/main.js', area, '--smoke']);
  }
  for (const name of readdirSync('examples').sort()) {
    const tests = `examples/${name}/vitest.config.ts`;
    if (existsSync(tests)) {
      step(`example ${name}, by its tests`, bin('vitest'), ['run', '--config', tests]);
      continue;
    }
    step(`example ${name}`, process.execPath, [
      `examples/${name}/dist/main.js`,
      ...(QUICK.has(name) ? ['--quick'] : []),
    ]);
  }
  console.log(`\n${results.passed} passed, ${results.failed} failed`);
  process.exitCode = results.failed === 0 ? 0 : 1;
}

function vitest(results) {
  const folder = mkdtempSync(join(tmpdir(), 'reclaim-'));
  const report = join(folder, 'vitest.json');
  const ok = attempt(
    bin('vitest'),
    ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`, ...args],
    'tests (vitest): packages, layers, documents, publishing',
  );
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numFailedTestSuites = 0,
  } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(folder, { recursive: true });
  results.passed += numPassedTests;
  // A suite that fails to load has no tests to count.
  results.failed += ok ? 0 : Math.max(1, numFailedTests, numFailedTests === 0 ? numFailedTestSuites : 0);
}

function run(command, commandArgs, what) {
  if (!attempt(command, commandArgs, what)) {
    process.exit(1);
  }
}

/** @returns whether it exited with 0 */
function attempt(command, commandArgs, what) {
  say(what);
  const startedAt = performance.now();
  const { status, error } = spawnSync(command, commandArgs, { stdio: 'inherit', shell: process.platform === 'win32' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (error !== undefined) {
    console.error(error.message);
  }
  say(`${what}: ${status === 0 ? 'ok' : `FAILED (exit ${status})`}, ${seconds} s`);
  return status === 0;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    fail(`Reclaim needs Node ${OLDEST_NODE.join('.')} or newer: this is ${process.version}`);
  }
}

function say(what) {
  console.log(`→ ${what}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
