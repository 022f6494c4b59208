/** Everybody who waits for one sync of all that was appended so far shares its promise. */
export class Round {
  /** What has to be written before the round can end. */
  upTo = 0;
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
