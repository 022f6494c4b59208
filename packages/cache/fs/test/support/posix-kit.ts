import nodeFs from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type CachedFs, createCachedFs, type NodeFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { lookAround } from './look-around.js';
import { type Form, FORMS, hasForm, type Outcome, outcomeOf } from './outcome.js';
import { plainOf } from './plain.js';
import { scratch } from './scratch.js';

/** A call; arguments that begin with `./` are paths below the tree's root. Or something that takes several calls. */
export type Step =
  | readonly [name: string, ...args: readonly unknown[]]
  | ((fs: NodeFs, at: (name: string) => string) => unknown);

/** More than anything is believed for. */
const AGE_MS = 120_000;

interface Mode {
  /** Whether somebody else makes the changes, by node:fs. */
  readonly isForeign: boolean;
  readonly make: () => { readonly cached: CachedFs; readonly tell: (paths: readonly string[]) => void };
}

const MODES: Readonly<Record<string, Mode>> = {
  'made through the façade': {
    isForeign: false,
    make: () => ({ cached: createCachedFs(), tell: () => {} }),
  },
  'made by others, who tell of it': {
    isForeign: true,
    make: () => {
      const cached = createCachedFs();
      return { cached, tell: (paths) => cached.invalidate(paths) };
    },
  },
  'made by others, long ago': {
    isForeign: true,
    make: () => {
      const clock = {
        ms: 1000,
        now(): number {
          return this.ms;
        },
      };
      return {
        cached: createCachedFs({ clock }),
        tell: () => {
          clock.ms += AGE_MS;
        },
      };
    },
  },
  'made by others, where nothing is believed': {
    isForeign: true,
    make: () => ({ cached: createCachedFs({ revalidate: 'always' }), tell: () => {} }),
  },
};

/** Others tell of all changes but one. */
export function deafTo(missed: number): Mode {
  return {
    isForeign: true,
    make: () => {
      const cached = createCachedFs();
      let step = 0;
      return {
        cached,
        tell: (paths) => {
          if (step++ !== missed) {
            cached.invalidate(paths);
          }
        },
      };
    },
  };
}

/**
 * Makes the steps one after the other, on twin trees: what they answer is equal, and after each of them the façade tells
 * of everything what node:fs tells of the same tree, to the last nanosecond.
 */
export function posix(title: string, steps: readonly Step[]): void {
  describe(title, () => {
    for (const [name, mode] of Object.entries(MODES)) {
      it(name, () => run(mode, steps));
    }
  });
}

export async function run(mode: Mode, steps: readonly Step[]): Promise<void> {
  using theirs = scratch();
  using ours = scratch();
  const { cached, tell } = mode.make();
  const subject = mode.isForeign ? nodeFs : cached;
  expect(await differences(cached, ours.path)).toEqual([]);
  for (const [index, step] of steps.entries()) {
    const form = FORMS[index % FORMS.length] as Form;
    const label = typeof step === 'function' ? `step ${index}` : `${form} ${JSON.stringify(step)}`;
    const paths: string[] = [];
    const expected = await make(nodeFs, theirs.path, step, form, []);
    const actual = await make(subject, ours.path, step, form, paths);
    expect(actual, label).toEqual(expected);
    tell(paths);
    // A clock is looked at once in a turn.
    await new Promise((resolve) => void setImmediate(resolve));
    expect(await differences(cached, ours.path), `after ${label}`).toEqual([]);
  }
  await cached.close();
}

async function make(fs: NodeFs, root: string, step: Step, form: Form, paths: string[]): Promise<unknown> {
  const at = (name: string): string => {
    const path = join(root, '/') + name;
    paths.push(path);
    return path;
  };
  if (typeof step === 'function') {
    try {
      return plainOf(step(fs, at), root);
    } catch (error) {
      return plainOf(error, root);
    }
  }
  const [name, ...rest] = step;
  const args = rest.map((arg) => (typeof arg === 'string' && arg.startsWith('./') ? at(arg.slice(2)) : arg));
  return outcomeOf(fs, name, hasForm(nodeFs, name, form) ? form : 'sync', args, root);
}

/** All that is answered otherwise than by node:fs. */
async function differences(
  cached: NodeFs,
  root: string,
): Promise<{ readonly what: string; readonly ours: Outcome; readonly theirs: Outcome }[]> {
  const found = [];
  for (const [index, [name, args]] of lookAround(root).entries()) {
    const form = FORMS[index % FORMS.length] as Form;
    const theirs = await outcomeOf(nodeFs, name, form, args);
    const ours = await outcomeOf(cached, name, form, args);
    if (!isDeepStrictEqual(ours, theirs)) {
      found.push({ what: `${form} ${name} ${JSON.stringify(args)}`, ours, theirs });
    }
  }
  return found;
}
