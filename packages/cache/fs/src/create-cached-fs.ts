import nodeFs from 'node:fs';
import { systemClock } from '@core/base';
import { type ServiceSource, TOKENS } from '@core/framework';
import type { CachedFs, CachedFsStats, Paths, PurgeOptions } from './cached-fs.js';
import { attributeCalls } from './internal/attribute-calls.js';
import { Backing, type Call, namesOf, shapedAs } from './internal/backing.js';
import type { Forms } from './internal/cached-call.js';
import { changingCalls } from './internal/changing-calls.js';
import { readFileForms, readJsonForms } from './internal/content-calls.js';
import { contentsByDescriptor } from './internal/descriptor-contents.js';
import { type Context, eachPath } from './internal/context.js';
import type { CachedView } from './internal/cached-view.js';
import { Misses } from './internal/misses.js';
import { makeView } from './internal/make-view.js';
import { NO_VIEW } from './internal/no-view.js';
import { nameCalls } from './internal/name-calls.js';
import { openCalls } from './internal/open-calls.js';
import { OpenFiles } from './internal/open-files.js';
import { readCalls } from './internal/read-calls.js';
import { StatsMaker } from './internal/stats-of.js';
import { streamCalls, streamClasses } from './internal/streams.js';
import { TurnAnswers } from './internal/turn-answers.js';
import { keepView } from './internal/views.js';
import { watchCalls } from './internal/watch-calls.js';
import { WorkingDirectory } from './internal/working-directory.js';
import { type CachedFsOptions, checkOptions } from './options.js';

/**
 * A drop-in for node:fs that remembers names, attributes and contents.
 *
 * @throws {TypeError} an option is nothing of its kind, or has a name that is none
 */
export function createCachedFs(given: CachedFsOptions = {}): CachedFs {
  checkOptions(given);
  const options = given.host === undefined ? given : { ...servicesOf(given.host), ...given };
  const backing = new Backing(options.fs ?? nodeFs);
  const view = makeView(backing, options);
  const context: Context = {
    backing,
    view: view ?? NO_VIEW,
    answers: new TurnAnswers(),
    stats: new StatsMaker(backing.fs.Stats),
    misses: new Misses(options.clock ?? systemClock),
    workingDirectory: new WorkingDirectory(backing),
    caching: view !== null,
  };
  const ours = {};
  const { calls, promises } = overridesOf(context);
  const own = { ...calls, ...streamCalls(context, ours), ...ownCalls(context, calls.close, lifeOf(view, options)) };
  fill(ours, backing.fs, own, streamClasses(context, ours));
  if (backing.promises !== undefined) {
    const filled = {};
    fill(filled, backing.promises, promises, {});
    Object.defineProperty(ours, 'promises', { value: filled, enumerable: true, configurable: true, writable: true });
  }
  if (view !== null) {
    keepView(ours, view);
  }
  return ours as CachedFs;
}

function servicesOf({ get }: ServiceSource): CachedFsOptions {
  return {
    shrinkers: get(TOKENS.ShrinkerRegistry),
    group: get(TOKENS.MemoryGroup),
    rcu: get(TOKENS.Rcu),
    clock: get(TOKENS.Clock),
  };
}

function overridesOf(context: Context): Forms {
  const files = new OpenFiles(context.view.blocks);
  const all: Forms = { calls: {}, promises: {} };
  for (const forms of [
    ...attributeCalls(context),
    ...nameCalls(context),
    contentsByDescriptor(context, files, readFileForms(context)),
    ...changingCalls(context, files),
    ...openCalls(context, files),
    readCalls(context, files),
    watchCalls(context),
  ]) {
    Object.assign(all.calls, forms.calls);
    Object.assign(all.promises, forms.promises);
  }
  return all;
}

interface Life {
  stats(): CachedFsStats;
  end(): Promise<void>;
}

/** Puts the view where memory pressure reaches it, and knows how it ends. */
function lifeOf(view: CachedView | null, { shrinkers }: CachedFsOptions): Life {
  const shrinker = view === null ? undefined : shrinkers?.alloc(view.superBlock.asShrinker());
  if (shrinker !== undefined) {
    shrinkers?.register(shrinker);
    view?.superBlock.attach(shrinker);
  }
  let ending: Promise<void> | null = null;
  const finish = async (): Promise<void> => {
    await shrinkers?.free(shrinker);
    await view?.[Symbol.asyncDispose]();
  };
  return {
    stats: () => ({
      closed: ending !== null,
      names: view?.dentries.stats() ?? null,
      files: view?.inodes.stats() ?? null,
      blocks: view?.blocks?.stats() ?? null,
    }),
    end: () => (ending ??= finish()),
  };
}

/** What node:fs does not have. */
function ownCalls(context: Context, closeFile: Call | undefined, life: Life): object {
  const invalidate = (paths?: Paths): void => {
    context.misses.clear();
    if (paths === undefined) {
      context.view.invalidate();
    } else {
      eachPath(context, paths, (path) => context.view.invalidate(path));
    }
  };
  const close = (): Promise<void> => {
    context.caching = false;
    return life.end();
  };
  return {
    invalidate,
    purge: (paths?: Paths, options?: PurgeOptions): void => {
      if (paths === undefined || options?.exact !== true) {
        invalidate(paths);
      } else {
        eachPath(context, paths, (path) => context.view.invalidateExact(path));
      }
    },
    ...readJsonForms(context),
    stats: (): CachedFsStats => life.stats(),
    close: shapedAs(closeFile, (...args) => (args.length === 0 ? close() : closeFile?.(...args))),
    [Symbol.asyncDispose]: close,
  };
}

/** Gives `target` everything that `theirs` has, and `own` in place of or besides it. */
function fill(target: object, theirs: object, own: object, getters: Readonly<Record<string, () => unknown>>): void {
  const fs = theirs as Record<string, unknown>;
  for (const name of namesOf(theirs)) {
    if (name in getters || name === 'promises') {
      continue;
    }
    const descriptor = descriptorOf(theirs, name);
    const enumerable = true;
    if (Object.hasOwn(own, name) || descriptor === undefined) {
      continue;
    }
    if (descriptor.get !== undefined) {
      // Some of node's load, or warn, when they are looked at.
      Object.defineProperty(target, name, { get: () => fs[name], enumerable, configurable: true });
    } else if (typeof descriptor.value === 'function' && /^[a-z_]/.test(name)) {
      const call: Call = (...args) => Reflect.apply(fs[name] as Call, fs, args);
      Object.defineProperty(target, name, {
        value: shapedAs(fs[name], call),
        enumerable,
        configurable: true,
        writable: true,
      });
    } else {
      Object.defineProperty(target, name, {
        value: descriptor.value as unknown,
        enumerable,
        configurable: true,
        writable: true,
      });
    }
  }
  for (const [name, get] of Object.entries(getters)) {
    Object.defineProperty(target, name, { get, enumerable: true, configurable: true });
  }
  Object.assign(target, own);
}

/** Of the property, wherever in the chain it is. */
function descriptorOf(fs: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = fs; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) {
      return descriptor;
    }
  }
  return undefined;
}
