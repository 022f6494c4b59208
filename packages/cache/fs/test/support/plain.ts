import nodeFs from 'node:fs';

const KINDS = [
  'isFile',
  'isDirectory',
  'isSymbolicLink',
  'isFIFO',
  'isSocket',
  'isBlockDevice',
  'isCharacterDevice',
] as const;

type Kinds = Record<(typeof KINDS)[number], () => boolean>;

/** The time of the last read, which reading changes. */
const READ_TIMES = new Set(['atime', 'atimeMs', 'atimeNs']);

/**
 * What a result or an error is made of, as plain data: two are equal exactly when a caller could not tell them apart.
 *
 * @param root is written as `ROOT`, so that results of twin directories can be compared
 */
export function plainOf(value: unknown, root = ''): unknown {
  if (typeof value === 'string') {
    return root === '' ? value : value.replaceAll(root, 'ROOT');
  }
  if (typeof value === 'bigint') {
    return `${value}n`;
  }
  if (value instanceof Uint8Array) {
    return { buffer: Buffer.isBuffer(value), hex: Buffer.from(value).toString('hex').replaceAll(hexOf(root), '') };
  }
  if (Array.isArray(value)) {
    return value.map((item) => plainOf(item, root));
  }
  if (value instanceof Error) {
    return { error: value.constructor.name, message: plainOf(value.message, root), fields: fieldsOf(value, root) };
  }
  if (value instanceof nodeFs.Dirent) {
    return { dirent: fieldsOf(value, root), kinds: kindsOf(value) };
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (typeof value === 'object' && value !== null && 'mtimeMs' in value) {
    return {
      stats: value instanceof nodeFs.Stats,
      class: value.constructor.name,
      fields: fieldsOf(value, root),
      kinds: kindsOf(value as unknown as Kinds),
    };
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return { fields: fieldsOf(value, root) };
  }
  return value;
}

function hexOf(root: string): string {
  return root === '' ? '-' : Buffer.from(root).toString('hex');
}

/** Own properties, in their order. */
function fieldsOf(value: object, root: string): unknown {
  return Object.entries(value)
    .filter(([name]) => !READ_TIMES.has(name))
    .map(([name, field]) => [name, plainOf(field, root)]);
}

function kindsOf(value: Kinds): unknown {
  return KINDS.filter((kind) => value[kind]());
}
