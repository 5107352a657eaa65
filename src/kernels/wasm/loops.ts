import type { Elements } from '../../nd/index.ts';
import { Code, F64, I32, V128 } from './code.ts';
import { moduleBytes } from './module.ts';
import { OPCODES as op } from './opcodes.ts';

const TRUNC_SAT = 2;
const simd = { load: 0, splatF64: 20, leF64: 75, geF64: 76, and: 78, allTrue64: 195 } as const;

type Five = [number, number, number, number, number];

/** So many doubles are compared before one asks about them. */
const AT_ONCE = 8;

/** `to[group] += from` for each element with a group that there is; groups are words, or pairs of them. */
function sums(step: 4 | 8): Code {
  const c = new Code();
  const [groups, from, to, count, left] = Array.from({ length: 5 }, () => c.param(I32)) as Five;
  const [group, at] = [c.local(I32), c.local(I32)];
  c.while(
    () => c.get(left),
    () => {
      c.get(groups).memory(op.load32, 0).tee(group).get(count).op(op.ltU);
      // Of those that are negative or large the upper half says it.
      if (step === 8) c.get(groups).memory(op.load32, 4).op(op.eqz, op.and);
      c.if(() => {
        c.get(to, group).i32(3).op(op.shl, op.add).tee(at);
        c.get(at).memory(op.loadF64, 0).get(from).memory(op.loadF64, 0).op(op.addF).memory(op.storeF64, 0);
      });
      forth(c, groups, step);
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c;
}

const forth = (c: Code, local: number, by: number): Code => c.get(local).i32(by).op(op.add).set(local);

/** Counts, of 64 bits, how many elements are between each edge and the next one: those are nearly equally far apart, `perBin` of them in a unit. */
function histogram(): Code {
  const c = new Code();
  const [from, left, edges, counts, last] = Array.from({ length: 5 }, () => c.param(I32)) as Five;
  const [least, greatest, perBin] = [c.param(F64), c.param(F64), c.param(F64)];
  const [value, bin, at] = [c.local(F64), c.local(I32), c.local(I32)];
  const edge = (offset: number): Code => c.get(edges, bin).i32(3).op(op.shl, op.add).memory(op.loadF64, offset);
  c.while(
    () => c.get(left),
    () => {
      c.get(from).memory(op.loadF64, 0).tee(value).get(least).op(op.geF).get(value).get(greatest).op(op.leF, op.and);
      c.if(() => {
        c.get(value).get(least).op(op.subF).get(perBin).op(op.mulF).extended(TRUNC_SAT).tee(bin);
        c.get(last, bin, last).op(op.ltU, op.select).set(bin);
        // The guess is off by roundings, seldom.
        c.get(value);
        edge(0).op(op.ltF);
        edge(8).get(value).op(op.leF, op.or);
        c.if(() => {
          c.while(
            () => {
              c.get(bin).i32(0).op(op.gtS).get(value);
              edge(0).op(op.ltF, op.and);
            },
            () => forth(c, bin, -1),
          );
          c.while(
            () => {
              c.get(bin, last).op(op.ltS);
              edge(8).get(value).op(op.leF, op.and);
            },
            () => forth(c, bin, 1),
          );
        });
        c.get(counts, bin).i32(3).op(op.shl, op.add).tee(at);
        c.get(at).memory(op.load64, 0).i64(1n).op(op.add64).memory(op.store64, 0);
      });
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c;
}

/** The first element that is not at most (or at least) `worst`: how many come before it. */
function beyond(descending: boolean): Code {
  const c = new Code([I32]);
  const [from, count, worst] = [c.param(I32), c.param(I32), c.param(F64)];
  const [left, all] = [c.local(I32), c.local(V128)];
  c.get(count).set(left).get(worst).simd(simd.splatF64).set(all);
  c.while(
    () => c.get(left).i32(AT_ONCE).op(op.geU),
    () => {
      for (let at = 0; at < AT_ONCE; at += 2) {
        c.get(from)
          .simdMemory(simd.load, 8 * at)
          .get(all)
          .simd(descending ? simd.leF64 : simd.geF64);
        if (at > 0) c.simd(simd.and);
      }
      c.simd(simd.allTrue64).op(op.eqz, op.brIf, 1);
      forth(c, from, 8 * AT_ONCE);
      forth(c, left, -AT_ONCE);
    },
  );
  c.while(
    () => c.get(left),
    () => {
      c.get(from)
        .memory(op.loadF64, 0)
        .get(worst)
        .op(descending ? op.leF : op.geF, op.eqz, op.brIf, 1);
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  c.get(count, left).op(op.sub);
  return c;
}

type Run = (...args: number[]) => number;

/** Loops over doubles in one memory, which all that they are given lies in. */
export class Loops {
  readonly #memory: WebAssembly.Memory;
  readonly #functions: Readonly<Record<string, Run>>;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    const shared = memory.buffer instanceof SharedArrayBuffer;
    const functions = [
      { name: 'sums4', code: sums(4) },
      { name: 'sums8', code: sums(8) },
      { name: 'histogram', code: histogram() },
      { name: 'greater', code: beyond(true) },
      { name: 'less', code: beyond(false) },
    ];
    const module = new WebAssembly.Module(moduleBytes({ shared, imports: [], functions }));
    this.#functions = new WebAssembly.Instance(module, { sheaf: { memory } }).exports as Record<string, Run>;
  }

  /** Whether arrays lie there. */
  has(...arrays: readonly Elements[]): boolean {
    return arrays.every(({ buffer }) => buffer === this.#memory.buffer);
  }

  /** `to[group] += from` for each element with a group that there is. */
  addGroups(groups: Int32Array | BigInt64Array, from: Float64Array, to: Float64Array): void {
    this.#run(`sums${groups.BYTES_PER_ELEMENT}`, groups, from, to, to.length, from.length);
  }

  /** Counts elements between each edge and the next one; the edges are about equally far apart. */
  count(from: Float64Array, edges: Float64Array, counts: BigInt64Array): void {
    const last = counts.length - 1;
    const [least, greatest] = [edges[0] as number, edges[last + 1] as number];
    this.#run('histogram', from, from.length, edges, counts, last, least, greatest, (last + 1) / (greatest - least));
  }

  /** The first place from `at` on whose element is not at most `worst` (not at least, if the least are wanted); NaN is neither. */
  beyond(line: Float64Array, at: number, worst: number, greatest: boolean): number {
    return at + this.#run(greatest ? 'greater' : 'less', (line.byteOffset + 8 * at) | 0, line.length - at, worst);
  }

  /** Arrays are given by their addresses, as signed numbers of 32 bits. */
  #run(name: string, ...args: readonly (Elements | number)[]): number {
    const given = args.map((each) => (typeof each === 'number' ? each : each.byteOffset | 0));
    return (this.#functions[name] as Run)(...given);
  }
}

const known = new WeakMap<WebAssembly.Memory, Loops>();

/** Those of a memory that has all of these arrays; they are compiled once. */
export function loopsFor(memory: WebAssembly.Memory | undefined, ...arrays: readonly Elements[]): Loops | undefined {
  if (memory === undefined) return undefined;
  let loops = known.get(memory);
  if (loops === undefined) {
    loops = new Loops(memory);
    known.set(memory, loops);
  }
  return loops.has(...arrays) ? loops : undefined;
}
