import { targetText, withUnit } from '../harness/report.js';
import { OURS } from '../peers/peers.js';
import { type AreaReport, type FoundReport, questionIn } from './area-report.js';
import { type Picture, churnPictures, hitRatioPictures, memoryPictures, speedPictures } from './charts.js';

export interface Page {
  readonly markdown: string;
  readonly pictures: readonly Picture[];
}

/** Where the pictures lie, as seen from the page. */
const PICTURES = 'benchmarks';

/** From this load at the start on. */
const BUSY = 0.75;

interface Section {
  readonly title: string;
  readonly text: readonly string[];
  readonly pictures: readonly Picture[];
}

/** The page of all that was measured, area by area. The same text each time for the same results. */
export function renderPage(found: readonly FoundReport[]): Page {
  const sections = found.flatMap(({ report }) => sectionsOf(report));
  const markdown = [
    '# Benchmarks',
    '',
    'Made by `npm run report` from [bench/results](../bench/results); how it is measured is told in [bench](../bench/README.md). Ratios are of one run on one machine. Do not edit: it is written over.',
    '',
    table(
      ['area', 'run', 'Node', 'machine', 'load at the start', 'commit', 'date', 'command'],
      found.map(circumstancesRow),
    ),
    '',
    ...(found.some(({ full }) => !full)
      ? [
          '**A short run has a part of the cases and few rounds, and says little**: a full one, on a machine that does nothing else, is `npm run report -- --full`.',
          '',
        ]
      : []),
    ...busy(found),
    ...sections.flatMap(({ title, text, pictures }) => [
      `## ${title}`,
      '',
      ...pictures.flatMap((one) => [`![${one.title}](${PICTURES}/${one.file})`, '']),
      ...text,
    ]),
    ...targetSections(found),
  ];
  return { markdown: `${markdown.join('\n').trimEnd()}\n`, pictures: sections.flatMap(({ pictures }) => pictures) };
}

/** What a reader must know of machines that had other things to do. */
function busy(found: readonly FoundReport[]): string[] {
  const areas = found
    .filter(({ report: { machine } }) => (machine.load[0] ?? 0) > BUSY)
    .map(({ report }) => report.area);
  return areas.length === 0
    ? []
    : [
        `**The machine was busy** with other work when these began: ${areas.join(', ')}. Times are noisy, and pauses long.`,
        '',
      ];
}

function circumstancesRow({ report, full }: FoundReport): string[] {
  const { area, node, machine, commit, modified, date, command } = report;
  const { cpu, cores, memoryGiB, system, load } = machine;
  return [
    area,
    full ? 'full' : 'short',
    node,
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    String(load[0]),
    `${commit?.slice(0, 10) ?? 'none'}${modified ? ', modified' : ''}`,
    date.slice(0, 10),
    `\`${command}\``,
  ];
}

function sectionsOf(report: AreaReport): Section[] {
  if (report.area === 'hit-ratio') {
    return [{ title: 'Hit ratio', text: whereLruWins(report), pictures: hitRatioPictures(report) }];
  }
  return report.area !== 'peers'
    ? []
    : [
        { title: 'Speed beside the peers', text: wherePeersWin(report), pictures: speedPictures(report) },
        { title: 'Memory', text: [], pictures: memoryPictures(report) },
        { title: 'Pauses', text: [], pictures: churnPictures(report) },
        { title: 'Uses after dispose', text: figuresTable(report, 'uses-after-dispose'), pictures: [] },
        { title: 'Several caches in one heap', text: figuresTable(report, 'heap-limit'), pictures: [] },
      ].filter(({ text, pictures }) => text.length + pictures.length > 0);
}

/** By peer: in how many of the cases it was faster than ours, and where most. */
function wherePeersWin(report: AreaReport): string[] {
  const figures = (questionIn(report, 'speed')?.cases ?? [])
    .filter(({ timings }) => timings.length > 0)
    .flatMap((one) => one.figures)
    .filter(({ of }) => of === OURS);
  const rows = [...new Set(figures.map(({ against }) => against as string))].map((peer) => {
    const beside = figures.filter(({ against }) => against === peer);
    const won = beside.filter(({ value }) => value < 1).toSorted((one, other) => one.value - other.value);
    const [most] = won;
    return [
      peer,
      `${won.length} of ${beside.length}`,
      most === undefined ? '' : `${most.what}: ${OURS} is ${withUnit(most.value, 'x')} as fast`,
    ];
  });
  return rows.length === 0
    ? []
    : [
        '### Where peers win',
        '',
        'Cases in which a peer was faster. `Map` has no bound, and evicts by a ring of keys here; quick-lru may keep twice the entries that it was given; tiny-lru keeps its entries in a plain object, so that a key is its text: `1` and `"1"` are one.',
        '',
        table(['peer', 'faster than ours in', 'most in'], rows),
        '',
      ];
}

function whereLruWins(report: AreaReport): string[] {
  const figures = (questionIn(report, 'hit-ratio')?.cases ?? []).flatMap((one) => one.figures);
  const lost = figures.filter(
    ({ of, unit, value, what }) => of === 'workingset' && unit === 'points' && value < 0 && !what.startsWith('worst: '),
  );
  return lost.length === 0
    ? []
    : [
        '### Where LRU wins',
        '',
        table(
          ['case', 'points above LRU'],
          lost
            .toSorted((one, other) => one.value - other.value)
            .map(({ what, value }) => [what, withUnit(value, 'points')]),
        ),
        '',
      ];
}

function figuresTable(report: AreaReport, id: string): string[] {
  const question = questionIn(report, id);
  return question === null
    ? []
    : [
        question.asks,
        '',
        table(
          ['who', 'what', 'measured', 'target'],
          question.cases
            .flatMap((one) => one.figures)
            .map(({ of, what, value, unit, target }) => [
              of,
              what,
              withUnit(value, unit),
              target === null ? '' : targetText(target, unit),
            ]),
        ),
        '',
      ];
}

const WORDS = { met: 'met', near: 'within slack', missed: '**missed**', none: '' } as const;

/** Every figure that is held to something, and whether it holds. */
function targetSections(found: readonly FoundReport[]): string[] {
  const lines: string[] = ['## Targets', ''];
  for (const { report } of found) {
    const held = report.questions.flatMap((question) =>
      question.cases.flatMap((one) =>
        one.figures.filter(({ target }) => target !== null).map((figure) => ({ question, figure })),
      ),
    );
    const count = (verdict: string): number => held.filter(({ figure }) => figure.verdict === verdict).length;
    lines.push(
      `### ${report.area}`,
      '',
      `${count('met')} met, ${count('near')} within the slack for noise, ${count('missed')} missed.`,
      '',
    );
    const off = held.filter(({ figure }) => figure.verdict !== 'met');
    if (off.length > 0) {
      lines.push(
        table(
          ['question', 'what', 'against', 'measured', 'target', ''],
          off.map(({ question, figure: { what, against, value, unit, target, verdict } }) => [
            question.id,
            what,
            against ?? '',
            withUnit(value, unit),
            target === null ? '' : targetText(target, unit),
            WORDS[verdict],
          ]),
        ),
        '',
      );
    }
  }
  return lines;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
