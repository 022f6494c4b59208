import type { Inode } from '../inode.js';
import { InodeError } from '../inode-error.js';

export function closedError(action: string, name: string): InodeError {
  return new InodeError('ERR_INODE_CLOSED', `Cannot ${action}: "${name}" is closed; create a new cache`);
}

export function staleError(action: string, inode: Inode): InodeError {
  return new InodeError(
    'ERR_INODE_STALE',
    `Cannot ${action} inode ${inode.ino}: it is not at ${inode.path} any more; look the path up again`,
  );
}
