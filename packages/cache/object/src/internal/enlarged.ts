/** `larger`, with what was in `old`. */
export function enlarged<A extends Uint8Array | Int32Array | Float64Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
