import { describe, expect, it } from 'vitest';
import { consumerPackages, filesBelow, publishedPackages, read, type WorkspacePackage } from './workspace.js';

/** From the bottom up. A package may use its own layer's lower entries, and every layer below. */
const LAYERS: readonly (readonly string[])[] = [
  ['@core/base'],
  ['@core/genradix', '@core/rcu', '@core/shrinker'],
  ['@core/rcu-pending', '@core/list-lru', '@core/pressure', '@core/fs-source', '@core/journal', '@core/ordered-store'],
  ['@core/framework'],
  ['@cache/object', '@cache/dentry', '@cache/buf', '@cache/btree-key', '@testing/sim'],
  ['@cache/inode', '@testing/crash'],
  ['@cache/fs'],
];

/** What a package may have from outside of the repository. Everything else has nothing. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  '@cache/btree-key': ['abstract-level'],
  '@core/journal': ['fs-native-extensions'],
  '@core/ordered-store': ['lmdb'],
  '@core/framework': ['eventemitter3', 'inversify', '@inversifyjs/core', 'reflect-metadata'],
};

/** Cores that must know nothing of the container, of its decorators, and of plugins. */
const PLAIN = LAYERS.slice(0, 3).flat();

interface Import {
  readonly file: string;
  readonly from: string;
}

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].map((match) => ({ file, from: match[1] as string }));
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Whether the package has a door of that name: its own, or one of those beside it that it declares. */
function isDoor(specifier: string, packages: readonly WorkspacePackage[]): boolean {
  const name = packageNameOf(specifier);
  const folder = packages.find(({ manifest }) => manifest.name === name)?.folder;
  if (specifier === name || folder === undefined) {
    return specifier === name;
  }
  const { exports = {} } = JSON.parse(read(`${folder}/package.json`)) as { exports?: Record<string, unknown> };
  return Object.hasOwn(exports, `.${specifier.slice(name.length)}`);
}

/** Imports of our packages from their insides. */
function pastDoors(imports: readonly Import[], packages: readonly WorkspacePackage[]): Import[] {
  return imports.filter(({ from }) => /^@(core|cache|testing)\//.test(from) && !isDoor(from, packages));
}

function layerOf(name: string): number {
  return LAYERS.findIndex((layer) => layer.includes(name));
}

/** What is wrong with what a package imports and declares, as sentences. */
function faultsOf(name: string, declared: readonly string[], imports: readonly Import[]): string[] {
  const faults: string[] = [];
  const layer = layerOf(name);
  const used = new Set<string>();
  for (const { file, from } of imports) {
    if (from.startsWith('.')) {
      if (from.includes('/packages/') || /(^|\/)index\.js$/.test(from)) {
        faults.push(`${file} imports ${from}: own files directly, others by name`);
      }
      continue;
    }
    if (from.startsWith('node:')) {
      continue;
    }
    const target = packageNameOf(from);
    used.add(target);
    if (!declared.includes(target)) {
      faults.push(`${file} imports ${target}, which ${name} does not declare`);
    }
    if (from !== target && /^@(core|cache|testing)\//.test(target)) {
      faults.push(`${file} imports ${from}: only through the door, ${target}`);
    }
  }
  for (const target of declared) {
    if (layerOf(target) < 0 && !(OUTSIDE[name] ?? []).includes(target)) {
      faults.push(`${name} depends on ${target}, which is not allowed`);
    }
    if (layerOf(target) >= 0 && layerOf(target) >= layer) {
      faults.push(`${name} depends on ${target}, which is not below it`);
    }
    if (!used.has(target)) {
      faults.push(`${name} declares ${target} and does not import it`);
    }
  }
  return faults;
}

function faultsOfPackage({ folder, manifest }: WorkspacePackage): string[] {
  const imports = filesBelow(`${folder}/src`, '.ts').flatMap((file) => importsOf(file, read(file)));
  return faultsOf(manifest.name, Object.keys(manifest.dependencies ?? {}), imports);
}

describe('layers', () => {
  const packages = publishedPackages();

  it('knows every package', () => {
    expect(packages.map(({ manifest }) => manifest.name).toSorted()).toEqual(LAYERS.flat().toSorted());
  });

  it.each(packages.map((one) => [one.manifest.name, one] as const))('%s looks down only', (_, one) => {
    expect(faultsOfPackage(one)).toEqual([]);
  });

  it.each(PLAIN)('%s is plain: no decorator, no container', (name) => {
    const { folder } = packages.find(({ manifest }) => manifest.name === name) as WorkspacePackage;
    for (const file of filesBelow(`${folder}/src`, '.ts')) {
      expect(read(file), file).not.toMatch(/^\s*@\w+\(|inversify|reflect-metadata/m);
    }
  });

  it.each(consumerPackages().map((one) => [one.manifest.name, one.folder] as const))(
    '%s uses packages through their doors',
    (_, folder) => {
      const imports = filesBelow(`${folder}/src`, '.ts').flatMap((file) => importsOf(file, read(file)));
      expect(pastDoors(imports, packages)).toEqual([]);
    },
  );

  describe('the gate catches', () => {
    const violation = (from: string): Import[] => [{ file: 'src/x.ts', from }];

    it('an import upwards', () => {
      expect(faultsOf('@core/rcu', ['@core/framework'], violation('@core/framework'))).toEqual([
        '@core/rcu depends on @core/framework, which is not below it',
      ]);
    });

    it('an import past the door', () => {
      const faults = faultsOf('@core/rcu', ['@core/base'], violation('@core/base/dist/clock.js'));
      expect(faults).toEqual(['src/x.ts imports @core/base/dist/clock.js: only through the door, @core/base']);
    });

    it('a door that is not there, in what uses packages', () => {
      const open = ['@cache/object', '@cache/object/lru-compat'].flatMap(violation);
      const closed = ['@cache/object/policy', '@cache/object/dist/index.js', '@core/nothing/x'].flatMap(violation);
      expect(pastDoors([...open, ...closed], packages)).toEqual(closed);
    });

    it('an import that is not declared', () => {
      expect(faultsOf('@core/rcu', [], violation('@core/base'))).toEqual([
        'src/x.ts imports @core/base, which @core/rcu does not declare',
      ]);
    });

    it('a library in a core', () => {
      expect(faultsOf('@core/shrinker', ['eventemitter3'], violation('eventemitter3'))).toEqual([
        '@core/shrinker depends on eventemitter3, which is not allowed',
      ]);
    });

    it('the own index', () => {
      expect(faultsOf('@core/rcu', [], violation('./index.js'))).toHaveLength(1);
    });
  });
});
