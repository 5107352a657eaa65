/** What the rows of arrays have in common: a session, peers in Python, and a look at whether both compute the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arr } from '../../src/arrays/index.ts';
import { connect } from '../../src/tasks/index.ts';
import { type Experiment, pause, rate, type Sampler, type Tier } from '../harness.ts';
import { HOW_TO_GET_PEERS, openPython, type Python, type Sampled } from '../peers/python.ts';
import type { Group, Settings } from '../suite.ts';

/** Our threads look for work a while before they sleep; whoever comes next should not have them beside himself. The peers wait for their own. */
const SETTLE_MS = 50;
/** Elements that are compared. */
const MOST_COMPARED = 10_000;

/** Something of ours that is measured. */
export interface Ours {
  run(): Promise<unknown> | unknown;
  /** Its result, to be compared. */
  value(): Promise<{ readonly shape: readonly number[]; readonly elements: ArrayLike<number | bigint> }>;
}

/** An array that is made and computed anew each time, and let go of, as Python does when nobody refers to a result any more. */
export const computing = (expression: () => Arr): Ours => ({
  run: async () => (await expression().persist()).release(),
  async value() {
    const x = expression();
    return { shape: x.shape, elements: await x.data() };
  },
});

/** The same, left to the garbage collector. */
export const leaving = (expression: () => Arr): Ours => ({
  ...computing(expression),
  run: () => expression().persist(),
});

export type PeerName = 'numpy' | 'scipy' | 'pandas' | 'dask.array';

export interface Comparison {
  readonly name: string;
  /** Sets up what is measured; called when it is the row's turn, and forgotten afterwards. */
  readonly ours: () => Ours;
  /** What the peers' expressions need. */
  readonly setup: string;
  /** By peer. Whatever they come to has to be what ours comes to. */
  readonly peers: Readonly<Partial<Record<PeerName, string>>>;
  /** Ratios to reach. */
  readonly ratios?: Readonly<Record<string, number>>;
  readonly tier?: Tier;
  /** Bytes read and written, for GB/s; or operations on floats, for GFLOP/s. Neither: milliseconds are shown. */
  readonly bytes?: number;
  readonly flops?: number;
  /** Relative. */
  readonly tolerance?: number;
  readonly more?: Readonly<Record<string, Sampler>>;
  /** Milliseconds before each run of the peers. */
  readonly pause?: number;
}

export interface Bench {
  readonly settings: Settings;
  /** Of one sample, at least. */
  readonly ms: number;
  readonly python: Python | undefined;
  /** Writes numbers to a file, and gives the Python that reads them. */
  share(name: string, numbers: Float64Array | Int32Array): string;
  /** A path for a file that is gone afterwards. */
  path(name: string): string;
  compared(comparison: Comparison): Experiment;
  /** Closed with the group. */
  closing(close: () => Promise<void>): void;
}

let python: Promise<Python | undefined> | undefined;

const said = async (settings: Settings): Promise<Python | undefined> => {
  const found = await openPython(settings.cpus);
  if (found === undefined) console.log(`no NumPy to compare with; to have it: ${HOW_TO_GET_PEERS}`);
  else
    console.log(
      Object.entries(found.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    );
  return found;
};

/** A group of rows with a session that is theirs. */
export const group = (
  names: readonly string[],
  experiments: (bench: Bench) => Promise<readonly Experiment[]> | readonly Experiment[],
): Group => ({
  names,
  async open(settings) {
    python ??= said(settings);
    const peers = await python;
    const session = await connect({ cpus: settings.cpus, memory: '2GiB' });
    const folder = mkdtempSync(join(tmpdir(), 'sheaf-bench-'));
    const bench = new OpenBench(settings, peers, folder);
    const close = async (): Promise<void> => {
      rmSync(folder, { recursive: true, force: true });
      for (const each of bench.closers) await each();
      await session[Symbol.asyncDispose]();
    };
    try {
      return { experiments: await experiments(bench), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
});

class OpenBench implements Bench {
  readonly settings: Settings;
  readonly ms: number;
  readonly python: Python | undefined;
  readonly closers: (() => Promise<void>)[] = [];
  readonly #folder: string;
  /** What the row whose turn it is has set up. */
  #current: { readonly of: Comparison; readonly ours: Ours; readonly sample: Sampler } | undefined;

  constructor(settings: Settings, python: Python | undefined, folder: string) {
    this.settings = settings;
    this.ms = settings.quick ? 100 : 500;
    this.python = python;
    this.#folder = folder;
  }

  closing(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  share(name: string, numbers: Float64Array | Int32Array): string {
    const path = this.path(`${name}.bin`);
    writeFileSync(path, numbers);
    return `np.fromfile(${JSON.stringify(path)}, np.${numbers instanceof Int32Array ? 'int32' : 'float64'})`;
  }

  compared(comparison: Comparison): Experiment {
    const { name, setup, bytes, flops, ratios, tier = 'gate', more, pause: before } = comparison;
    const { python, ms } = this;
    const [unit, shown]: [string, (perSecond: number) => number] =
      bytes !== undefined
        ? ['GB/s', (perSecond) => (perSecond * bytes) / 1e9]
        : flops !== undefined
          ? ['GFLOP/s', (perSecond) => (perSecond * flops) / 1e9]
          : ['ms', (perSecond) => 1000 / perSecond];
    const peers: Record<string, Sampler> = { ...more };
    for (const [peer, expression] of Object.entries(comparison.peers)) {
      const needed = peer.replace('.array', '');
      if (python?.versions[needed] === undefined) continue;
      peers[peer] = async () => {
        await pause(SETTLE_MS);
        return shown(await python.rate(setup, expression, ms, before));
      };
    }
    return {
      name,
      unit,
      better: unit === 'ms' ? 'less' : 'more',
      ours: async () => {
        const { sample } = await this.#turn(comparison);
        await pause(SETTLE_MS);
        return shown(await sample());
      },
      peers,
      ...(ratios === undefined ? {} : { requires: { tier, ratios } }),
    };
  }

  /** Sets up a row's own, and compares it with the peers', when its turn begins. */
  async #turn(comparison: Comparison): Promise<{ readonly sample: Sampler }> {
    if (this.#current?.of === comparison) return this.#current;
    this.#current = undefined;
    const ours = comparison.ours();
    await this.#check(comparison, ours);
    this.#current = { of: comparison, ours, sample: rate(this.ms, 1, () => ours.run()) };
    return this.#current;
  }

  async #check({ setup, peers, tolerance = 1e-10 }: Comparison, ours: Ours): Promise<void> {
    const { python } = this;
    if (python === undefined) return;
    const { shape, elements } = await ours.value();
    const step = Math.max(1, Math.ceil(elements.length / MOST_COMPARED));
    const values: number[] = [];
    for (let i = 0; i < elements.length; i += step) values.push(Number(elements[i]));
    for (const [peer, expression] of Object.entries(peers)) {
      if (python.versions[peer.replace('.array', '')] === undefined) continue;
      const theirs = await python.value(setup, expression, MOST_COMPARED);
      const difference = differenceOf({ shape, values }, theirs, tolerance);
      if (difference !== undefined) throw new Error(`ours and ${peer} do not compute the same: ${difference}`);
    }
  }
}

/** Where two results differ by more than rounding does; undefined: nowhere. */
export function differenceOf(ours: Sampled, theirs: Sampled, tolerance: number): string | undefined {
  if (ours.shape.join() !== theirs.shape.join()) return `the shapes are [${ours.shape}] and [${theirs.shape}]`;
  const size = ours.values.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const at = ours.values.findIndex(
    (each, i) =>
      !Object.is(each, theirs.values[i]) && !(Math.abs(each - (theirs.values[i] as number)) <= tolerance * size),
  );
  if (at < 0 && ours.values.length === theirs.values.length) return undefined;
  return `${ours.values[at]} and ${theirs.values[at]} at place ${at} of those compared`;
}

/** The same numbers everywhere, without a file: from 0 up to 1. */
export const SPREAD = (length: number): string => `np.arange(${length}) * 7919 % 10007 / 10007`;

export function spread(length: number): Float64Array {
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) numbers[i] = ((i * 7919) % 10007) / 10007;
  return numbers;
}

/** Numbers without any order, the same in every run, from 0 up to 1. */
export function mixed(length: number, seed = 1): Float64Array {
  const numbers = new Float64Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    let word = state ^ (state >>> 15);
    word = Math.imul(word, 0x2c1b3c6d);
    word ^= word >>> 12;
    numbers[i] = (word >>> 0) / 2 ** 32;
  }
  return numbers;
}
