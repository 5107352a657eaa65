import type { Elements } from '../../nd/index.ts';
import type { Strided } from '../reference.ts';
import { Code, I32, I64, V128 } from '../wasm/code.ts';
import { moduleBytes } from '../wasm/module.ts';

const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_MUL = 0x6c;

/**
 * Copies a matrix into panels: `width` lines of it side by side, so that what the inner loop needs next lies next. Its function takes
 * the addresses of the first element and of the first panel, the number of (full) panels, their length, and the bytes from one line to
 * the next and from one step along the lines to the next. `contiguous`: the lines lie side by side already.
 */
export function packModule(bytes: 4 | 8, width: number, contiguous: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const c = new Code();
  const [from, to, panels, length, across, along] = Array.from({ length: 6 }, () => c.param(I32)) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  const [at, line, left] = [c.local(I32), c.local(I32), c.local(I32)];
  const vector = c.local(V128);
  const element = c.local(bytes === 8 ? I64 : I32);
  // Bits are moved as integers: a NaN stays what it is.
  const [load, store] = bytes === 8 ? [0x29, 0x37] : [0x28, 0x36];
  const advance = (pointer: number, by: () => void): void => {
    c.get(pointer);
    by();
    c.op(I32_ADD).set(pointer);
  };
  c.while(
    () => c.get(panels),
    () => {
      c.get(from).set(at).get(length).set(left);
      c.while(
        () => c.get(left),
        () => {
          if (contiguous) {
            for (let offset = 0; offset < width * bytes; offset += 16) {
              c.get(at).simdMemory(0x00, offset).set(vector).get(to, vector).simdMemory(0x0b, offset);
            }
          } else {
            c.get(at).set(line);
            for (let i = 0; i < width; i++) {
              c.get(line)
                .memory(load as number, 0)
                .set(element)
                .get(to, element)
                .memory(store as number, i * bytes);
              if (i < width - 1) advance(line, () => c.get(across));
            }
          }
          advance(to, () => c.i32(width * bytes));
          advance(at, () => c.get(along));
          c.get(left).i32(1).op(I32_SUB).set(left);
        },
      );
      advance(from, () => c.get(across).i32(width).op(I32_MUL));
      c.get(panels).i32(1).op(I32_SUB).set(panels);
    },
  );
  return moduleBytes({ shared, imports: [], functions: [{ name: 'run', code: c }] });
}

/** The same for a matrix that lies anywhere, and for a last panel that is not full: the rest of it is 0. */
export function packSlowly(
  { elements, offset, strides }: Strided,
  lines: number,
  length: number,
  width: number,
  into: Elements,
): void {
  const [across, along] = strides as [number, number];
  let to = 0;
  for (let panel = 0; panel < lines; panel += width) {
    const own = Math.min(width, lines - panel);
    if (own < width) into.fill((into instanceof BigInt64Array ? 0n : 0) as never, to, to + width * length);
    for (let i = 0; i < own; i++) {
      let from = offset + (panel + i) * across;
      for (let at = to + i, end = at + width * length; at < end; at += width) {
        into[at] = elements[from] as never;
        from += along;
      }
    }
    to += width * length;
  }
}
