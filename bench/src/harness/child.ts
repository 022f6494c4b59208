import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs a script of ours in a process of its own, with an order as its argument.
 *
 * @returns what it printed at its end, or null when it did not live to see it
 */
export async function inChild<Order, Outcome>(
  script: string,
  order: Order,
  flags: readonly string[],
): Promise<Outcome | null> {
  try {
    const { stdout } = await run(process.execPath, [...flags, script, JSON.stringify(order)], { maxBuffer: 2 ** 24 });
    return JSON.parse(stdout) as Outcome;
  } catch {
    return null;
  }
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
