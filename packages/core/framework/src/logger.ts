/** Where a host and its plugins write. `console`, pino and most other loggers are one. */
export interface Logger {
  debug(message: string, ...details: unknown[]): void;
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

function silent(): void {}

function emitWarning(message: string, ...details: unknown[]): void {
  const error = details.find((detail) => detail instanceof Error);
  process.emitWarning(
    message,
    error?.stack === undefined ? { type: 'ReclaimWarning' } : { type: 'ReclaimWarning', detail: error.stack },
  );
}

/** Drops everything. */
export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** The default: silent, but for warnings and errors, which become `process.emitWarning`. */
export const warningLogger: Logger = { debug: silent, info: silent, warn: emitWarning, error: emitWarning };

/** Writes to the console. */
export const consoleLogger: Logger = console;
