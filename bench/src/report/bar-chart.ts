import { init } from 'echarts';

/** One colour for each series, the same in all charts. A value of null has no bar. */
export interface BarSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface BarChart {
  readonly title: string;
  /** Of the values, with what is better. */
  readonly axis: string;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
  /** Where a line is drawn: what others are measured by. */
  readonly mark?: number;
}

const WIDTH = 860;
const BAR_HEIGHT = 13;
const CATEGORY_GAP = 16;
const AROUND = 130;

const COLOURS: Readonly<Record<string, string>> = {
  ObjectCache: '#d9480f',
  workingset: '#d9480f',
  'lru-cache': '#1c4e80',
  Map: '#adb5bd',
  mnemonist: '#2b8a3e',
  'quick-lru': '#7048e8',
  'lru.min': '#0c8599',
  'tiny-lru': '#c2255c',
  '@isaacs/ttlcache': '#e8a317',
  mean: '#2b8a3e',
  'worst case': '#c92a2a',
};

/** Horizontal bars in groups, as SVG; the same text each time for the same chart. */
export function drawBars({ title, axis, categories, series, mark }: BarChart): string {
  const height = AROUND + categories.length * (series.length * BAR_HEIGHT + CATEGORY_GAP);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: title, left: 'center', top: 10, textStyle: { fontSize: 15 } },
      legend: {
        show: series.length > 1,
        top: 38,
        itemHeight: 10,
        itemWidth: 18,
        itemGap: 18,
        textStyle: { fontSize: 11 },
      },
      grid: { left: 20, right: 60, top: 84, bottom: 44, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'value', name: axis, nameLocation: 'middle', nameGap: 28 },
      yAxis: { type: 'category', inverse: true, data: [...categories], axisTick: { show: false } },
      series: series.map(({ name, values }, index) => ({
        type: 'bar' as const,
        name,
        data: values.map((value) => value ?? '-'),
        itemStyle: { color: COLOURS[name] ?? '#5c7cfa' },
        label: { show: true, position: 'right' as const, fontSize: 9, formatter: labelOf },
        ...(mark === undefined || index > 0
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                label: { show: false },
                lineStyle: { color: '#495057', type: 'dashed' as const },
                data: [{ xAxis: mark }],
              },
            }),
      })),
    });
    return `${still(chart.renderToSVGString())}\n`;
  } finally {
    // Otherwise it waits for the next frame, and the process never ends.
    chart.dispose();
  }
}

/** Without what is for a mouse: a page has none of that, and its names count the charts that this process has drawn. */
function still(svg: string): string {
  return svg.replaceAll(/ (?:class="zr|ecmeta_)[^\s>]*/g, '').replaceAll(/<style[\s\S]*?<\/style>\n?/g, '');
}

function labelOf({ value }: { readonly value?: unknown }): string {
  if (typeof value !== 'number') {
    return '';
  }
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
