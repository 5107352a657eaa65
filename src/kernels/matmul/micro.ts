import { Code, I32, V128 } from '../wasm/code.ts';
import { moduleBytes } from '../wasm/module.ts';

/** What the inner kernels compute with. Narrower integers are multiplied as i32, and wrap when they are stored. */
export type Lane = 'f64' | 'f32' | 'i64' | 'i32';

interface Instructions {
  readonly bytes: 4 | 8;
  readonly multiply: number;
  readonly add: number;
  /** Both in one, rounded once (the relaxed SIMD proposal): where the engine has it. */
  readonly fused: number | undefined;
}

const INSTRUCTIONS: Readonly<Record<Lane, Instructions>> = {
  f64: { bytes: 8, multiply: 0xf2, add: 0xf0, fused: 0x107 },
  f32: { bytes: 4, multiply: 0xe6, add: 0xe4, fused: 0x105 },
  i64: { bytes: 8, multiply: 0xd5, add: 0xce, fused: undefined },
  i32: { bytes: 4, multiply: 0xb5, add: 0xae, fused: undefined },
};

const V128_LOAD = 0x00;
const V128_STORE = 0x0b;
const SPLAT = { 4: 0x09, 8: 0x0a } as const;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_GE_U = 0x4f;
/** So many steps along k in one round of the innermost loop. */
const UNROLLED = 4;

export const laneBytes = (lane: Lane): 4 | 8 => INSTRUCTIONS[lane].bytes;

/** How many rows and columns of the result the innermost loop holds in registers: of the 16 that there are, two are left for operands. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Products of packed panels: `panels of a` x `panels of b` tiles of the result, each k steps deep (Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", 2008; the names are those of BLIS: this is its macro-kernel with the micro-kernel in it).
 *
 * Its function takes the addresses of the panels of a (`rows` elements per step), of those of b (`columns` per step) and of the first
 * tile, the bytes from one row of the result to the next, the number of panels of a and of b, k, and whether the result is added to.
 */
export function blockModule(
  lane: Lane,
  { rows, columns }: Tile,
  fused: boolean,
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const { bytes, multiply, add, fused: both } = INSTRUCTIONS[lane];
  const c = new Code();
  const [a, b, into, row, aPanels, bPanels, k, accumulate] = Array.from({ length: 8 }, () => c.param(I32)) as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  const [left, tiles, aAt, bAt, at, aPanel, to, column] = Array.from({ length: 8 }, () => c.local(I32)) as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  const vectors = (columns * bytes) / 16;
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => c.local(V128)));
  const right = Array.from({ length: vectors }, () => c.local(V128));
  const splat = c.local(V128);
  const advance = (pointer: number, by: number): Code => c.get(pointer).i32(by).op(I32_ADD).set(pointer);

  const step = (offset: number): void => {
    for (const [j, vector] of right.entries()) {
      c.get(bAt)
        .simdMemory(V128_LOAD, offset * columns * bytes + 16 * j)
        .set(vector);
    }
    for (const [i, own] of sums.entries()) {
      c.get(aAt)
        .simdMemory(SPLAT[bytes], (offset * rows + i) * bytes)
        .set(splat);
      for (const [j, sum] of own.entries()) {
        if (fused && both !== undefined)
          c.get(splat, right[j] as number, sum)
            .simd(both)
            .set(sum);
        else
          c.get(sum, splat, right[j] as number)
            .simd(multiply, add)
            .set(sum);
      }
    }
  };
  const steps = (count: number): void => {
    for (let i = 0; i < count; i++) step(i);
    advance(aAt, count * rows * bytes);
    advance(bAt, count * columns * bytes);
    c.get(left).i32(count).op(I32_SUB).set(left);
  };
  const atTile = (work: (at: number, sum: number, offset: number) => void): void => {
    c.get(to).set(at);
    for (const own of sums) {
      for (const [j, sum] of own.entries()) work(at, sum, 16 * j);
      c.get(at, row).op(I32_ADD).set(at);
    }
  };
  const tile = (): void => {
    for (const own of sums) for (const sum of own) c.i32(0).simd(0x11).set(sum);
    c.get(k).set(left);
    c.while(
      () => c.get(left).i32(UNROLLED).op(I32_GE_U),
      () => steps(UNROLLED),
    );
    c.while(
      () => c.get(left),
      () => steps(1),
    );
    c.get(accumulate).if(() => {
      atTile((at, sum, offset) => c.get(at).simdMemory(V128_LOAD, offset).get(sum).simd(add).set(sum));
    });
    atTile((at, sum, offset) => c.get(at, sum).simdMemory(V128_STORE, offset));
  };

  c.while(
    () => c.get(bPanels),
    () => {
      c.get(a).set(aPanel).get(into).set(column).get(aPanels).set(tiles);
      c.while(
        () => c.get(tiles),
        () => {
          c.get(aPanel).set(aAt).get(b).set(bAt).get(column).set(to);
          tile();
          // Both have gone to the ends of their panels.
          c.get(aAt).set(aPanel);
          c.get(column, row).i32(rows).op(0x6c, I32_ADD).set(column);
          c.get(tiles).i32(1).op(I32_SUB).set(tiles);
        },
      );
      c.get(bAt).set(b);
      advance(into, columns * bytes);
      c.get(bPanels).i32(1).op(I32_SUB).set(bPanels);
    },
  );
  return moduleBytes({ shared, imports: [], functions: [{ name: 'run', code: c }] });
}
