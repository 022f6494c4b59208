/** Bytes of all buffers. */
export function bytesOf(buffers: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const buffer of buffers) {
    bytes += buffer.byteLength;
  }
  return bytes;
}

/** The first `bytes` of the buffers, as views of them. */
export function firstBytes(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const views: Uint8Array[] = [];
  let left = bytes;
  for (const buffer of buffers) {
    if (left <= 0) {
      break;
    }
    views.push(buffer.byteLength <= left ? buffer : buffer.subarray(0, left));
    left -= buffer.byteLength;
  }
  return views;
}

/** Moves buffers one by one, for a file system that has no vectors: ends at the first that moves short. */
export function eachSync(
  buffers: readonly Uint8Array[],
  position: number,
  move: (buffer: Uint8Array, position: number) => number,
): number {
  let moved = 0;
  for (const buffer of buffers) {
    const bytes = move(buffer, position + moved);
    moved += bytes;
    if (bytes < buffer.byteLength) {
      break;
    }
  }
  return moved;
}

/** As {@link eachSync}, one after the other. */
export async function each(
  buffers: readonly Uint8Array[],
  position: number,
  move: (buffer: Uint8Array, position: number) => Promise<number>,
): Promise<number> {
  let moved = 0;
  for (const buffer of buffers) {
    const bytes = await move(buffer, position + moved);
    moved += bytes;
    if (bytes < buffer.byteLength) {
      break;
    }
  }
  return moved;
}
