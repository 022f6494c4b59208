/** As much of autocannon as is used here; it has no types. */
declare module 'autocannon' {
  namespace autocannon {
    interface Request {
      method: string;
      path: string;
    }

    interface Options {
      readonly url: string;
      readonly connections: number;
      /** In seconds. */
      readonly duration: number;
      /** For an answer, in seconds. */
      readonly timeout: number;
      /** How often it looks whether it is told to stop, in milliseconds. */
      readonly sampleInt: number;
      readonly requests: readonly {
        readonly method: string;
        readonly path: string;
        readonly setupRequest: (request: Request) => Request;
        readonly onResponse: (status: number, body: string) => void;
      }[];
    }

    interface Result {
      /** In milliseconds. */
      readonly latency: { readonly p50: number; readonly p99: number };
    }

    interface Instance extends Promise<Result> {
      stop(): void;
    }
  }

  function autocannon(options: autocannon.Options): autocannon.Instance;
  export = autocannon;
}
