/** What an operation costs beside its arithmetic. */
import { type Arr, fromTyped } from '../../src/arrays/index.ts';
import type { Group } from '../suite.ts';
import { computing, group } from './bench.ts';

const OPERATIONS = 10_000;
const ELEMENTS = 3;

const NAMES = {
  chain: `operation on ${ELEMENTS} elements, in a chain of 10,000`,
  each: `operation on ${ELEMENTS} elements, computed one by one`,
  first: 'first run of an expression of 5 operators',
  compiled: 'modules compiled for 100 runs of one expression',
} as const;

type Vector = Arr<'f64'>;
type Step = (x: Vector) => Vector;

/** Operators that make structures: five of them in a row make an expression that was never compiled before, if their choice is new. */
const STEPS: readonly Step[] = [
  (x) => x.add(0.5),
  (x) => x.mul(1.25),
  (x) => x.sub(0.25),
  (x) => x.abs(),
  (x) => x.neg(),
  (x) => x.square(),
  (x) => x.floor(),
  (x) => x.maximum(0.125),
];
const LENGTH = 5;

function expressionOf(choice: number): Step {
  return (x) => {
    let [y, rest] = [x, choice];
    for (let i = 0; i < LENGTH; i++) {
      y = (STEPS[rest % STEPS.length] as Step)(y).add(x);
      rest = Math.floor(rest / STEPS.length);
    }
    return y;
  };
}

export const tiny: Group = group(Object.values(NAMES), (bench) => {
  const shrinking: Step = (x) => {
    let y = x;
    for (let i = 0; i < OPERATIONS / 2; i++) y = y.mul(0.5).add(x);
    return y;
  };
  const start = (): Vector => fromTyped(Float64Array.of(1, 2, 3)) as Vector;
  const python = `x = np.array([1.0, 2, 3])
def chain(x):
    y = x
    for i in range(${OPERATIONS / 2}): y = y * 0.5 + x
    return y`;
  const chain = bench.compared({
    name: NAMES.chain,
    ours: () => {
      const x = start();
      return computing(() => shrinking(x));
    },
    setup: python,
    peers: { numpy: 'chain(x)' },
  });
  const each = bench.compared({
    name: NAMES.each,
    ours: () => {
      const x = start();
      const run = async (): Promise<Vector> => {
        let y = x;
        for (let i = 0; i < OPERATIONS / 20; i++) y = await (await y.mul(0.5).persist()).add(x).persist();
        return y;
      };
      return { run, value: async () => ({ shape: [ELEMENTS], elements: await (await run()).data() }) };
    },
    setup: python.replace(String(OPERATIONS / 2), String(OPERATIONS / 20)),
    peers: { numpy: 'chain(x)' },
  });
  const perOperation = (row: typeof chain, operations: number): typeof chain => ({
    ...row,
    unit: 'µs',
    ours: async () => ((await row.ours()) * 1000) / operations,
    peers: Object.fromEntries(
      Object.entries(row.peers ?? {}).map(([name, sample]) => [
        name,
        async () => ((await sample()) * 1000) / operations,
      ]),
    ),
  });
  let choice = 0;
  const x = fromTyped(Float64Array.from({ length: 1000 }, (_, i) => i / 1000)) as Vector;
  return [
    { ...perOperation(chain, OPERATIONS), requires: { tier: 'gate', target: 10 } },
    perOperation(each, OPERATIONS / 10),
    {
      name: NAMES.first,
      unit: 'ms',
      better: 'less',
      // The slowest of some: planning, compiling and the first run.
      ours: async () => {
        let slowest = 0;
        for (let i = 0; i < 10; i++) {
          // Far from the last one, so that it has nothing in common with it but its length.
          choice = (choice + 12_345) % STEPS.length ** LENGTH;
          const from = performance.now();
          await expressionOf(choice)(x).persist();
          slowest = Math.max(slowest, performance.now() - from);
        }
        return slowest;
      },
      requires: { tier: 'gate', target: 2 },
    },
    {
      name: NAMES.compiled,
      unit: 'modules',
      better: 'less',
      ours: async () => {
        choice++;
        return modulesCompiled(async () => {
          for (let i = 0; i < 100; i++) {
            const other = fromTyped(new Float64Array(1000 + i).fill(i)) as Vector;
            await expressionOf(choice)(other).persist();
          }
        });
      },
      requires: { tier: 'gate', target: 1 },
    },
  ];
});

/** How many modules of WebAssembly this thread makes meanwhile. */
async function modulesCompiled(work: () => Promise<void>): Promise<number> {
  const { Module } = WebAssembly;
  let count = 0;
  WebAssembly.Module = new Proxy(Module, {
    construct(target, args) {
      count++;
      return Reflect.construct(target, args) as object;
    },
  });
  try {
    await work();
  } finally {
    WebAssembly.Module = Module;
  }
  return count;
}
