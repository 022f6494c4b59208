import { AssertionError } from '@core/base';
import { describe, expect, it } from 'vitest';
import { type Competitor, atMost } from '../src/harness/competitor.js';
import { race } from '../src/harness/race.js';

/** A clock that only work moves, and what ran on it. */
class Track {
  ns = 0;
  readonly ran: string[] = [];

  competitor(
    name: string,
    operations: number,
    nsEach: (run: number) => number,
    hash = (_run: number) => 42,
  ): Competitor {
    let runs = 0;
    return {
      name,
      operations,
      run: () => {
        this.ran.push(name);
        this.ns += nsEach(runs) * operations;
        runs++;
      },
      hash: () => hash(runs),
    };
  }
}

const COST = { what: 'work', of: 'ours', against: 'theirs', as: 'cost', target: atMost(1.5) } as const;

describe('a race', () => {
  it('divides what competitors take in the same round', async () => {
    const track = new Track();
    const clock = (): number => track.ns;
    // The machine gets slower from run to run, for both.
    const competitors = [
      track.competitor('theirs', 10, (run) => 100 + run),
      track.competitor('ours', 20, (run) => 2 * (100 + run)),
    ];
    const { figures, timings } = await race(
      { competitors, comparisons: [COST, { ...COST, as: 'speedup' }], clock, rounds: 5, runs: 3 },
      'real',
    );
    expect(figures.map(({ value, low, high }) => [value, low, high])).toEqual([
      [2, 2, 2],
      [0.5, 0.5, 0.5],
    ]);
    expect(figures[0]?.target).toEqual(atMost(1.5));
    expect(timings.map(({ competitor, operations }) => [competitor, operations])).toEqual([
      ['theirs', 10],
      ['ours', 20],
    ]);
    expect(timings[1]?.medianNs).toBe(2 * (timings[0]?.medianNs as number));
  });

  it('lets another competitor begin each round, and all run as often', async () => {
    const track = new Track();
    const competitors = ['a', 'b', 'c'].map((name) => track.competitor(name, 1, () => 10));
    await race({ competitors, comparisons: [], clock: () => track.ns, rounds: 2, runs: 1 }, 'real');
    // One to agree; two rounds that do not count and two that do, of a run for nothing and one that is timed; one more.
    const round = (names: string): string => names.replaceAll(/./g, '$&$&');
    expect(track.ran.join('')).toBe(`abc${round('abc')}${round('bca')}${round('cab')}${round('abc')}abc`);
  });

  it('takes one round of smoke size, and awaits what is asynchronous', async () => {
    const order: string[] = [];
    const slow = (name: string): Competitor => ({
      name,
      operations: 1,
      async run() {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      },
      hash: () => 1,
    });
    const { figures } = await race({ competitors: [slow('theirs'), slow('ours')], comparisons: [COST] }, 'smoke');
    expect(figures).toHaveLength(1);
    for (let index = 0; index < order.length; index += 2) {
      expect(order[index + 1]).toBe(order[index]?.replace('begins', 'ends'));
    }
  });
});

describe('a race refuses', () => {
  const honest = (track: Track): Competitor => track.competitor('theirs', 1, () => 10);

  async function outcome(twin: (track: Track) => Competitor): Promise<unknown> {
    const track = new Track();
    const clock = (): number => track.ns;
    try {
      await race({ competitors: [honest(track), twin(track)], comparisons: [COST], clock, rounds: 2, runs: 1 }, 'real');
    } catch (error) {
      return error;
    }
    return null;
  }

  it('nobody who computes the same', async () => {
    expect(await outcome((track) => track.competitor('ours', 1, () => 10))).toBeNull();
  });

  it.each([
    [
      'computes something else',
      (track: Track) =>
        track.competitor(
          'ours',
          1,
          () => 10,
          () => 43,
        ),
    ],
    [
      'computes nothing',
      (track: Track) =>
        track.competitor(
          'ours',
          1,
          () => 10,
          () => 0,
        ),
    ],
    [
      'computes no number',
      (track: Track) =>
        track.competitor(
          'ours',
          1,
          () => 10,
          () => Number.NaN,
        ),
    ],
    // As if the work were left out once the code is optimised.
    [
      'computes something else in the end',
      (track: Track) =>
        track.competitor(
          'ours',
          1,
          () => 10,
          (run) => (run > 3 ? 41 : 42),
        ),
    ],
    ['is not there', (track: Track) => track.competitor('others', 1, () => 10)],
  ])('one who %s', async (_what, twin) => {
    expect(await outcome(twin)).toBeInstanceOf(AssertionError);
  });
});
