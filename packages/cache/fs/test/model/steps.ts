import nodeFs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Form, FORMS, hasForm, type Outcome, outcomeOf } from '../support/outcome.js';
import type { Descriptors } from './descriptors.js';
import { ATOMIC, type Op, questionAbout, someChange, someQuestion } from './random-op.js';
import {
  difference,
  type Fault,
  hasLinks,
  inRoot,
  isOutcome,
  note,
  question,
  type Rig,
  someForm,
  struck,
} from './rig.js';

/** Questions that one look at the file system answers. */
const AT_ONCE: ReadonlySet<string> = new Set(['stat', 'lstat', 'readlink', 'access', 'exists']);

/**
 * Makes random calls, until one does not do what it does on node:fs, or the books do not balance: then it tells what
 * went wrong.
 */
export async function runRandom(rig: Rig, descriptors: Descriptors, steps: number): Promise<Fault> {
  const { rng, ours } = rig;
  for (let step = 0; step < steps; step++) {
    const kind = rng.next();
    const fault =
      kind < 0.35
        ? await change(rig)
        : kind < 0.4
          ? await behindItsBack(rig)
          : kind < 0.46
            ? await allAtOnce(rig)
            : kind < 0.6
              ? await descriptors.step(rig)
              : await question(rig, someQuestion(rng, rig.paths, rng.next() < 0.1 ? '.' : ours));
    if (rng.next() < 0.03) {
      rig.shrink();
    }
    try {
      rig.check();
    } catch (error) {
      return `step ${step}: ${fault ?? ''} ${String(error)}`;
    }
    if (fault !== null) {
      return `step ${step}: ${fault}, after\n${rig.history.join('\n')}`;
    }
  }
  return null;
}

/** The same change on both trees, unless it fails before it was made on ours. */
async function change(rig: Rig): Promise<Fault> {
  const { rng, theirs, ours, subject, below } = rig;
  const op = someChange(rng, rig.paths);
  const [name, args] = op(ours);
  const form = someForm(rng, name);
  const rate = rng.next() < 0.5 ? rig.faultRate : 0;
  note(rig, form, [name, args]);
  const actual = await struck(below, rate, () => outcomeOf(subject, name, form, args, ours));
  const strike = below.strikes.find((one) => isOutcome(inRoot(one, ours), name, actual));
  if (strike !== undefined && !strike.after) {
    return null;
  }
  const expected = await outcomeOf(nodeFs, name, form, op(theirs)[1], theirs);
  if (strike === undefined && !isDeepStrictEqual(actual, expected)) {
    return difference(`${form} ${name}`, args, actual, expected);
  }
  return rng.next() < 0.5 ? question(rig, questionAbout(rng, rng.pick(pathsOf(args, ours)))) : null;
}

/** Somebody else changes a file. The façade is told which, but not what; or it has to see by itself, in time. */
async function behindItsBack(rig: Rig): Promise<Fault> {
  const { rng, theirs, ours, cached } = rig;
  const op = someChange(rng, rig.paths);
  const before = hasLinks(Buffer.from(ours));
  note(rig, 'foreign', op(ours));
  await outcomeOf(nodeFs, op(theirs)[0], 'sync', op(theirs)[1], theirs);
  const [name, args] = op(ours);
  await outcomeOf(nodeFs, name, 'sync', args, ours);
  if (rng.next() < 0.3) {
    rig.age();
    // The clock is looked at once in a turn.
    await new Promise((resolve) => void setImmediate(resolve));
  } else if (before || hasLinks(Buffer.from(ours))) {
    // Other names of the same file are not to be told by this one.
    cached.invalidate();
  } else {
    cached.invalidate(pathsOf(args, ours));
  }
  return null;
}

/** Those arguments that are paths. */
function pathsOf(args: readonly unknown[], root: string): string[] {
  const isPath = (arg: unknown): boolean =>
    arg instanceof Uint8Array || arg instanceof URL || (typeof arg === 'string' && arg.startsWith(root));
  return args.filter(isPath) as string[];
}

/**
 * Questions and a change under way at once: what is answered meanwhile is of before or after, and what is answered later
 * is of after.
 */
async function allAtOnce(rig: Rig): Promise<Fault> {
  const { rng, ours, subject, below } = rig;
  const asked = Array.from({ length: 6 }, () => someQuestion(rng, rig.paths, ours));
  const forms: Form[] = asked.map(([name]) => {
    const form = rng.pick(['callback', 'promise'] as const);
    return hasForm(nodeFs, name, form) ? form : 'callback';
  });
  const expectations = (): Promise<Outcome[]> =>
    Promise.all(asked.map(([name, args], index) => outcomeOf(nodeFs, name, forms[index] as Form, args)));
  const ask = ([name, args]: Op, index: number): Promise<Outcome> =>
    outcomeOf(subject, name, forms[index] as Form, args);

  const changing = someChange(rng, rig.paths);
  const [name] = changing(ours);
  const before = ATOMIC.has(name) ? await expectations() : null;
  below.reset();
  const first = asked.slice(0, 3).map(ask);
  const changed = changeBoth(rig, changing);
  const later = asked.slice(3).map((op, index) => ask(op, index + 3));
  const fault = await changed;
  const answers = await Promise.all([...first, ...later]);
  if (fault !== null) {
    return fault;
  }
  const after = await expectations();
  for (const [index, [what, args]] of asked.entries()) {
    const [answer, early, late] = [answers[index], before?.[index], after[index]].map(gistOf);
    const isEither = isDeepStrictEqual(answer, early) || isDeepStrictEqual(answer, late);
    if (before !== null && AT_ONCE.has(what) && !isEither) {
      return difference(`during ${name}: ${forms[index]} ${what}`, args, answer, [early, late]);
    }
  }
  for (const op of asked) {
    const wrong = await question(rig, op);
    if (wrong !== null) {
      return `after ${name} ${JSON.stringify(changing(ours)[1])}: ${wrong}`;
    }
  }
  return null;
}

/** Which file it is, or what else was answered: times and counts of links are not changed all at once. */
function gistOf(outcome: Outcome | undefined): unknown {
  return /"ino",[^\]]*/.exec(JSON.stringify(outcome ?? null))?.[0] ?? outcome;
}

async function changeBoth(rig: Rig, op: (root: string) => Op): Promise<Fault> {
  const { rng, theirs, ours, subject } = rig;
  const [name, args] = op(ours);
  const forms = FORMS.filter((form) => form !== 'sync' && hasForm(nodeFs, name, form));
  const form = forms.length === 0 ? 'sync' : rng.pick(forms);
  note(rig, `among others ${form}`, [name, args]);
  const actual = await outcomeOf(subject, name, form, args, ours);
  const expected = await outcomeOf(nodeFs, name, form, op(theirs)[1], theirs);
  return isDeepStrictEqual(actual, expected) ? null : difference(`${form} ${name}`, args, actual, expected);
}
