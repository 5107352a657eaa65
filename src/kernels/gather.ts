import { Code, I32, I64 } from './wasm/code.ts';
import { moduleBytes } from './wasm/module.ts';

/**
 * Copies rows by their numbers: an i64 for each row, at `indices` and so many bytes apart, of the rows at `from`; each to the next row at `into`. All
 * are addresses in the memory, and steps bytes. Gives how many were copied before one that there is not among `length`.
 */
export type GatherFunction = (
  indices: number,
  indexStep: number,
  from: number,
  fromStep: number,
  into: number,
  intoStep: number,
  rows: number,
  length: bigint,
) => number;

const known = new WeakMap<WebAssembly.Memory, Map<string, GatherFunction>>();

/** For rows of so many elements, of so many bytes each, without gaps. Of each memory it is compiled once. */
export function gatherFunction(memory: WebAssembly.Memory, bytes: number, count: number): GatherFunction {
  let own = known.get(memory);
  if (own === undefined) {
    own = new Map();
    known.set(memory, own);
  }
  const key = `${bytes} ${count}`;
  let compiled = own.get(key);
  if (compiled === undefined) {
    const module = new WebAssembly.Module(gatherModule(bytes, count, memory.buffer instanceof SharedArrayBuffer));
    compiled = new WebAssembly.Instance(module, { sheaf: { memory } }).exports.run as GatherFunction;
    own.set(key, compiled);
  }
  return compiled;
}

const I64_LOAD = 0x29;
const I64_GE_U = 0x5a;
const I32_WRAP = 0xa7;
const I32_ADD = 0x6a;
const I32_MUL = 0x6c;
const I32_LT_U = 0x49;
/** `return`. */
const RETURN = 0x0f;
/** Integers of so many bytes: how they are loaded, and stored. */
const MOVES: Readonly<Record<number, readonly [load: number, store: number]>> = {
  1: [0x2d, 0x3a],
  2: [0x2f, 0x3b],
  4: [0x28, 0x36],
  8: [0x29, 0x37],
};
/** Up to so many moves are written one after the other. */
const FEW = 16;
const VECTOR = 16;

function gatherModule(bytes: number, count: number, shared: boolean): Uint8Array<ArrayBuffer> {
  const c = new Code([I32]);
  const [indices, indexStep, from, fromStep, into, intoStep, rows] = Array.from({ length: 7 }, () => c.param(I32)) as [
    ...[number, number, number, number],
    ...[number, number, number],
  ];
  const length = c.param(I64);
  const [row, at, to, end] = Array.from({ length: 4 }, () => c.local(I32)) as [number, number, number, number];
  const index = c.local(I64);
  const advance = (pointer: number, by: () => void): void => {
    c.get(pointer);
    by();
    c.op(I32_ADD).set(pointer);
  };
  const size = bytes * count;
  const vectors = Math.floor(size / VECTOR);
  const [load, store] = MOVES[bytes] as readonly [number, number];
  const moveVector = (offset: number): void => {
    c.get(to, at).simdMemory(0x00, offset).simdMemory(0x0b, offset);
  };
  const rest = (start: number, until: number): void => {
    for (let offset = start; offset < until; offset += bytes) c.get(to, at).memory(load, offset).memory(store, offset);
  };
  c.while(
    () => c.get(row, rows).op(I32_LT_U),
    () => {
      c.get(indices).memory(I64_LOAD, 0).set(index);
      c.get(index, length)
        .op(I64_GE_U)
        .if(() => c.get(row).op(RETURN));
      c.get(from, index).op(I32_WRAP).get(fromStep).op(I32_MUL, I32_ADD).set(at);
      c.get(into).set(to);
      if (vectors > FEW) {
        c.get(at)
          .i32(vectors * VECTOR)
          .op(I32_ADD)
          .set(end);
        c.while(
          () => c.get(at, end).op(I32_LT_U),
          () => {
            moveVector(0);
            advance(at, () => c.i32(VECTOR));
            advance(to, () => c.i32(VECTOR));
          },
        );
        rest(0, size % VECTOR);
      } else {
        for (let i = 0; i < vectors; i++) moveVector(i * VECTOR);
        rest(vectors * VECTOR, size);
      }
      advance(indices, () => c.get(indexStep));
      advance(into, () => c.get(intoStep));
      advance(row, () => c.i32(1));
    },
  );
  c.get(row);
  return moduleBytes({ shared, imports: [], functions: [{ name: 'run', code: c }] });
}
