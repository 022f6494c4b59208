/** Any function of a file system: what is passed and returned is the caller's business. */
export type Call = (...args: unknown[]) => unknown;
export type Callback = (error: unknown, ...values: unknown[]) => void;

/**
 * The file system below, of node:fs's shape.
 *
 * Its functions are looked up anew for each call, and called as methods: some file systems are classes, and some
 * programs replace functions of node:fs while they run.
 */
export class Backing {
  readonly fs: Readonly<Record<string, unknown>>;

  constructor(fs: object) {
    this.fs = fs as Record<string, unknown>;
  }

  has(name: string): boolean {
    return typeof this.fs[name] === 'function';
  }

  call(name: string, args: readonly unknown[]): unknown {
    return Reflect.apply(this.fs[name] as Call, this.fs, args);
  }

  /** By a function that takes a callback. What it throws at once rejects, too. */
  callLater<T>(name: string, args: readonly unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      this.call(name, [
        ...args,
        (error: unknown, value: T) => {
          if (error === null || error === undefined) {
            resolve(value);
          } else {
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
            reject(error);
          }
        },
      ]);
    });
  }

  get promises(): Readonly<Record<string, unknown>> | undefined {
    const { promises } = this.fs;
    return typeof promises === 'object' && promises !== null ? (promises as Record<string, unknown>) : undefined;
  }

  hasPromise(name: string): boolean {
    return typeof this.promises?.[name] === 'function';
  }

  callPromise(name: string, args: readonly unknown[]): Promise<unknown> {
    const { promises } = this;
    return Reflect.apply(promises?.[name] as Call, promises, args) as Promise<unknown>;
  }
}

/** Names of everything that `fs` has, its classes' included: own ones first. */
export function namesOf(fs: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = fs; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name !== 'constructor') {
        names.add(name);
      }
    }
  }
  return [...names];
}

/** Gives `ours` the name, the length and the marks (as for `util.promisify`) of the function that it stands for. */
export function shapedAs<F extends Call>(theirs: unknown, ours: F): F {
  if (typeof theirs !== 'function') {
    return ours;
  }
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(ours, key, { value: theirs[key], configurable: true });
  }
  for (const symbol of Object.getOwnPropertySymbols(theirs)) {
    if (!Object.hasOwn(ours, symbol)) {
      Object.defineProperty(ours, symbol, Object.getOwnPropertyDescriptor(theirs, symbol) as PropertyDescriptor);
    }
  }
  return ours;
}
