import Table from 'cli-table3';
import colors from 'picocolors';

/** How one contender did one thing. */
export interface Row {
  readonly what: string;
  readonly how: string;
  readonly calls: number;
  readonly ms: number;
  readonly plainMs: number;
  readonly cpuMs: number;
  readonly plainCpuMs: number;
  readonly equal: boolean;
}

export function tableOf(rows: readonly Row[]): string {
  const table = new Table({
    head: ['', 'on', 'calls below', 'ms', 'faster', 'less CPU', 'result'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'left'],
  });
  let last = '';
  for (const row of rows) {
    table.push([
      row.what === last ? '' : row.what,
      row.how,
      row.calls.toLocaleString('en'),
      row.ms.toFixed(0),
      ratio(row.plainMs / row.ms),
      ratio(row.plainCpuMs / row.cpuMs),
      row.equal ? colors.green('equal') : colors.red('DIFFERS'),
    ]);
    last = row.what;
  }
  return table.toString();
}

function ratio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)}×` : '–';
}
