import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bundle } from './support/child.js';

let bundle: Bundle;

beforeAll(async () => {
  bundle = await Bundle.create();
});

afterAll(async () => {
  await bundle[Symbol.asyncDispose]();
});

/** The lines that `program` says before it ends by itself with code 0. */
async function linesOf(program: string): Promise<string[]> {
  const { code, stdout, stderr } = await bundle.run(program);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Options that say reports instead of warning. */
const SAYING = `{ name: 's', onReport: ({ kind, label, readers, callbacksWaiting }) =>
  say(kind, label, readers, callbacksWaiting) }`;

describe('a process', () => {
  it('stays up for callbacks, and exits right after', async () => {
    const lines = await linesOf(`
      const rcu = new Rcu();
      const srcu = new Srcu();
      let rounds = 0;
      const again = () => { if (++rounds < 100) rcu.call(again); else say('rcu'); };
      rcu.call(again);
      srcu.call(() => say('srcu'));
      process.on('exit', () => say(rounds, srcu.stats().callbacksWaiting));
    `);
    expect(lines).toEqual(['srcu', 'rcu', '100 0']);
  });

  it('does not stay up for a grace period that is only polled, nor for a reader', async () => {
    const lines = await linesOf(`
      const rcu = new Rcu();
      const srcu = new Srcu();
      rcu.startPoll();
      const guard = srcu.guard();
      srcu.startPoll();
      process.on('exit', () => say('exit', srcu.stats().readers, guard.released));
    `);
    expect(lines).toEqual(['exit 1 false']);
  });

  it('does not stay up for the stall watch, and runs callbacks as soon as the reader ends', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu();
      const index = srcu.readLock();
      srcu.call(() => say('callback'));
      setTimeout(() => { say('reader ends'); srcu.readUnlock(index); }, 5);
    `);
    expect(lines).toEqual(['reader ends', 'callback']);
  });

  it('gives up readers that nothing can resume, says so, and runs every callback', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      const other = new Srcu(${SAYING});
      const reading = srcu.read(async () => { await new Promise(() => {}); }, 'stuck');
      const guard = other.guard('also stuck');
      srcu.call(() => say('callback'));
      srcu.synchronize().then(() => say('synchronized'));
      other.synchronizeExpedited().then(() => say('expedited'));
      process.on('exit', () => say('exit', srcu.stats().readers, other.stats().readers, guard.released));
    `);
    expect(lines).toEqual([
      'abandoned stuck 1 2',
      'abandoned also stuck 1 1',
      'callback',
      'expedited',
      'synchronized',
      'exit 0 0 false',
    ]);
  });

  it.each([
    [
      'a callback queued while a grace period waits already',
      `srcu.guard('stuck'); srcu.startPoll(); srcu.call(() => say('done'));`,
    ],
    [
      'an expedited wait while a grace period waits already',
      `srcu.guard('stuck'); srcu.startPoll(); srcu.synchronizeExpedited().then(() => say('done'));`,
    ],
    [
      'the second of two grace periods',
      `const first = srcu.guard('first'); srcu.startPoll(); srcu.guard('stuck'); srcu.call(() => say('done'));
       setTimeout(() => first.release(), 1);`,
    ],
    [
      'the second of two grace periods, expedited',
      `const first = srcu.guard('first'); srcu.startPoll(); srcu.guard('stuck');
       srcu.synchronizeExpedited().then(() => say('done'));
       setTimeout(() => first.release(), 1);`,
    ],
  ])('does so for %s', async (_name, program) => {
    expect(await linesOf(`const srcu = new Srcu(${SAYING}); ${program}`)).toEqual(['abandoned stuck 1 1', 'done']);
  });

  it('does so for a domain that waits for itself', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      await srcu.read(async () => { await srcu.synchronize(); say('never in peace'); }, 'itself');
      say('done', srcu.stats().readers);
      await srcu[Symbol.asyncDispose]();
    `);
    expect(lines).toEqual(['abandoned itself 1 1', 'never in peace', 'done 0']);
  });

  it('closes with a reader that nothing can resume', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      const index = srcu.readLock();
      await srcu[Symbol.asyncDispose]();
      srcu.readUnlock(index);
      say('closed');
    `);
    expect(lines).toEqual(['abandoned a raw read lock 1 1', 'closed']);
  });

  it('asks the other beforeExit listeners for work before it gives a reader up', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      const guard = srcu.guard('in time');
      srcu.call(() => say('callback'));
      let asked = 0;
      process.on('beforeExit', () => { if (++asked === 1) setTimeout(() => { say('release'); guard.release(); }, 5); });
    `);
    expect(lines).toEqual(['release', 'callback']);
  });

  it('asks again when one of several readers has ended', async () => {
    const lines = await linesOf(`
      const domains = [new Srcu(${SAYING}), new Srcu(${SAYING})];
      const guards = domains.map((domain, index) => domain.guard(String(index)));
      domains.forEach((domain, index) => domain.call(() => say('callback', index)));
      process.on('beforeExit', () => {
        const guard = guards.shift();
        if (guard !== undefined) setTimeout(() => guard.release(), 1);
      });
    `);
    expect(lines).toEqual(['callback 0', 'callback 1']);
  });

  it('keeps the late unlock of a reader that was given up away from a later reader', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      const late = srcu.readLock();
      await srcu.synchronize();
      const reader = srcu.readLock();
      const cookie = srcu.startPoll();
      srcu.readUnlock(late);
      await new Promise((resolve) => setImmediate(resolve));
      say('over under a reader:', srcu.poll(cookie), srcu.stats().readers);
      srcu.readUnlock(reader);
      await new Promise((resolve) => setImmediate(resolve));
      say('over after it:', srcu.poll(cookie));
      srcu.checkInvariants();
      try { srcu.readUnlock(late); } catch (error) { say(error.code); }
    `);
    expect(lines).toEqual([
      'abandoned a raw read lock 1 1',
      'over under a reader: false 1',
      'over after it: true',
      'ERR_SRCU_UNBALANCED',
    ]);
  });

  it.each([false, true])('lets readers that were given up end late, debug %s', async (debug) => {
    const lines = await linesOf(`
      const srcu = new Srcu({ debug: ${debug}, onReport: ({ kind, label }) => say(kind, label) });
      let go;
      const guard = srcu.guard('guard');
      const index = srcu.readLock();
      const reading = srcu.read(() => new Promise((resolve) => { go = resolve; }), 'read');
      await srcu.synchronize();
      guard.release();
      srcu.readUnlock(index);
      go();
      await reading;
      say(srcu.stats().readers, srcu.oldestReader());
      srcu.checkInvariants();
    `);
    expect(lines).toEqual(['abandoned guard', '0 null']);
  });

  it('notices again what is blocked again', async () => {
    const lines = await linesOf(`
      const srcu = new Srcu(${SAYING});
      const guards = [];
      for (const name of ['first', 'second']) {
        guards.push(srcu.guard(name));
        await srcu.synchronize();
        say(name, 'synchronized');
      }
      for (const guard of guards) guard.release();
      srcu.checkInvariants();
    `);
    expect(lines).toEqual(['abandoned first 1 1', 'first synchronized', 'abandoned second 1 1', 'second synchronized']);
  });

  it('gives up the other readers when a report throws', async () => {
    const lines = await linesOf(`
      process.on('uncaughtException', (error) => say('uncaught', error.message));
      const bad = new Srcu({ onReport() { throw new Error('from onReport'); } });
      const good = new Srcu(${SAYING});
      bad.readLock();
      good.readLock();
      bad.call(() => say('bad'));
      good.call(() => say('good'));
    `);
    expect(lines.sort()).toEqual(['abandoned a raw read lock 1 1', 'bad', 'good', 'uncaught from onReport']);
  });

  it('warns by default', async () => {
    const { code, stdout, stderr } = await bundle.run(`
      const srcu = new Srcu({ name: 'domain' });
      srcu.guard('reader');
      srcu.call(() => say('callback'));
    `);
    expect([code, stdout]).toEqual([0, 'callback\n']);
    expect(stderr).toContain('[RECLAIM_SRCU_ABANDONED] ReclaimWarning: Reader "reader" of "domain" was still open');
  });

  it('does all of this in a worker', async () => {
    const lines = await linesOf(`
      import { Worker } from 'node:worker_threads';
      const worker = new Worker(\`
        import('${bundle.url}').then(({ Srcu }) => {
          const srcu = new Srcu({ onReport: ({ kind }) => console.log(kind) });
          srcu.readLock();
          srcu.call(() => console.log('callback'));
        });
      \`, { eval: true });
      worker.on('exit', (code) => say('exit', code));
    `);
    expect(lines).toEqual(['abandoned', 'callback', 'exit 0']);
  });
});

/** What a reader saw that throws where nobody catches it, and goes on in a microtask. */
function brokenReader(nextTurn: string): string {
  return `
    process.on('uncaughtException', () => {});
    const rcu = new Rcu(${nextTurn});
    rcu.call(() => {});
    setImmediate(() => setImmediate(() => {
      const cell = { freed: false };
      const read = async () => {
        for (let hop = 0; hop < 100; hop++) await null;
        say(cell.freed ? 'freed under a reader' : 'safe');
      };
      read();
      rcu.call(() => { cell.freed = true; });
      throw new Error('thrown on purpose');
    }));
  `;
}

describe('a macrotask that throws', () => {
  it('still ends before the next turn, with its microtasks', async () => {
    expect(await linesOf(brokenReader(''))).toEqual(['safe']);
  });

  it('would not with a bare setImmediate for a turn', async () => {
    const bare = '{ scheduler: { nextTurn: (callback) => setImmediate(callback) } }';
    expect(await linesOf(brokenReader(bare))).toEqual(['freed under a reader']);
  });
});
