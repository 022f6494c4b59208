import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = resolve(fileURLToPath(new URL('../..', import.meta.url)));

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every package that is published. */
export function publishedPackages(): WorkspacePackage[] {
  return foldersIn('packages').flatMap((area) => foldersIn(area).map(packageIn));
}

/** Packages that use them and are not published. */
export function consumerPackages(): WorkspacePackage[] {
  return [...foldersIn('examples'), 'bench'].map(packageIn);
}

/** Files below a folder, relative to the repository, without what tools put there. */
export function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === 'node_modules' || entry.name === 'dist' ? [] : filesBelow(path, extension);
    }
    return entry.name.endsWith(extension) ? [path] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function packageIn(folder: string): WorkspacePackage {
  return { folder, manifest: JSON.parse(read(join(folder, 'package.json'))) as Manifest };
}

function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name !== 'node_modules')
    .map((name) => join(folder, name))
    .filter((path) => statSync(join(ROOT, path)).isDirectory());
}
