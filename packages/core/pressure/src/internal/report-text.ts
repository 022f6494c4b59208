const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** As people read them; nothing for what is not known. */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) {
    return '';
  }
  if (!Number.isFinite(bytes)) {
    return 'no limit';
  }
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function msText(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A table in columns: the first and the last to the left, what is between to the right. Nothing without rows. */
export function rows(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  if (body.length === 0) {
    return [];
  }
  const all = [head, ...body];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return column === 0 || column === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
