import nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCachedFs, type NodeFs } from '@cache/fs';
import { rootedFs } from '../support/rooted-fs.js';

// Modes are used as they are asked for.
process.umask(0);
const root = nodeFs.realpathSync(nodeFs.mkdtempSync(join(tmpdir(), 'zenfs-')));
process.on('exit', () => {
  makeRemovable(root);
  nodeFs.rmSync(root, { recursive: true, force: true });
});
nodeFs.cpSync(process.env.ZENFS_DATA ?? '', root, { recursive: true });

const SUBJECTS: Readonly<Record<string, () => NodeFs>> = {
  plain: () => rootedFs(nodeFs, root),
  cached: () => rootedFs(createCachedFs(), root),
  over: () => createCachedFs({ fs: rootedFs(nodeFs, root) }),
  tiny: () => rootedFs(createCachedFs({ maxBytes: 2000, maxNames: 8 }), root),
};

/** What the tests are made on. */
export const fs: NodeFs = withDisposableWatchers((SUBJECTS[process.env.ZENFS_SUBJECT ?? ''] as () => NodeFs)());

/** What node:fs does not have, or not for everybody. */
export const flags: Readonly<Record<string, boolean>> = {
  lchmod: false,
  xattr: false,
  'promises.exists': false,
  root: process.getuid?.() === 0,
};

/** As newer versions of node have them, which the tests take for granted. */
function withDisposableWatchers(subject: NodeFs): NodeFs {
  const { watch } = subject as unknown as { watch: (...args: unknown[]) => nodeFs.FSWatcher };
  return Object.assign(subject, {
    watch: (...args: unknown[]) => {
      const watcher = watch(...args);
      return Object.assign(watcher, { [Symbol.dispose]: () => watcher.close() });
    },
  });
}

function makeRemovable(path: string): void {
  if (nodeFs.lstatSync(path).isDirectory()) {
    nodeFs.chmodSync(path, 0o755);
    for (const entry of nodeFs.readdirSync(path)) {
      makeRemovable(join(path, entry));
    }
  }
}
