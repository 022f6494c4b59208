import { describe, expect, test } from 'vitest';
import { alwaysRevalidate, DerivedKind, type Inode, InodeCache, type Make } from '../src/index.js';
import { GatedSource } from './support/gated-source.js';
import { makeWorld, type World } from './support/make-cache.js';
import { microtasks } from './support/test-time.js';

const TEXT = new DerivedKind<string>('text', { sizeOf: (text) => text.length });

/** Long after the last change of any file. */
function age(world: World): void {
  world.time.advance(10_000);
}

function worldWith(
  text: string,
  options: Parameters<typeof makeWorld>[0] = {},
): World & { inode: Inode; read: () => string } {
  const world = makeWorld(options);
  world.memory.writeFileSync('/a', text);
  age(world);
  return { ...world, inode: world.cache.igetSync('/a'), read: () => world.memory.readFileSync('/a').toString() };
}

const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('derived values', () => {
  test('are made once, and found without a look while the attributes are believed', async () => {
    const { cache, inode, read, source } = worldWith('abc');
    expect(inode.derived(TEXT)).toBeUndefined();
    expect(inode.deriveSync(TEXT, read)).toBe('abc');
    const { lstat } = source.counts;
    expect(inode.derived(TEXT)).toBe('abc');
    expect(inode.deriveSync(TEXT, () => 'other')).toBe('abc');
    expect(await inode.derive(TEXT, async () => 'other')).toBe('abc');
    expect(source.counts.lstat).toBe(lstat);
    expect(cache.stats()).toMatchObject({ derived: 1, made: 1, derivedHits: 2, derivedBytes: 3 + 112 });
    cache.checkInvariants();
  });

  test('a maker is told of the file', async () => {
    const { inode } = worldWith('abc');
    await inode.derive(TEXT, ({ path, stats }) => {
      expect([path, stats.size]).toEqual(['/a', 3n]);
      return '';
    });
  });

  test('one maker for all who ask', async () => {
    const { cache, inode, read } = worldWith('abc');
    let calls = 0;
    const make: Make<string> = async () => {
      calls++;
      await microtasks();
      return read();
    };
    const values = await Promise.all([1, 2, 3].map(() => inode.derive(TEXT, make)));
    expect([values, calls]).toEqual([['abc', 'abc', 'abc'], 1]);
    expect(cache.stats()).toMatchObject({ joinedMakers: 2, made: 1, holds: 1 });
  });

  test('kinds do not meet, and neither do inodes', async () => {
    const { memory, cache, inode, read } = worldWith('abc');
    const length = new DerivedKind<number>('length', { sizeOf: () => 8 });
    memory.writeFileSync('/b', 'b');
    const [text, size] = await Promise.all([inode.derive(TEXT, read), inode.derive(length, () => read().length)]);
    expect([text, size, inode.derived(length)]).toEqual(['abc', 3, 3]);
    expect(cache.igetSync('/b').derived(TEXT)).toBeUndefined();
  });

  test('are dropped when the file has changed', () => {
    const world = worldWith('abc', { policy: alwaysRevalidate() });
    const { memory, inode, read, cache } = world;
    expect(inode.deriveSync(TEXT, read)).toBe('abc');
    expect(inode.deriveSync(TEXT, read)).toBe('abc');
    expect(cache.stats().made).toBe(1);
    // Same size, and a write time that was put back: the ctime tells.
    memory.writeFileSync('/a', 'xyz');
    memory.utimesSync('/a', 0, 1_000_000);
    expect(inode.deriveSync(TEXT, read)).toBe('xyz');
    cache.checkInvariants();
  });

  test('are dropped when the caller says that it changed, whatever the stamp is', () => {
    const { memory, cache, inode, read } = worldWith('abc');
    inode.deriveSync(TEXT, read);
    cache.changed(inode, memory.lstatSync('/a'));
    expect([inode.derived(TEXT), cache.stats().derived]).toEqual([undefined, 0]);
  });

  test('survive a doubt if the look shows the same stamp', () => {
    const { cache, inode, read } = worldWith('abc');
    inode.deriveSync(TEXT, read);
    cache.invalidate(inode);
    expect(inode.derived(TEXT)).toBeUndefined();
    expect(inode.deriveSync(TEXT, () => 'other')).toBe('abc');
  });

  test('leave with their inode', async () => {
    const disposed: string[] = [];
    const kind = new DerivedKind<string>('kept', { sizeOf: () => 1, dispose: (value) => void disposed.push(value) });
    const { cache, inode, read, settle } = worldWith('abc');
    inode.deriveSync(kind, read);
    cache.release(inode);
    expect(cache.prune(3)).toBe(1);
    expect(cache.stats()).toMatchObject({ derived: 0, derivedBytes: 0, inodes: 0, retired: 2 });
    await microtasks();
    expect(disposed).toEqual([]);
    await settle();
    expect(disposed).toEqual(['abc']);
  });
});

describe('paths', () => {
  test('the one that is given, where the one seen last is gone', async () => {
    const { memory, cache, inode } = worldWith('abc');
    memory.linkSync('/a', '/b');
    expect(cache.igetSync('/b')).toBe(inode);
    memory.unlinkSync('/b');
    cache.invalidate(inode);
    const read = ({ path }: { path: string }): string => memory.readFileSync(path).toString();
    expect(codeOf(() => inode.deriveSync(TEXT, read))).toBe('ERR_INODE_STALE');
    expect(await inode.derive(TEXT, read, '/a')).toBe('abc');
    expect(inode.path).toBe('/a');
    expect(inode.deriveSync(TEXT, read)).toBe('abc');
  });
});

describe('looks', () => {
  test('one for a value of a file that was just looked at, and one for a value that is kept', async () => {
    const { cache, inode, read, source } = worldWith('abc', { policy: alwaysRevalidate() });
    const looksOf = async (derive: () => unknown): Promise<number> => {
      source.reset();
      await derive();
      return source.counts.lstat;
    };
    expect(await looksOf(() => inode.deriveSync(TEXT, read))).toBe(1);
    expect(await looksOf(() => inode.deriveSync(TEXT, read))).toBe(1);
    cache.changed(inode, source.lstatSync('/a'));
    expect(await looksOf(() => inode.derive(TEXT, read))).toBe(1);
    // Somebody has doubted it: first it is looked at, and then again after the maker.
    cache.changed(inode, source.lstatSync('/a'));
    cache.invalidate(inode);
    expect(await looksOf(() => inode.derive(TEXT, read))).toBe(2);
  });
});

describe('a file that changes while it is read', () => {
  test('is read again', async () => {
    const world = worldWith('abc');
    const { memory, inode, cache, read, time } = world;
    let calls = 0;
    const value = await inode.derive(TEXT, async () => {
      const text = read();
      if (++calls === 1) {
        memory.writeFileSync('/a', 'defg');
      }
      return text;
    });
    expect([value, calls]).toEqual(['defg', 2]);
    expect(cache.stats()).toMatchObject({ made: 2, remade: 1, derived: 0, unsettled: 1 });
    // When the second reading began, the file had changed a moment ago; now it is old.
    time.advance(1000);
    expect(await inode.derive(TEXT, read)).toBe('defg');
    expect(inode.derived(TEXT)).toBe('defg');
  });

  test('and goes on changing is handed out, and not kept', async () => {
    const { memory, inode, cache, read, time } = worldWith('');
    for (const derive of [() => inode.deriveSync(TEXT, change), () => inode.derive(TEXT, async () => change())]) {
      expect((await derive()).length).toBeGreaterThan(1);
      expect([inode.derived(TEXT), cache.stats().derived]).toEqual([undefined, 0]);
    }
    expect(cache.stats()).toMatchObject({ made: 6, remade: 4 });

    function change(): string {
      time.advance(10);
      memory.writeFileSync('/a', `${read()}x`);
      return read();
    }
  });

  test('after a notice, what the maker read before is not handed to who asks after it', async () => {
    const { memory, inode, cache, read } = worldWith('old');
    let go!: () => void;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const first = inode.derive(TEXT, async () => {
      const text = read();
      await held;
      return text;
    });
    await microtasks();
    memory.writeFileSync('/a', 'new');
    cache.changed(inode, memory.lstatSync('/a'));
    const second = inode.derive(TEXT, async () => read());
    go();
    expect(await second).toBe('new');
    expect(await first).toBe('new');
  });

  test('nor to who asks while the look after the maker is under way', async () => {
    const world = makeWorld();
    const { memory, time } = world;
    const gated = new GatedSource(memory);
    const cache = new InodeCache({
      source: gated.source,
      policy: alwaysRevalidate(),
      rcu: world.rcu,
      clock: time,
      wallClock: time,
      scheduler: time,
    });
    memory.writeFileSync('/a', 'old');
    age(world);
    const inode = cache.igetSync('/a');
    const read = async (): Promise<string> => memory.readFileSync('/a').toString();
    const first = inode.derive(TEXT, read);
    await microtasks();
    // The look after the maker is made here, and arrives late.
    gated.gates[0]!.call();
    memory.writeFileSync('/a', 'new');
    const second = inode.derive(TEXT, read);
    gated.isGated = false;
    for (const gate of gated.gates) {
      gate.deliver();
    }
    expect(await second).toBe('new');
    expect(await first).toBe('new');
  });

  test('a fault of a maker whose file has changed is not told, the next try is', async () => {
    const world = worldWith('{');
    const { memory, inode, read } = world;
    const json = new DerivedKind<unknown>('json', { sizeOf: () => 1 });
    let calls = 0;
    const parse = (): unknown => {
      const text = read();
      if (++calls === 1) {
        memory.writeFileSync('/a', '{}');
      }
      return JSON.parse(text);
    };
    expect(await inode.derive(json, parse)).toEqual({});
    memory.writeFileSync('/a', '{');
    calls = 0;
    world.time.advance(5);
    memory.writeFileSync('/a', '{');
    calls = 1;
    world.cache.invalidate(inode);
    await expect(inode.derive(json, parse)).rejects.toThrow(SyntaxError);
    expect(() => inode.deriveSync(json, parse)).toThrow(SyntaxError);
    expect(world.cache.stats()).toMatchObject({ derived: 0, holds: 1 });
  });

  test('a file that is gone, or is another one, is not kept', () => {
    const { memory, cache, inode, read } = worldWith('abc');
    const value = inode.deriveSync(TEXT, () => {
      const text = read();
      memory.unlinkSync('/a');
      return text;
    });
    expect([value, cache.stats().derived]).toEqual(['abc', 0]);
    // The root has changed since it was made: from now on the device's times of birth are believed.
    cache.release(cache.igetSync('/'));
    expect(codeOf(() => inode.deriveSync(TEXT, read))).toBe('ERR_INODE_STALE');
    memory.writeFileSync('/b', 'b');
    memory.renameSync('/b', '/a');
    expect(codeOf(() => inode.deriveSync(TEXT, read))).toBe('ERR_INODE_STALE');
    cache.checkInvariants();
  });

  test('when the look after the maker fails, nothing is kept', async () => {
    const { memory, inode, cache } = worldWith('abc');
    const disposed: string[] = [];
    const kind = new DerivedKind<string>('k', { sizeOf: () => 1, dispose: (value) => void disposed.push(value) });
    memory.mkdirSync('/d');
    memory.linkSync('/a', '/d/a');
    const linked = cache.igetSync('/d/a');
    expect(linked).toBe(inode);
    const lock = (value: string) => () => {
      memory.chmodSync('/d', 0);
      return value;
    };
    expect(codeOf(() => inode.deriveSync(kind, lock('v')))).toBe('EACCES');
    memory.chmodSync('/d', 0o700);
    await expect(inode.derive(kind, lock('w'))).rejects.toMatchObject({ code: 'EACCES' });
    await expect(
      inode.derive(kind, () => {
        throw new Error('mine');
      }),
    ).rejects.toThrow(/EACCES|mine/);
    expect(cache.stats()).toMatchObject({ derived: 0, retired: 2, holds: 2 });
  });
});

describe('a file that changed a moment ago', () => {
  test('is not kept until it is older than its time can tell', () => {
    const { time, memory, cache, inode, read } = worldWith('abc');
    memory.writeFileSync('/a', 'new');
    cache.invalidate(inode);
    // The write and this reading might be of one tick, and another write of the same tick would show nowhere.
    expect(inode.deriveSync(TEXT, read)).toBe('new');
    expect(inode.derived(TEXT)).toBeUndefined();
    time.advance(99);
    inode.deriveSync(TEXT, read);
    expect(inode.derived(TEXT)).toBeUndefined();
    time.advance(1);
    inode.deriveSync(TEXT, read);
    expect(inode.derived(TEXT)).toBe('new');
    expect(cache.stats()).toMatchObject({ unsettled: 2, made: 3 });
  });

  test('a maker that takes long does not make it old', () => {
    const { time, memory, cache, inode, read } = worldWith('abc');
    memory.writeFileSync('/a', 'new');
    cache.invalidate(inode);
    inode.deriveSync(TEXT, () => {
      time.advance(1000);
      return read();
    });
    expect(inode.derived(TEXT)).toBeUndefined();
  });

  test('two seconds where times are whole seconds, or what the option says', () => {
    for (const [options, enoughMs] of [
      [{}, 2000],
      [{ racyMs: 7 }, 7],
    ] as const) {
      const { time, memory, cache } = makeWorld(options);
      time.nowMs = 5_000_000;
      memory.writeFileSync('/a', 'new');
      const inode = cache.igetSync('/a');
      time.advance(enoughMs - 1);
      inode.deriveSync(TEXT, () => 'v');
      expect(inode.derived(TEXT)).toBeUndefined();
      time.advance(1);
      inode.deriveSync(TEXT, () => 'v');
      expect(inode.derived(TEXT)).toBe('v');
    }
  });

  test('when the clock of the files is ahead, it is kept once it was seen for so long', () => {
    const world = makeWorld();
    const { time, memory, rcu } = world;
    time.nowMs = 5_000_001;
    const cache = new InodeCache({ source: memory, rcu, clock: time, scheduler: time, wallClock: { now: () => 1 } });
    memory.writeFileSync('/a', 'new');
    const inode = cache.igetSync('/a');
    inode.deriveSync(TEXT, () => 'v');
    expect(inode.derived(TEXT)).toBeUndefined();
    time.advance(100);
    inode.deriveSync(TEXT, () => 'v');
    expect(inode.derived(TEXT)).toBe('v');
  });
});

describe('room', () => {
  test('no more bytes than may be, the unused first', () => {
    const world = makeWorld({ maxDerivedBytes: 3 * (10 + 112) });
    const { memory, cache } = world;
    const inodes = ['/a', '/b', '/c', '/d'].map((path) => {
      memory.writeFileSync(path);
      return path;
    });
    age(world);
    const [a, b, c, d] = inodes.map((path) => cache.igetSync(path)) as [Inode, Inode, Inode, Inode];
    for (const inode of [a, b, c]) {
      inode.deriveSync(TEXT, () => '0123456789');
    }
    expect(a.derived(TEXT)).toBe('0123456789');
    d.deriveSync(TEXT, () => '0123456789');
    expect([a, b, c, d].map((inode) => inode.derived(TEXT) !== undefined)).toEqual([true, false, true, true]);
    expect(cache.stats()).toMatchObject({ derived: 3, derivedEvictions: 1 });
    const large = 'x'.repeat(400);
    expect(b.deriveSync(TEXT, () => large)).toBe(large);
    expect([b.derived(TEXT), cache.stats().derived]).toEqual([undefined, 3]);
    cache.checkInvariants();
  });

  test('a size that is none is an error, and the value is not kept', () => {
    const { errors, inode, cache } = worldWith('a');
    for (const size of [-1, Number.NaN, '5', undefined]) {
      const kind = new DerivedKind<string>('odd', { sizeOf: () => size as number });
      expect(inode.deriveSync(kind, () => 'v')).toBe('v');
      expect(inode.derived(kind)).toBeUndefined();
    }
    const broken = new DerivedKind<string>('broken', {
      sizeOf() {
        throw new Error('no size');
      },
    });
    expect(inode.deriveSync(broken, () => 'v')).toBe('v');
    expect(errors.map((error) => (error as Error).name)).toEqual([
      'RangeError',
      'RangeError',
      'RangeError',
      'RangeError',
      'Error',
    ]);
    cache.checkInvariants();
  });

  test('values that were not kept are disposed of as well, each once', async () => {
    const disposed: string[] = [];
    const kind = new DerivedKind<string>('once', { sizeOf: () => 1, dispose: (value) => void disposed.push(value) });
    const { memory, inode, cache, settle } = worldWith('a');
    inode.deriveSync(kind, () => 'first');
    memory.writeFileSync('/a', 'b');
    cache.invalidate(inode);
    inode.deriveSync(kind, () => 'racy');
    await settle();
    expect(disposed.toSorted()).toEqual(['first', 'racy']);
  });
});

describe('bad makers', () => {
  test('one that asks for what it makes', async () => {
    const { inode, cache } = worldWith('a');
    expect(codeOf(() => inode.deriveSync(TEXT, () => inode.deriveSync(TEXT, () => 'x')))).toBe('ERR_INODE_NESTED');
    await expect(inode.derive(TEXT, () => inode.derive(TEXT, () => 'x'))).rejects.toMatchObject({
      code: 'ERR_INODE_NESTED',
    });
    expect(cache.stats().holds).toBe(1);
  });

  test('one that answers deriveSync with a promise', () => {
    const { inode } = worldWith('a');
    expect(() => inode.deriveSync(TEXT, (async () => 'x') as unknown as () => string)).toThrow(TypeError);
    expect(inode.derived(TEXT)).toBeUndefined();
  });

  test('one that throws undefined', async () => {
    const { inode } = worldWith('a');
    const outcome = await inode
      .derive(TEXT, () => {
        throw undefined;
      })
      .then(
        () => 'made',
        (error: unknown) => ['failed', error],
      );
    expect(outcome).toEqual(['failed', undefined]);
  });

  test('a synchronous one while an asynchronous one is at work: one value is kept', async () => {
    const { inode, read, cache } = worldWith('abc');
    const slow = inode.derive(TEXT, async () => {
      await microtasks();
      return `${read()}!`;
    });
    expect(inode.deriveSync(TEXT, read)).toBe('abc');
    expect(await slow).toBe('abc');
    expect(cache.stats()).toMatchObject({ derived: 1, made: 2 });
    cache.checkInvariants();
  });

  test('a stale inode, a released one, a closed cache', async () => {
    const { cache, inode, read, time } = worldWith('a');
    cache.release(inode);
    const slow = inode.derive(TEXT, async () => {
      await microtasks();
      return read();
    });
    expect(cache.prune(5)).toBe(0);
    expect(await slow).toBe('a');
    cache.prune(5);
    await expect(inode.derive(TEXT, read)).rejects.toMatchObject({ code: 'ERR_INODE_STALE' });
    void cache.close();
    expect(codeOf(() => inode.deriveSync(TEXT, read))).toBe('ERR_INODE_CLOSED');
    await time.runAll();
  });

  test.each([
    [[undefined, {}], TypeError],
    [['', { sizeOf: () => 0 }], TypeError],
    [['k'], TypeError],
    [['k', {}], TypeError],
    [['k', { sizeOf: () => 0, dispose: 1 }], TypeError],
    [['k', { sizeOf: () => 0, zone: 'stack' }], RangeError],
    [['k', { sizeof: () => 0 }], TypeError],
  ])('no kind of %o', (args, error) => {
    expect(() => new (DerivedKind as any)(...(args as []))).toThrow(error);
  });
});
