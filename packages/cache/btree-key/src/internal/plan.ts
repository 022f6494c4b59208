import type { KeyOperation, TreeName } from '../options.js';
import type { KeySpace } from './key-space.js';
import type { SizeLimits } from './size-limits.js';
import type { PlannedKey } from './writer.js';

/**
 * The keys of a batch, each once, in the order in which everybody locks them: so two batches never wait for each other.
 *
 * @throws {TypeError | RangeError | BtreeKeyError} an operation is none
 */
export function planOf(
  operations: readonly KeyOperation[],
  spaceOf: (tree: TreeName | undefined) => KeySpace,
  limits: SizeLimits,
): PlannedKey[] {
  if (!Array.isArray(operations)) {
    throw new TypeError('Cannot batch: pass an array of operations');
  }
  const plan = new Map<string, PlannedKey>();
  for (const operation of operations as readonly KeyOperation[]) {
    const space = spaceOf(operation.tree);
    const key = space.canonical(operation.key);
    const storeKey = space.prefix + key;
    let planned = plan.get(storeKey);
    if (planned === undefined) {
      planned = { space, key, steps: [] };
      plan.set(storeKey, planned);
    }
    planned.steps.push(stepOf(operation, limits));
  }
  return Array.from(plan.keys())
    .sort()
    .map((storeKey) => plan.get(storeKey) as PlannedKey);
}

function stepOf(operation: KeyOperation, limits: SizeLimits): PlannedKey['steps'][number] {
  switch (operation.type) {
    case 'put':
      if (operation.value === undefined) {
        throw new TypeError('Cannot put undefined: use del, or pass a Uint8Array');
      }
      limits.checkValue(operation.value);
      // The caller may use the bytes again before it is their turn.
      return new Uint8Array(operation.value);
    case 'del':
      return undefined;
    case 'update':
      if (typeof operation.update !== 'function') {
        throw new TypeError('Cannot update in a batch: update must be a function');
      }
      return operation.update;
    default:
      throw new TypeError(`Cannot batch an operation of type "${String((operation as { type?: unknown }).type)}"`);
  }
}
