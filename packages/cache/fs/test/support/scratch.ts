import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch extends Disposable {
  readonly path: string;
}

/** A new directory, removed with everything in it at the end of the block. */
export function scratch(): Scratch {
  const path = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'cached-fs-')));
  return {
    path,
    [Symbol.dispose]: () => fs.rmSync(path, { recursive: true, force: true }),
  };
}

/** One of everything that a path can lead to. */
export function plant(root: string): void {
  const at = (name: string): string => join(root, name);
  fs.writeFileSync(at('file.txt'), 'content of a file, with ü and €\n');
  fs.writeFileSync(at('empty'), '');
  fs.writeFileSync(at('bytes.bin'), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  fs.writeFileSync(at('long.txt'), 'x'.repeat(20_000));
  fs.mkdirSync(at('dir/below/deep'), { recursive: true });
  fs.mkdirSync(at('hollow'));
  fs.writeFileSync(at('dir/one'), '1');
  fs.writeFileSync(at('dir/below/deep/two'), '2');
  fs.writeFileSync(at('dir/grüße €'), 'name');
  fs.linkSync(at('file.txt'), at('hard.txt'));
  fs.symlinkSync('file.txt', at('to-file'));
  fs.symlinkSync('dir', at('to-dir'));
  fs.symlinkSync(at('dir/below'), at('to-below'));
  fs.symlinkSync('to-dir/below', at('dir/through'));
  fs.symlinkSync('nowhere', at('dangling'));
  fs.symlinkSync('loop-b', at('loop-a'));
  fs.symlinkSync('loop-a', at('loop-b'));
  fs.symlinkSync('itself', at('itself'));
  // As many links as may be followed, and one more.
  for (let link = 0; link < 41; link++) {
    fs.symlinkSync(link === 0 ? 'file.txt' : `chain-${link - 1}`, at(`chain-${link}`));
  }
  // Long ago, so that nothing is too young to be cached.
  const old = new Date(Date.now() - 3_600_000);
  for (const name of ['file.txt', 'empty', 'bytes.bin', 'long.txt', 'dir/one']) {
    fs.utimesSync(at(name), old, old);
  }
}
