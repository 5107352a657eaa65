// biome-ignore-all lint/correctness/noUnusedVariables: the examples are the design's, word for word
// biome-ignore-all lint/correctness/noUnusedImports: the examples are the design's, word for word
// biome-ignore-all lint/correctness/noUnusedFunctionParameters: the examples are the design's, word for word
// The part of the design's examples that this version has. Type-checked, never run.
import { all, alloc, asCompleted, byRef, connect, get, put, type Ref, scope, task } from 'sheaf';

const square = task((x: number) => x * x);
const add = task((a: number, b: number) => a + b);
const r: Ref<number> = add(square(3), 4);
const v: number = await r.value;
// @ts-expect-error
add('x', 1);
const [a, b] = await get([square(1), square(2)]);
const n: number = a + b;
const rec = await get({ p: square(1), q: 'k' });
const q: number = rec.p;
const fwd = task((x: number) => square(x));
const f: Ref<number> = fwd(2);
const inner = task((x: Ref<number>) => x.id);
inner(byRef(r));
// @ts-expect-error
inner(r);
const split = task((x: number): [number, string] => [x, '']);
const [s1, s2] = split.with({ returns: 2 })(3);
const sv: string = await s2.value;
const A = alloc(Float64Array, 10);
const fl: Float64Array = A;
for await (const o of square.map([1, 2, 3], { inFlight: 2 }))
  if (o.ok) {
    const z: number = o.value;
  }
for await (const o of add.map([1, 2], (i) => [i, i])) if (!o.ok) throw o.error;
const sum = task((xs: number[]) => 0);
sum(all([square(1), square(2)]));
for await (const [k, rf] of asCompleted({ a: square(1), b: square(2) })) {
  k satisfies 'a' | 'b';
}
await scope(async (s) => {
  const k = s.keep(square(1));
  return k.id;
});
await using sheaf = await connect();
await sheaf.drained();
