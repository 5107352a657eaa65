/** What `remote` is given in inference.ts. */
export const version = 3;
export function plain(a: number, b: string): string {
  return b.repeat(a);
}
export async function slow(xs: readonly number[]): Promise<Float64Array> {
  return Float64Array.from(xs);
}
export class Counter {
  n = 0;
  add(k: number): number {
    this.n += k;
    return this.n;
  }
}
export function* numbers(): Generator<number> {
  yield 1;
}
