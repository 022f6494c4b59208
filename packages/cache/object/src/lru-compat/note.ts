/** Writes to a status, if one was given. */
export function note<S extends object, N extends keyof S>(status: S | undefined, name: N, value: S[N]): void {
  if (status) {
    status[name] = value;
  }
}
