/** A change of a file's content that is not on the disk. */
export type DataChange = { readonly at: number; readonly bytes: Buffer } | { readonly truncate: number };

/** A change of a name that is not on the disk. */
export type NameChange =
  | { readonly link: string; readonly node: SimNode }
  | { readonly unlink: string }
  | { readonly rename: string; readonly to: string };

/** A file without its name: what is on the disk, what changes wait, and what reads see. */
export class SimNode {
  /** Replaced, never changed: captures share it. */
  durable: Buffer;
  /** Oldest first. */
  changes: DataChange[] = [];
  private seen: Buffer;

  constructor(durable: Buffer = Buffer.alloc(0)) {
    this.durable = durable;
    this.seen = durable;
  }

  read(): Buffer {
    return this.seen;
  }

  change(change: DataChange): void {
    this.changes.push(change);
    this.seen = applied(this.seen, change);
  }

  /** The first `count` changes are on the disk. */
  sync(count: number): void {
    for (const change of this.changes.slice(0, count)) {
      this.durable = applied(this.durable, change);
    }
    this.changes = this.changes.slice(count);
  }

  /** This change is on the disk, whatever becomes of those before it; nothing if it was forgotten. */
  syncOne(change: DataChange): void {
    if (this.changes.includes(change)) {
      this.durable = applied(this.durable, change);
      this.changes = this.changes.filter((other) => other !== change);
    }
  }

  /** The changes can still be read, and will never be on the disk. */
  forget(): void {
    this.changes = [];
  }
}

function applied(bytes: Buffer, change: DataChange): Buffer {
  if ('truncate' in change) {
    const cut = Buffer.alloc(change.truncate);
    bytes.copy(cut);
    return cut;
  }
  const changed = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length));
  bytes.copy(changed);
  change.bytes.copy(changed, change.at);
  return changed;
}

/** As the system's. */
export function systemError(code: string, path: string, call = 'open'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code, path, syscall: call });
}
