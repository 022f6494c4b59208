/** The `some` line of a pressure file: at least one task waited. */
export interface Pressure {
  /** 0 to 1, over the last 10 s. */
  readonly someShare: number;
  /** Since the cgroup or the machine began. */
  readonly totalMicros: number;
}

const SOME = /^some avg10=(\d{1,3}\.\d{1,4}) avg60=[\d.]+ avg300=[\d.]+ total=(\d{1,20})\n/m;

/** Reads a pressure file. Null when the text is no such thing; a line that lacks its end was cut off. */
export function parsePressure(text: string): Pressure | null {
  const match = SOME.exec(text);
  const percent = Number(match?.[1] ?? Number.NaN);
  const totalMicros = Number(match?.[2] ?? Number.NaN);
  return percent <= 100 && totalMicros <= Number.MAX_SAFE_INTEGER ? { someShare: percent / 100, totalMicros } : null;
}
