import { types } from 'node:util';
import type { Zone } from '@core/shrinker';

/** The memory that most of a value is in: that of a buffer, or of what a view is on. Calls nothing of the user's. */
export function zoneOf(value: unknown): Zone {
  if (types.isSharedArrayBuffer(value)) {
    return 'shared';
  }
  if (types.isArrayBuffer(value)) {
    return 'external';
  }
  if (ArrayBuffer.isView(value)) {
    return types.isSharedArrayBuffer(bufferOf(value)) ? 'shared' : 'external';
  }
  return 'heap';
}

const bufferOfTypedArray = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, 'buffer');
const bufferOfDataView = getterOf(DataView.prototype, 'buffer');

function bufferOf(view: ArrayBufferView): unknown {
  return types.isDataView(view) ? bufferOfDataView(view) : bufferOfTypedArray(view);
}

/** The getter itself: an object may have a property of that name of its own. */
export function getterOf(prototype: object, name: string): (of: object) => unknown {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) as { get: () => unknown };
  return (of) => Reflect.apply(get, of, []);
}
