import { describe, expect, test } from 'vitest';

import { runCli } from '../src/internal/run-cli.js';

async function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  let output = '';
  const exitCode = await runCli(args, (text) => {
    output += text;
  });
  return { exitCode, output };
}

describe('the command line', () => {
  test('tortures the flavours of this repository by default', async () => {
    const { exitCode, output } = await run('--ops', '1000', '--readers', '5', '--seed', '11');
    expect(exitCode, output).toBe(0);
    for (const name of ['rcu', 'srcu', 'rcu-pending', 'srcu-pending']) {
      expect(output).toMatch(new RegExp(`^== ${name}: \\d+ grace periods a second`, 'm'));
    }
    expect(output.match(/Verdict: SUCCESS/g)).toHaveLength(4);
    expect(output).toContain('real loop, seed 11');
    expect(output).toContain('5 readers');
    expect(output).toMatch(/Free-block circulation( +\d+){11}\n/);
  });

  test('fails for a busted one, also among good ones', async () => {
    const { exitCode, output } = await run(
      'busted-wrong-epoch',
      'reference-srcu',
      '--sim',
      '--ops',
      '1000',
      '--seed',
      '1',
    );
    expect(exitCode).toBe(1);
    expect(output).toContain('Verdict: FAILURE');
    expect(output).toContain('Verdict: SUCCESS');
    expect((await run('busted-pending-early', '--sim', '--ops', '1000')).exitCode).toBe(1);
  });

  test('says how it is used', async () => {
    const help = await run('--help');
    expect(help.exitCode).toBe(0);
    expect(help.output).toContain('busted-no-flip');
    for (const args of [['nobody'], ['--readers', '0'], ['--ops', '-1'], ['--ops', '1e3'], ['--what']]) {
      const { exitCode, output } = await run(...args);
      expect(exitCode).toBe(2);
      expect(output).toContain(help.output);
    }
  });

  test('takes a seed of its own when it is given none, and says which', async () => {
    expect((await run('reference-rcu', '--ops', '1000')).output).toMatch(/seed \d+/);
  });
});
