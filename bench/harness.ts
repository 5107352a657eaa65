/** Measures ours and its peers in turn, and says by how much ours is better. */

/** One measurement, in the row's unit. */
export type Sampler = () => Promise<number> | number;

/** `gate`: must hold for a release. `goal`: wished for. `info`: shown only. */
export type Tier = 'gate' | 'goal' | 'info';

/** How ours must compare: a figure to reach, or a ratio to a peer. */
export interface Requirement {
  readonly tier: Tier;
  /** In the row's unit: at least this where more is better, at most this where less is. */
  readonly target?: number;
  /** Name of a peer to the ratio that ours must reach. */
  readonly ratios?: Readonly<Record<string, number>>;
}

export interface Experiment {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly ours: Sampler;
  readonly peers?: Readonly<Record<string, Sampler>>;
  readonly requires?: Requirement;
  /** Measured pairs; 5 by default. Rows that take long take fewer, and say so by this. */
  readonly pairs?: number;
}

export interface Row {
  readonly name: string;
  /** Medians; null: could not be measured. */
  readonly ours: number | null;
  readonly peer: number | null;
  readonly peerName: string | null;
  /** Median over the pairs; above 1: ours is better. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly tier: Tier;
  /** The ratio to reach. */
  readonly threshold: number | null;
  readonly passed: boolean | null;
  /** Lowest and highest ratio of a pair, or for a row without a peer, lowest and highest figure. */
  readonly spread: readonly [number, number] | null;
  readonly note?: string;
}

/** The middle value, or the mean of the two in the middle. `values` must not be empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const ratioOf = (better: 'more' | 'less', ours: number, peer: number): number =>
  better === 'more' ? ours / peer : peer / ours;

const extent = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];

/** Rates of a peer that ran by itself before, name of row to rate. */
export type Recorded = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A row for each peer, and one for the target if there is one. */
export async function measure(experiment: Experiment, recorded: Recorded, defaultPairs: number): Promise<Row[]> {
  const { name, unit, better, requires } = experiment;
  const peers = Object.entries(experiment.peers ?? {});
  const ours: number[] = [];
  const theirs = peers.map((): number[] => []);
  for (let pair = 0; pair < (experiment.pairs ?? defaultPairs); pair++) {
    ours.push(await experiment.ours());
    for (const [i, [, sample]] of peers.entries()) theirs[i]!.push(await sample());
  }
  const tier = requires?.tier ?? 'info';
  const common = { name, unit, ours: median(ours) };
  const row = (peerName: string, peer: number, ratios: readonly number[], threshold: number | undefined): Row => {
    const ratio = median(ratios);
    const judged = threshold === undefined ? { tier: 'info' as const, threshold: null, passed: null } : undefined;
    return {
      ...common,
      peer,
      peerName,
      ratio,
      spread: extent(ratios),
      ...(judged ?? { tier, threshold: threshold!, passed: ratio >= threshold! }),
    };
  };
  const rows: Row[] = [];
  if (requires?.target !== undefined) {
    const { target } = requires;
    // Judged by the median of the figures: a median of reciprocals may differ from it.
    const judged = row('target', target, [ratioOf(better, common.ours, target)], 1);
    rows.push({ ...judged, spread: extent(ours.map((x) => ratioOf(better, x, target))) });
  }
  for (const [i, [peerName]] of peers.entries()) {
    const ratios = ours.map((x, pair) => ratioOf(better, x, theirs[i]![pair]!));
    rows.push(row(peerName, median(theirs[i]!), ratios, requires?.ratios?.[peerName]));
  }
  for (const [peerName, rates] of Object.entries(recorded)) {
    const peer = rates[name];
    if (peer === undefined) continue;
    rows.push(
      row(
        peerName,
        peer,
        ours.map((x) => ratioOf(better, x, peer)),
        requires?.ratios?.[peerName],
      ),
    );
  }
  if (rows.length > 0) return rows;
  return [
    { ...common, peer: null, peerName: null, ratio: null, tier, threshold: null, passed: null, spread: extent(ours) },
  ];
}

/** The row of an experiment that failed: a gate that could not be measured has not been met. */
export const failed = ({ name, unit, requires }: Experiment, error: unknown): Row => ({
  name,
  unit,
  ours: null,
  peer: null,
  peerName: null,
  ratio: null,
  tier: requires?.tier ?? 'info',
  threshold: null,
  passed: requires === undefined ? null : false,
  spread: null,
  note: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
});

/** Operations per second of a body that does `multiplier` of them, over at least `ms` milliseconds. */
export function rate(ms: number, multiplier: number, body: () => Promise<unknown> | unknown): Sampler {
  let warm = false;
  return async () => {
    const run = async (budget: number) => {
      const start = performance.now();
      let runs = 0;
      let elapsed = 0;
      while (elapsed < budget || runs === 0) {
        const result = body();
        if (result instanceof Promise) await result;
        runs++;
        elapsed = performance.now() - start;
      }
      return (runs * multiplier * 1000) / elapsed;
    };
    if (!warm) await run(ms);
    warm = true;
    return run(ms);
  };
}

/** Calls `body` `count` times back to back: for bodies that are short beside a look at the clock. */
export const times = (count: number, body: () => unknown) => async () => {
  for (let i = 0; i < count; i++) {
    const result = body();
    if (result instanceof Promise) await result;
  }
};

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
