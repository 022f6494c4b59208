import type { NodeFs } from '@cache/fs';
import { plainOf } from './plain.js';

export type Form = 'sync' | 'callback' | 'promise';
export const FORMS: readonly Form[] = ['sync', 'callback', 'promise'];

type Call = (...args: unknown[]) => unknown;
type Calls = Record<string, Call & { native?: Call }>;

/** How a call ended. `at`: whether its callback came within the call, which it never may. */
export type Outcome = { readonly value: unknown } | { readonly thrown: unknown } | { readonly told: unknown };

/** Whether the file system has such a call in this form. */
export function hasForm(fs: NodeFs, name: string, form: Form): boolean {
  return find(fs, name, form) !== undefined;
}

/**
 * Makes the call, and tells how it ended as plain data.
 *
 * @param seen is given what the call gave, once it is told
 */
export async function outcomeOf(
  fs: NodeFs,
  name: string,
  form: Form,
  args: readonly unknown[],
  root = '',
  seen: (value: unknown) => void = () => {},
): Promise<Outcome> {
  const call = find(fs, name, form) as Call;
  if (form !== 'callback') {
    try {
      const made = call(...args);
      const value = form === 'promise' ? await made : made;
      const outcome = { value: plainOf(value, root) };
      seen(value);
      return outcome;
    } catch (error) {
      return { thrown: plainOf(error, root) };
    }
  }
  return new Promise((resolve) => {
    let within = true;
    try {
      call(...args, (...values: unknown[]) => {
        resolve(within ? { told: 'within the call' } : { told: plainOf(values, root) });
        if (values.length > 1) {
          seen(values[1]);
        }
      });
    } catch (error) {
      resolve({ thrown: plainOf(error, root) });
    }
    within = false;
  });
}

function find(fs: NodeFs, name: string, form: Form): Call | undefined {
  const calls = fs as unknown as Calls;
  if (form === 'promise') {
    return (fs.promises as unknown as Calls)[name];
  }
  const [base = '', native] = name.split('.');
  const call = calls[form === 'sync' ? `${base}Sync` : base];
  return native === undefined ? call : call?.native;
}
