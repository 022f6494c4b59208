export const BLOCK_BYTES = 4096;
export const BLOCKS = 64;

export interface ChildSettings {
  readonly path: string;
  readonly seed: number;
  /** Says that it has synced when it has not, once. */
  readonly busted: boolean;
}
