import { constants } from 'node:fs';
import { SeededRng } from '@core/base';
import { describe, expect, it } from 'vitest';
import { countingSource, delayedSource, faultySource, memorySource } from '../src/index.js';

const { O_CREAT, O_RDWR } = constants;

function furnished(): ReturnType<typeof memorySource> {
  const memory = memorySource({ caseSensitive: false });
  memory.writeFileSync('/f', '0123456789');
  memory.symlinkSync('f', '/l');
  return memory;
}

/** Every call there is, once. */
async function callAll(source: ReturnType<typeof delayedSource>): Promise<void> {
  await source.lstat('/f');
  await source.readdir('/');
  await source.readlink('/l');
  const file = await source.open('/f', O_RDWR);
  expect(file.fd).toBe(3);
  await file.stat();
  await file.read([new Uint8Array(1)], 0);
  await file.write([new Uint8Array(1)], 0);
  await file.datasync();
  await file.truncate(0);
  await file.close();
}

function callAllSync(source: ReturnType<typeof delayedSource>): void {
  source.lstatSync('/f');
  source.readdirSync('/');
  source.readlinkSync('/l');
  const file = source.openSync('/f', O_RDWR | O_CREAT);
  file.statSync();
  file.readSync([new Uint8Array(1)], 0);
  file.writeSync([new Uint8Array(1)], 0);
  file.datasyncSync();
  file.truncateSync(0);
  file.closeSync();
}

describe('countingSource', () => {
  it('counts every call, both forms together, failed ones too', async () => {
    const source = countingSource(furnished());
    await callAll(source);
    callAllSync(source);
    expect(Object.values(source.counts)).toEqual(Array.from({ length: 10 }, () => 2));
    await expect(source.lstat('/nothing')).rejects.toThrow('ENOENT');
    expect(source.counts.lstat).toBe(3);
    expect(source.total).toBe(21);
    source.reset();
    expect(source.total).toBe(0);
    expect(source.caseSensitive).toBe(false);
  });
});

describe('delayedSource', () => {
  it('makes each call only when its time has come', async () => {
    const memory = furnished();
    const waiting: [ms: number, run: () => void][] = [];
    const source = delayedSource(memory, 2, {
      after(ms, run) {
        waiting.push([ms, run]);
        return { cancel() {} };
      },
    });
    const early = source.lstat('/f');
    memory.truncateSync('/f', 3);
    expect(waiting.map(([ms]) => ms)).toEqual([2]);
    waiting[0]?.[1]();
    expect((await early).size).toBe(3n);
    callAllSync(source);
    expect(waiting).toHaveLength(1);
  });

  it('keeps back what the source has answered, and errors too', async () => {
    const memory = furnished();
    const waiting: (() => void)[] = [];
    const scheduler = {
      after(_: number, run: () => void) {
        waiting.push(run);
        return { cancel() {} };
      },
    };
    const source = delayedSource(memory, 1, scheduler, 'answer');
    const [old, failed] = [source.lstat('/f'), source.lstat('/new')];
    await new Promise(setImmediate);
    memory.truncateSync('/f', 3);
    memory.writeFileSync('/new');
    for (const run of waiting.splice(0)) {
      run();
    }
    expect((await old).size).toBe(10n);
    await expect(failed).rejects.toMatchObject({ code: 'ENOENT' });
    const both = delayedSource(memory, 1, scheduler, 'both').lstat('/f');
    for (let delays = 0; delays < 2; delays++) {
      await new Promise(setImmediate);
      waiting.pop()?.();
    }
    expect((await both).size).toBe(3n);
  });

  it('passes every call on, with delays of its own', async () => {
    const delays: number[] = [];
    const source = delayedSource(furnished(), () => delays.length + 1, {
      after(ms, run) {
        delays.push(ms);
        run();
        return { cancel() {} };
      },
    });
    await callAll(source);
    expect(delays).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('waits by timers of the process', async () => {
    expect((await delayedSource(furnished(), 0).lstat('/f')).isFile()).toBe(true);
  });
});

describe('faultySource', () => {
  it('fails the call that is meant, as node does', async () => {
    const source = faultySource(furnished(), {
      faults: [
        { code: 'EIO', on: ['lstat'], nth: 2 },
        { code: 'EACCES', on: ['open', 'read'], path: '/f', nth: 2 },
        { code: 'EMFILE', path: (path) => path === '/l' },
      ],
    });
    source.lstatSync('/f');
    expect(() => source.lstatSync('/f')).toThrow(
      expect.objectContaining({ code: 'EIO', message: "EIO: i/o error, lstat '/f'", path: '/f' }),
    );
    source.lstatSync('/f');
    const file = source.openSync('/f', O_RDWR);
    await expect(file.read([new Uint8Array(1)], 0)).rejects.toMatchObject({
      code: 'EACCES',
      message: 'EACCES: permission denied, read',
    });
    await expect(source.readlink('/l')).rejects.toMatchObject({ code: 'EMFILE' });
    expect(source.failed).toBe(3);
    source.active = false;
    expect(source.readlinkSync('/l')).toBe('f');
  });

  it('fails calls at random, the same ones for a seed', () => {
    const failures = (seed: number): string => {
      const source = faultySource(furnished(), { faults: [{ code: 'EIO', rate: 0.3 }], rng: new SeededRng(seed) });
      return Array.from({ length: 100 }, () => {
        try {
          source.lstatSync('/f');
          return '.';
        } catch {
          return 'x';
        }
      }).join('');
    };
    expect(failures(1)).toBe(failures(1));
    expect(failures(1)).not.toBe(failures(2));
    expect(failures(1).replaceAll('.', '').length).toBeGreaterThan(10);
    expect(failures(1).replaceAll('.', '').length).toBeLessThan(60);
  });

  it('reads and writes short, at least one byte', () => {
    const memory = furnished();
    const source = faultySource(memory, { shortReads: 1, shortWrites: 1, rng: new SeededRng(3) });
    const file = source.openSync('/f', O_RDWR);
    const lengths = new Set<number>();
    for (let turn = 0; turn < 200; turn++) {
      const read = file.readSync([new Uint8Array(3), new Uint8Array(4)], 0);
      const written = file.writeSync([new Uint8Array(3), new Uint8Array(4)], 0);
      lengths.add(read).add(written);
    }
    expect([...lengths].toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(file.readSync([new Uint8Array(1)], 0)).toBe(1);
    expect(file.readSync([], 0)).toBe(0);
  });

  it('wants randomness where it is needed, and known names', () => {
    expect(() => faultySource(furnished(), { shortReads: 0.5 })).toThrow('needs an "rng"');
    expect(() => faultySource(furnished(), { faults: [{ code: 'EIO', rate: 0.5 }] })).toThrow('needs an "rng"');
    expect(() => faultySource(furnished(), { fault: [] } as never)).toThrow('did you mean "faults"?');
  });
});
