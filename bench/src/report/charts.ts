import { OURS, REFERENCE } from '../peers/peers.js';
import { type AreaReport, type CaseReport, type QuestionReport, questionIn } from './area-report.js';
import { type BarChart, type BarSeries, drawBars } from './bar-chart.js';

/** A picture, as it lies beside the page. */
export interface Picture {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

function picture(file: string, chart: BarChart): Picture {
  return { file: `${file}.svg`, title: chart.title, svg: drawBars(chart) };
}

/** Of timed cases without `dispose`: how many times as fast as lru-cache each competitor was, by its name. */
export function speedsOf({ timings }: CaseReport): Map<string, number> {
  const reference = timings.find(({ competitor }) => competitor === REFERENCE);
  return new Map(
    reference === undefined
      ? []
      : timings.map(({ competitor, medianNs }) => [competitor, reference.medianNs / medianNs] as const),
  );
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Ours first, then as they come. */
function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted((one, other) => Number(other === OURS) - Number(one === OURS));
}

/** Parts of the name of a case: action, capacity, keys and, with it, `dispose`. */
function timedCases(question: QuestionReport): { readonly parts: readonly string[]; readonly found: CaseReport }[] {
  return question.cases
    .filter(({ timings }) => timings.length > 0)
    .map((found) => ({ parts: found.name.split(', '), found }));
}

export function speedPictures(report: AreaReport): Picture[] {
  const question = questionIn(report, 'speed');
  if (question === null) {
    return [];
  }
  const cases = timedCases(question).filter(({ parts }) => parts.length === 3);
  const settings = [...new Set(cases.map(({ parts }) => parts.slice(1).join(', ')))];
  const axis = 'times as fast as lru-cache; more is better';
  const means = inOrder(cases.flatMap(({ found }) => [...speedsOf(found).keys()])).flatMap((name) => {
    const speeds = cases.map(({ found }) => speedsOf(found).get(name));
    // One that could not take part everywhere has no mean that could be compared.
    return speeds.every((speed) => speed !== undefined) ? [{ name, mean: geometricMean(speeds) }] : [];
  });
  return [
    picture('speed', {
      title: `Speed, geometric mean of ${cases.length} cases`,
      axis,
      categories: ['all cases'],
      series: means.map(({ name, mean }) => ({ name, values: [mean] })),
      mark: 1,
    }),
    ...settings.map((setting) => {
      const here = cases.filter(({ parts }) => parts.slice(1).join(', ') === setting);
      const names = inOrder(here.flatMap(({ found }) => [...speedsOf(found).keys()]));
      return picture(`speed-${setting.replaceAll(',', '').replaceAll(' ', '-')}`, {
        title: `Speed with ${setting.replace(', ', ' entries, keys: ')}`,
        axis,
        categories: here.map(({ parts }) => parts[0] as string),
        series: names.map((name) => ({ name, values: here.map(({ found }) => speedsOf(found).get(name) ?? null) })),
        mark: 1,
      });
    }),
  ];
}

/** Figures that are no ratios, one chart for each of their units: what was measured by who was measured. */
function absolutePicture(question: QuestionReport | null, file: string, title: string, unit: string): Picture[] {
  const figures = (question?.cases ?? [])
    .flatMap((found) => found.figures)
    .filter((figure) => figure.against === null && figure.unit === unit);
  if (figures.length === 0) {
    return [];
  }
  const categories = [...new Set(figures.map(({ what }) => what))];
  const series: BarSeries[] = inOrder(figures.map(({ of }) => of)).map((name) => ({
    name,
    values: categories.map(
      (category) => figures.find(({ what, of }) => what === category && of === name)?.value ?? null,
    ),
  }));
  return [picture(file, { title, axis: `${unit}; less is better`, categories, series })];
}

export function memoryPictures(report: AreaReport): Picture[] {
  return absolutePicture(
    questionIn(report, 'memory'),
    'memory',
    'Memory an entry at 1,000,000, besides key and value',
    'bytes',
  );
}

export function churnPictures(report: AreaReport): Picture[] {
  return absolutePicture(questionIn(report, 'churn'), 'churn', 'Standing still at 1,000,000 entries', 'ms');
}

export function hitRatioPictures(report: AreaReport): Picture[] {
  const question = questionIn(report, 'hit-ratio');
  const figures = (question?.cases ?? []).flatMap((found) => found.figures);
  const means = figures.filter(({ what }) => what === 'mean of the hit ratio');
  if (means.length === 0) {
    return [];
  }
  const worst = means.map(
    ({ of }) => figures.find((one) => one.of === of && one.what.startsWith('worst: '))?.value ?? null,
  );
  const axis = 'percentage points above lru-cache; more is better';
  const held = (question?.cases ?? []).find(({ name }) => name === 'workingset');
  const each = (held?.figures ?? []).filter(({ what }) => / at [\d.]+ %$/.test(what) && !what.startsWith('worst: '));
  return [
    picture('hit-ratio', {
      title: 'Hit ratio by policy, against LRU',
      axis,
      categories: means.map(({ of }) => of),
      series: [
        { name: 'mean', values: means.map(({ value }) => value) },
        { name: 'worst case', values: worst },
      ],
    }),
    ...(each.length === 0
      ? []
      : [
          picture('hit-ratio-cases', {
            title: 'Hit ratio of the default policy, case by case',
            axis,
            categories: each.map(({ what }) => what),
            series: [{ name: 'workingset', values: each.map(({ value }) => value) }],
          }),
        ]),
  ];
}
