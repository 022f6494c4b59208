import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesBelow, read, ROOT } from './workspace.js';

interface Block {
  /** Where it stands: `README.md:12`. */
  readonly name: string;
  readonly file: string;
  readonly source: string;
}

const DOCUMENTS = [
  'README.md',
  ...['docs', 'packages', 'examples', 'bench'].flatMap((folder) => filesBelow(folder, '.md')),
];
/** Inside of `docs`, whose dependencies are all packages. */
const FOLDER = join(ROOT, 'docs/dist/blocks');

function blocksOf(document: string): Block[] {
  const text = read(document);
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    const file = `${document.replaceAll(/[^\w]+/g, '-')}-${line}`;
    return { name: `${document}:${line}`, file, source: match[1] as string };
  });
}

/** Links to files of this repository that do not exist. */
function deadLinksOf(document: string, text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !existsSync(join(ROOT, normalize(join(dirname(document), target)))));
}

describe('documents', () => {
  const blocks = DOCUMENTS.flatMap(blocksOf);

  beforeAll(() => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    for (const { file, source } of blocks) {
      writeFileSync(join(FOLDER, `${file}.ts`), `${source}\nexport {};\n`);
    }
    writeFileSync(
      join(FOLDER, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../../tsconfig.json',
        compilerOptions: {
          composite: false,
          declaration: false,
          isolatedDeclarations: false,
          noUnusedLocals: false,
          experimentalDecorators: true,
          rootDir: '.',
          outDir: './out',
        },
        include: ['*.ts'],
      }),
    );
    execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', FOLDER], { stdio: 'inherit' });
  }, 120_000);

  it('have code blocks', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each(blocks.map((block) => [block.name, block] as const))('%s runs', async (_, { file }) => {
    await promisify(execFile)(process.execPath, ['--expose-gc', join(FOLDER, 'out', `${file}.js`)], {
      timeout: 30_000,
    });
  });

  it.each(DOCUMENTS)('%s has no dead link', (document) => {
    expect(deadLinksOf(document, read(document))).toEqual([]);
  });

  it('a dead link would be seen', () => {
    expect(deadLinksOf('docs/x.md', 'see [this](nowhere.md) and [that](../README.md)')).toEqual(['nowhere.md']);
  });
});
