import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { V8HeapSource, type V8Like } from '@core/pressure';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MIB = 2 ** 20;

type Report = ReturnType<InstanceType<NonNullable<V8Like['GCProfiler']>>['stop']>;
type Snapshot = Report['statistics'][number]['beforeGC'];

/** A heap with so many MiB in each space, the read-only and the young ones included, which do not count. */
function snapshot(usedMb: number, committedMb: number): Snapshot {
  const space = (spaceName: string, used: number, size: number) => ({
    spaceName,
    spaceSize: size * MIB,
    spaceUsedSize: used * MIB,
  });
  return {
    heapSpaceStatistics: [
      space('read_only_space', 3, 5),
      space('new_space', 7, 16),
      space('new_large_object_space', 2, 2),
      space('old_space', usedMb - 3, committedMb - 3),
      space('code_space', 1, 1),
      space('large_object_space', 2, 2),
    ],
  };
}

class FakeV8 implements V8Like {
  usedMb = 10;
  ended: Report['statistics'][number][] = [];
  started = 0;
  stopped = 0;
  running = false;
  readonly GCProfiler: NonNullable<V8Like['GCProfiler']>;

  constructor() {
    const self = this as FakeV8;
    this.GCProfiler = class {
      start(): void {
        self.started++;
        self.running = true;
        self.ended = [];
      }
      stop(): Report {
        const { running, ended } = self;
        self.stopped++;
        self.running = false;
        self.ended = [];
        return (running ? { statistics: ended } : undefined) as Report;
      }
    };
  }

  getHeapStatistics(): { heap_size_limit: number; used_heap_size: number } {
    return { heap_size_limit: 304 * MIB, used_heap_size: this.usedMb * MIB };
  }

  end(gcType: string, before: Snapshot, after: Snapshot): void {
    this.ended.push({ gcType, beforeGC: before, afterGC: after });
  }
}

const OPTIONS = { flags: [], v8Version: '11.3', workerLimitMb: undefined };

function liveOf(source: V8HeapSource): number[] {
  return source.collections().map(({ liveBytes }) => liveBytes / MIB);
}

describe('with a profiler', () => {
  test('tells what major collections have left in the old generation, each once, oldest first', () => {
    const v8 = new FakeV8();
    using source = new V8HeapSource({ v8, ...OPTIONS });
    expect(source.collections()).toEqual([]);
    v8.end('MarkSweepCompact', snapshot(40, 50), snapshot(20, 30));
    v8.end('MarkSweepCompact', snapshot(45, 50), snapshot(25, 30));
    expect(liveOf(source)).toEqual([20, 25]);
    expect(source.collections()).toEqual([]);
    v8.end('MarkSweepCompact', snapshot(45, 50), snapshot(26, 30));
    expect(liveOf(source)).toEqual([26]);
  });

  test('other collections say nothing of what is alive', () => {
    const v8 = new FakeV8();
    using source = new V8HeapSource({ v8, ...OPTIONS });
    for (const type of [
      'Scavenge',
      'MinorMarkCompact',
      'MinorMarkSweep',
      'IncrementalMarking',
      'ProcessWeakCallbacks',
    ]) {
      v8.end(type, snapshot(40, 50), snapshot(20, 30));
    }
    expect(source.collections()).toEqual([]);
  });

  test('what was free counts as wasted only when the heap had to grow nevertheless', () => {
    const v8 = new FakeV8();
    using source = new V8HeapSource({ v8, ...OPTIONS });
    const wastedMb = (usedMb: number, committedMb: number): number => {
      v8.end('MarkSweepCompact', snapshot(usedMb, committedMb), snapshot(usedMb, committedMb));
      return (source.collections()[0]?.wastedBytes ?? Number.NaN) / MIB;
    };
    wastedMb(48, 50);
    expect(wastedMb(20, 50)).toBe(0);
    expect(wastedMb(45, 60)).toBe(15);
    expect(wastedMb(20, 40)).toBe(0);
    expect(wastedMb(40, 55)).toBe(15);
    expect(wastedMb(56, 56)).toBe(0);
  });

  test('stopped by somebody else: that window is lost, the next is not', () => {
    const v8 = new FakeV8();
    using source = new V8HeapSource({ v8, ...OPTIONS });
    v8.end('MarkSweepCompact', snapshot(40, 50), snapshot(20, 30));
    v8.running = false;
    expect(source.collections()).toEqual([]);
    v8.end('MarkSweepCompact', snapshot(40, 50), snapshot(21, 30));
    expect(liveOf(source)).toEqual([21]);
  });

  test('close stops the profiler, once; afterwards there are no collections', () => {
    const v8 = new FakeV8();
    const source = new V8HeapSource({ v8, ...OPTIONS });
    source.close();
    source[Symbol.dispose]();
    v8.end('MarkSweepCompact', snapshot(40, 50), snapshot(20, 30));
    expect(source.collections()).toEqual([]);
    expect([v8.started, v8.stopped, v8.running]).toEqual([1, 1, false]);
  });

  test('limit and use', () => {
    using source = new V8HeapSource({ v8: new FakeV8(), ...OPTIONS, flags: ['--max-old-space-size=200'] });
    expect(source.limit()).toEqual({ bytes: 200 * MIB, youngBytes: 48 * MIB, from: '--max-old-space-size' });
    expect(source.usedBytes()).toBe(10 * MIB);
    using worker = new V8HeapSource({ v8: new FakeV8(), ...OPTIONS, workerLimitMb: 100 });
    expect(worker.limit().bytes).toBe(100 * MIB);
  });
});

describe('without one', () => {
  function without(): { v8: { usedMb: number } & V8Like; source: V8HeapSource } {
    const v8 = {
      usedMb: 100,
      getHeapStatistics: () => ({ heap_size_limit: 304 * MIB, used_heap_size: v8.usedMb * MIB }),
    };
    return { v8, source: new V8HeapSource({ v8, ...OPTIONS }) };
  }

  test('a fall by more than a quarter from the highest is a collection', () => {
    const { v8, source } = without();
    const seen: number[][] = [];
    for (const usedMb of [100, 150, 160, 121, 119, 119, 90, 89, 200, 150]) {
      v8.usedMb = usedMb;
      seen.push(liveOf(source));
    }
    expect(seen).toEqual([[], [], [], [], [119], [], [], [89], [], []]);
    expect(source.collections().every(({ wastedBytes }) => wastedBytes === 0)).toBe(true);
    source.close();
    v8.usedMb = 1;
    expect(source.collections()).toEqual([]);
  });
});

/** Keeps and drops memory in one turn, and says what the source has told of it by then. */
const PROGRAM = `
  const source = new V8HeapSource();
  const keep = [];
  const fill = (mb) => { for (let at = 0; at < mb * 64; at++) keep.push(new Array(2046).fill(at)); };
  fill(10); gc();
  const first = source.collections();
  fill(40);
  for (let at = 0; at < 64 * 20; at++) new Array(2046).fill(at);
  gc();
  const second = source.collections();
  keep.length = 64 * 10; gc();
  const third = source.collections();
  console.log(JSON.stringify({
    lives: [first, second, third].map((found) => found.at(-1)?.liveBytes),
    none: source.collections().length,
    limit: source.limit(),
  }));
`;

interface Told {
  readonly lives: readonly number[];
  readonly none: number;
  readonly limit: { readonly bytes: number; readonly from: string };
}

describe('the real one', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pressure-test-'));
    await build({
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: join(import.meta.dirname, '../src/heap-source.ts'),
        outDir: directory,
        emptyOutDir: false,
        minify: false,
        rollupOptions: { output: { entryFileNames: 'heap-source.mjs' } },
      },
    });
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  async function run(flags: readonly string[], nodeOptions = '', prelude = ''): Promise<Told> {
    const url = pathToFileURL(join(directory, 'heap-source.mjs')).href;
    const program = `import { V8HeapSource } from '${url}'; ${prelude} ${PROGRAM}`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', ...flags, '--input-type=module', '--eval', program],
      { timeout: 30_000, env: { ...process.env, NODE_OPTIONS: nodeOptions } },
    );
    return JSON.parse(stdout) as Told;
  }

  test('tells of collections in the turn in which they end, and what they have left', async () => {
    const { lives, none, limit } = await run(['--max-old-space-size=256']);
    const [first, second, third] = lives as [number, number, number];
    expect(Math.abs(first - second + 40 * MIB)).toBeLessThan(2 * MIB);
    expect(Math.abs(first - third)).toBeLessThan(2 * MIB);
    expect(first).toBeGreaterThan(10 * MIB);
    expect(none).toBe(0);
    expect(limit).toMatchObject({ bytes: 256 * MIB, from: '--max-old-space-size' });
  });

  test('finds flags in NODE_OPTIONS, and those of the command line before them', async () => {
    expect((await run([], '--max-old-space-size=300')).limit.bytes).toBe(300 * MIB);
    expect((await run(['--max-old-space-size=256'], '--max-old-space-size=300')).limit.bytes).toBe(256 * MIB);
  });

  test('one that does not look at collections would tell nothing', async () => {
    const { lives } = await run([], '', 'V8HeapSource.prototype.collections = () => [];');
    expect(lives.every((live) => typeof live !== 'number')).toBe(true);
  });
});
