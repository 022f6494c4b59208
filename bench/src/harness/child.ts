import { type ExecFileException, execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** As a shell and Windows tell of a process that V8 aborted. */
const ABORTED = 134;

/**
 * Runs a script of ours in a process of its own, with an order as its argument.
 *
 * @param node the binary; default: this one
 * @returns what it printed at its end, or null when it was killed, or ran out of memory
 * @throws {Error} it failed in another way: that is a fault of the script, and no result
 */
export async function inChild<Order, Outcome>(
  script: string,
  order: Order,
  flags: readonly string[],
  node: string = process.execPath,
): Promise<Outcome | null> {
  let output: string;
  try {
    ({ stdout: output } = await run(node, [...flags, script, JSON.stringify(order)], {
      maxBuffer: 2 ** 24,
    }));
  } catch (error) {
    if (diedOfMemory(error as ExecFileException)) {
      return null;
    }
    throw new Error(`Cannot measure ${JSON.stringify(order)}: ${script} failed`, { cause: error });
  }
  return JSON.parse(output) as Outcome;
}

/** The same, where it is a fault not to survive. @throws {Error} it did not */
export async function fromChild<Order, Outcome>(
  script: string,
  order: Order,
  flags: readonly string[],
): Promise<Outcome> {
  const outcome = await inChild<Order, Outcome>(script, order, flags);
  if (outcome === null) {
    throw new Error(`Cannot measure ${JSON.stringify(order)}: the process of ${script} died`);
  }
  return outcome;
}

function diedOfMemory({ signal, code, stderr = '' }: ExecFileException): boolean {
  return typeof signal === 'string' || code === ABORTED || /out of memory|allocation failed/i.test(stderr);
}
