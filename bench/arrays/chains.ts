/** Elementwise chains: what part of the memory's bandwidth the workers of a session get, beside a plain copy and NumPy. */
import type { ElementOpName } from '../../src/kernels/index.ts';
import { type Buffer, Node, pipelinesOf } from '../../src/pipelines/index.ts';
import { hostOf } from '../../src/runtime/index.ts';
import { connect } from '../../src/tasks/index.ts';
import { type Experiment, pause, type Sampler } from '../harness.ts';
import { plainCopy } from '../peers/copy.ts';
import { HOW_TO_GET_NUMPY, openNumPy } from '../peers/numpy.ts';
import type { Group, Settings } from '../suite.ts';

const LARGE = 4e7;
const SMALL = 1e5;
/** After so long everybody is asleep. */
const PARKED_MS = 5;

/** Five operators, one operand. */
const EXPRESSION = 'np.abs((x * 2 + 1) * x - 0.5)';

/** The same, as a graph of nodes over elements that are there. */
function chain(buffer: Buffer): Node {
  const shape = [buffer.length];
  const number = (value: number): Node => new Node({ kind: 'constant', value }, [], 'f64');
  const apply = (op: ElementOpName, ...args: Node[]): Node => new Node({ kind: 'element', op }, shape, 'f64', args);
  const x = new Node({ kind: 'source', buffer, offset: 0, strides: [1] }, shape, 'f64');
  const inner = apply('multiply', apply('add', apply('multiply', x, number(2)), number(1)), x);
  return apply('abs', apply('subtract', inner, number(0.5)));
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
    if (engine === undefined) throw new Error('the session has no engine');
    const pipelines = pipelinesOf(engine);
    const { buffers } = pipelines;

    /** Runs the chain over `elements` doubles; its result is let go. */
    const prepare = (elements: number): (() => Promise<void>) => {
      const x = buffers.adopt('f64', new Float64Array(elements).fill(1.5));
      return async () => {
        const root = chain(x);
        await pipelines.compute([root]);
        if (root.op.kind !== 'source') throw new Error('the chain was not computed');
        buffers.release(root.op.buffer);
      };
    };

    /** Gigabytes read and written per second. */
    const bandwidth = (elements: number): Sampler => {
      const run = prepare(elements);
      return async () => {
        await run();
        const start = performance.now();
        let runs = 0;
        for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - start) {
          await run();
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
          await run();
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
