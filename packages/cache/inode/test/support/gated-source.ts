import type { BigIntStats } from 'node:fs';
import type { FileSystemSource } from '@core/fs-source';

/** One `lstat` that waits for the test. */
export interface Gate {
  readonly path: string;
  /** Makes the call now; its result arrives with {@link Gate.deliver}. */
  call(): void;
  deliver(): void;
  /** Both. */
  open(): void;
}

/** A source whose asynchronous `lstat` is made, and delivered, when the test says so. */
export class GatedSource {
  readonly gates: Gate[] = [];
  isGated = true;
  lstats = 0;
  readonly source: FileSystemSource;

  constructor(source: FileSystemSource) {
    const lstat = (path: string): Promise<BigIntStats> => {
      this.lstats++;
      return this.isGated ? this.gated(source, path) : source.lstat(path);
    };
    const lstatSync = (path: string): BigIntStats => {
      this.lstats++;
      return source.lstatSync(path);
    };
    this.source = new Proxy(source, {
      get: (target, name) => {
        if (name === 'lstat') {
          return lstat;
        }
        if (name === 'lstatSync') {
          return lstatSync;
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  private gated(source: FileSystemSource, path: string): Promise<BigIntStats> {
    return new Promise((resolve, reject) => {
      let result: (() => void) | null = null;
      const gate: Gate = {
        path,
        call() {
          if (result === null) {
            try {
              const stats = source.lstatSync(path);
              result = () => resolve(stats);
            } catch (error) {
              result = () => reject(error as Error);
            }
          }
        },
        deliver() {
          gate.call();
          (result as () => void)();
        },
        open() {
          gate.deliver();
        },
      };
      this.gates.push(gate);
    });
  }
}
