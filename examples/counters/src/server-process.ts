import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Hit, Ready, ServiceStats } from './protocol.js';

/** A process that runs the service on a directory. */
export class ServerProcess {
  readonly url: string;
  /** From its start until it listened, replay and all. */
  readonly startedInMs: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<[code: number | null, signal: string | null]>;

  private constructor(child: ChildProcess, exited: ServerProcess['exited'], ready: Ready, startedInMs: number) {
    this.#child = child;
    this.#exited = exited;
    this.url = `http://127.0.0.1:${ready.port}`;
    this.startedInMs = startedInMs;
  }

  static async start(program: string, directory: string): Promise<ServerProcess> {
    const startedAt = performance.now();
    const child = fork(program, [directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const exited = once(child, 'exit') as ServerProcess['exited'];
    const ready = await Promise.race([
      (once(child, 'message') as Promise<[Ready]>).then(([message]) => message),
      exited.then(([code, signal]) => {
        throw new Error(`Cannot start the service: it ended with ${signal ?? code}`);
      }),
    ]);
    return new ServerProcess(child, exited, ready, performance.now() - startedAt);
  }

  get exited(): Promise<[code: number | null, signal: string | null]> {
    return this.#exited;
  }

  hits(): Promise<Hit[]> {
    return this.#get('/hits');
  }

  stats(): Promise<ServiceStats> {
    return this.#get('/stats');
  }

  /** With SIGKILL: it can do nothing about it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Lets it store everything. @returns its last word @throws {Error} it ended with another code than 0, or without it */
  async stop(): Promise<ServiceStats> {
    let stats: ServiceStats | null = null;
    this.#child.once('message', (message: ServiceStats) => {
      stats = message;
    });
    this.#child.kill('SIGTERM');
    const [code, signal] = await this.#exited;
    if (code !== 0 || stats === null) {
      throw new Error(`The service ended with ${signal ?? code}`);
    }
    return stats;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) {
      throw new Error(`The service answered ${response.status} to GET ${path}`);
    }
    return (await response.json()) as T;
  }
}
