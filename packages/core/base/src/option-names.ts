/** A name that differs in more than this share of its letters is no misspelling. */
const MAX_MISSPELT = 0.5;

/**
 * Throws when `options` is no object of options, or has a name that is not `known`: a misspelt option would otherwise
 * do nothing, and nobody would hear of it.
 *
 * Looks at own names only, once for each constructor call: not for hot paths.
 *
 * @param options what the caller passed; `undefined` stands for no options at all
 * @param known every name there is, at least one
 * @param what is being created, for the message: `'a NodePool'`
 * @throws {TypeError} names the right name that is nearest, or all of them when none is near
 */
export function checkOptionNames(options: unknown, known: readonly string[], what: string): void {
  if (options === undefined) {
    return;
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Cannot create ${what} with ${describe(options)}: pass an object with ${list(known)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const kind = classOf(options);
      // Whoever passes an instance has not misspelt one of its fields.
      throw new TypeError(
        kind === null
          ? `Cannot create ${what}: it has no option "${name}"; ${advice(name, known)}`
          : `Cannot create ${what} with a ${kind}: pass an object with ${list(known)}`,
      );
    }
  }
}

function advice(name: string, known: readonly string[]): string {
  let nearest = '';
  let least = Infinity;
  for (const candidate of known) {
    const misspelt = distance(name.toLowerCase(), candidate.toLowerCase());
    if (misspelt < least) {
      least = misspelt;
      nearest = candidate;
    }
  }
  const near = least <= Math.max(name.length, nearest.length) * MAX_MISSPELT;
  return near ? `did you mean "${nearest}"?` : `use ${list(known)}`;
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = (above[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (above[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    above = current;
  }
  return above[to.length] as number;
}

function list(known: readonly string[]): string {
  return known.map((name) => `"${name}"`).join(', ');
}

/** The name of the class that `options` is an instance of; null for a plain object. */
function classOf(options: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(options);
  if (prototype === null || prototype === Object.prototype) {
    return null;
  }
  const { constructor } = options as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : null;
}

function describe(options: unknown): string {
  if (Array.isArray(options)) {
    return 'an array';
  }
  if (typeof options === 'function') {
    return 'a function';
  }
  return typeof options === 'string' ? `"${options}"` : String(options);
}
