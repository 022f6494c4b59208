import { constants, statfsSync } from 'node:fs';
import { access, mkdir, open, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { StoreError } from '../store-error.js';

/** Both files of a new database, and some. */
const ROOM_BYTES = 2 ** 16;
const MAGIC = 0xbeefc0de;
const FORMAT = 2;
/** Where the fields of a root are in each of the first two pages. */
const AT = { magic: 24, format: 28, pageBytes: 48, freeRoot: 88, mainRoot: 136, transaction: 152 } as const;
const ROOT_BYTES = 160;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/**
 * Makes the directory, and looks whether lmdb can open what is there: its native code ends the process when it finds
 * out by itself. Of a database that is there, the two roots are read; what is missing deeper down is not seen.
 *
 * @throws {StoreError} ERR_STORE_FULL, ERR_STORE_FAILED
 */
export async function checkLmdbFiles(path: string): Promise<void> {
  const isFile = extname(path) !== '';
  const directory = isFile ? dirname(path) : path;
  await mkdir(directory, { recursive: true });
  if (roomIn(directory) < ROOM_BYTES) {
    throw new StoreError(
      'ERR_STORE_FULL',
      `Cannot open an lmdb store: no room for its files in ${directory}; make room`,
    );
  }
  await access(directory, constants.W_OK | constants.X_OK);
  await checkFile(isFile ? `${path}-lock` : join(path, 'lock.mdb'));
  const data = isFile ? path : join(path, 'data.mdb');
  const bytes = await checkFile(data);
  if (bytes > 0) {
    await checkRoots(data, bytes);
  }
}

/** Bytes that are free where `path` is; Infinity where the file system does not tell. Some 2 µs. */
export function roomIn(path: string): number {
  const { blocks, bavail, bsize } = statfsSync(path);
  return blocks === 0 ? Infinity : bavail * bsize;
}

/** @returns its size; 0 where there is none */
async function checkFile(file: string): Promise<number> {
  const stats = await stat(file).catch(() => null);
  if (stats === null) {
    return 0;
  }
  if (!stats.isFile()) {
    throw refusal(`${file} is no file`);
  }
  await access(file, constants.R_OK | constants.W_OK);
  return stats.size;
}

async function checkRoots(file: string, fileBytes: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const read = async (position: number): Promise<DataView> => {
      const view = new DataView(new ArrayBuffer(ROOT_BYTES));
      const { bytesRead } = await handle.read(view, 0, ROOT_BYTES, position);
      if (bytesRead < ROOT_BYTES || view.getUint32(AT.magic, true) !== MAGIC) {
        throw refusal(`${file} is no lmdb database, or was cut short`);
      }
      const format = view.getUint32(AT.format, true);
      if (format !== FORMAT) {
        throw refusal(`${file} has format ${format}, not ${FORMAT}`);
      }
      return view;
    };
    const first = await read(0);
    const pageBytes = first.getUint32(AT.pageBytes, true);
    const second = await read(pageBytes);
    const isSecond = second.getBigUint64(AT.transaction, true) > first.getBigUint64(AT.transaction, true);
    const root = isSecond ? second : first;
    for (const at of [AT.freeRoot, AT.mainRoot]) {
      const page = root.getBigUint64(at, true);
      if (page !== NO_PAGE && (page + 1n) * BigInt(pageBytes) > BigInt(fileBytes)) {
        throw refusal(`${file} was cut short: its root is page ${page}, and it has ${fileBytes} bytes`);
      }
    }
  } finally {
    await handle.close();
  }
}

function refusal(state: string): StoreError {
  return new StoreError('ERR_STORE_FAILED', `Cannot open an lmdb store: ${state}; choose another path, or restore it`);
}
