/** Elementwise chains, fused into one kernel: what part of the memory's bandwidth a gang of workers gets, beside a plain copy and NumPy. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Kernel, KernelBuilder } from '../../src/kernels/index.ts';
import { Gang } from '../../src/pipelines/gang/gang.ts';
import { SessionBuffers } from '../../src/pipelines/session-buffers.ts';
import { hostOf } from '../../src/runtime/index.ts';
import { connect } from '../../src/tasks/index.ts';
import { type Experiment, pause, type Sampler } from '../harness.ts';
import { plainCopy } from '../peers/copy.ts';
import { HOW_TO_GET_NUMPY, openNumPy } from '../peers/numpy.ts';
import { type KernelPlan, kernelTiles } from '../programs/tiles.ts';
import type { Group, Settings } from '../suite.ts';

const url = pathToFileURL(join(process.env.SHEAF_BENCH_PROGRAMS ?? '', 'tiles.js')).href;

const LARGE = 4e7;
const SMALL = 1e5;
/** Rows whose operands and results stay in the cache of a core. */
const TILE = 16_384;
/** Rows that are worth the taking of a chunk. */
const GRAIN = 65_536;
/** After so long everybody is asleep. */
const PARKED_MS = 5;

/** `abs((x * 2 + 1) * x - 0.5)`: five operators, one operand. */
const EXPRESSION = 'np.abs((x * 2 + 1) * x - 0.5)';

function chain(): Kernel {
  const builder = new KernelBuilder(1);
  const x = builder.operand('f64');
  const number = (value: number): number => builder.constant(value, 'f64');
  let value = builder.apply('multiply', [x, number(2)], 'f64');
  value = builder.apply('add', [value, number(1)], 'f64');
  value = builder.apply('multiply', [value, x], 'f64');
  value = builder.apply('subtract', [value, number(0.5)], 'f64');
  return builder.result(builder.apply('abs', [value], 'f64')).build();
}

const NAMES = {
  large: 'chain of 5, 4e7 doubles',
  small: 'chain of 5, 1e5 doubles',
  parked: 'chain of 5, 1e5 doubles, after a pause',
} as const;

export const chains: Group = {
  names: Object.values(NAMES),
  async open({ cpus, quick }: Settings) {
    const ms = quick ? 200 : 1000;
    const numpy = await openNumPy();
    if (numpy === undefined) console.log(`no NumPy to compare with; to have it: ${HOW_TO_GET_NUMPY}`);
    const copy = await plainCopy(cpus, LARGE);
    const session = await connect({ cpus, memory: '2GiB' });
    const engine = hostOf(session.url)?.engine;
    const gang = engine === undefined ? undefined : Gang.of(engine);
    if (engine === undefined || gang === undefined) throw new Error('the session has no gang');
    const buffers = new SessionBuffers(engine.store);
    const kernel = chain();

    /** Runs the chain over `elements` doubles. */
    const prepare = (elements: number): (() => Promise<void> | undefined) => {
      const x = buffers.adopt('f64', new Float64Array(elements).fill(1.5));
      const y = buffers.allocate('f64', elements);
      buffers.use(x);
      const [from, to] = [buffers.placed(x), buffers.placed(y)];
      if (from === undefined || from.region !== to?.region) throw new Error('the arrays lie in two regions');
      const { region } = from;
      const plan: KernelPlan = { kernel, operands: [from.placed.offset], result: to.placed.offset, tile: TILE };
      const runner = kernelTiles(plan, engine.store.memory(region) as WebAssembly.Memory, 0);
      const chunks = gang.cut(elements, TILE, GRAIN);
      const module = { url, name: 'kernelTiles' };
      return () =>
        gang.run({ module, runner, plan, region, objects: () => [from.placed, to.placed], chunks, tile: TILE });
    };

    /** Gigabytes read and written per second. */
    const bandwidth = (elements: number): Sampler => {
      const run = prepare(elements);
      return async () => {
        await run();
        const start = performance.now();
        let runs = 0;
        for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - start) {
          const done = run();
          if (done !== undefined) await done;
          runs++;
        }
        return (runs * 16 * elements) / (performance.now() - start) / 1e6;
      };
    };
    /** The same of single runs, each after a pause: the median. */
    const afterPauses = (elements: number): Sampler => {
      const run = prepare(elements);
      return async () => {
        const times: number[] = [];
        for (let i = 0; i < ms / 10; i++) {
          await pause(PARKED_MS);
          const start = performance.now();
          const done = run();
          if (done !== undefined) await done;
          times.push(performance.now() - start);
        }
        times.sort((a, b) => a - b);
        return (16 * elements) / (times[times.length >> 1] as number) / 1e6;
      };
    };
    const inNumPy = (elements: number): Record<string, Sampler> =>
      numpy === undefined
        ? {}
        : { numpy: numpy.rate(`x = np.full(${elements}, 1.5)`, EXPRESSION, ms, (16 * elements) / 1e9) };
    const experiments: Experiment[] = [
      {
        name: NAMES.large,
        unit: 'GB/s',
        better: 'more',
        ours: bandwidth(LARGE),
        peers: { copy: copy.rate(ms), ...inNumPy(LARGE) },
        requires: { tier: 'gate', ratios: { copy: 0.7, numpy: 3 } },
      },
      {
        name: NAMES.small,
        unit: 'GB/s',
        better: 'more',
        ours: bandwidth(SMALL),
        peers: inNumPy(SMALL),
        requires: { tier: 'gate', ratios: { numpy: 3 } },
      },
      {
        name: NAMES.parked,
        unit: 'GB/s',
        better: 'more',
        ours: afterPauses(SMALL),
        peers: inNumPy(SMALL),
        requires: { tier: 'gate', ratios: { numpy: 1 } },
      },
    ];
    return {
      experiments,
      async close() {
        await session[Symbol.asyncDispose]();
        await copy.close();
        await numpy?.close();
      },
    };
  },
};
