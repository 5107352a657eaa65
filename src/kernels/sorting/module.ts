import { Code, I32, I64, V128 } from '../wasm/code.ts';
import { moduleBytes } from '../wasm/module.ts';
import { OPCODES as op } from '../wasm/opcodes.ts';

/**
 * Doubles are sorted as signed integers of 64 bits that have their order: NaNs are the greatest, zeros are one. They are put into buckets by their upper
 * bits, then each bucket, which lies in a cache, into smaller ones, until what is left is next to in order (as MSD radix sort; J. L. Bentley and
 * M. D. McIlroy, "Engineering Radix Sort", 1993). Which bits are the upper ones a sample of the numbers tells.
 */

/** The most bits by which buckets are told apart inside of one: a table of counts that is left in a cache. */
const INNER_BITS = 15;

/** Bytes that a thread needs for tables, to sort so many: there may be one for each digit, and all digits have 64 bits together. */
export function tableBytes(count: number): number {
  const bits = Math.min(INNER_BITS, 32 - Math.clz32(count));
  return Math.ceil(64 / bits) * 4 * 2 ** bits;
}

/** How many are looked at to find out about the upper bits. */
const SAMPLE = 1024;
/** Up to so many are inserted one after the other. */
const FEW = 24;
/** What is so near to where it belongs is inserted as well. */
const NEAR = 16;

const FILL = 11;
const COPY = 10;
const simd = {
  load: 0,
  store: 11,
  splat64: 18,
  splatF64: 20,
  eq64: 214,
  xor: 81,
  bitselect: 82,
  shrS64: 204,
  shrU64: 205,
} as const;

const SIGN = -(2n ** 63n);
/** The key of what is no number. */
const LAST = 2n ** 63n - 1n;

type Six = [number, number, number, number, number, number];

const forth = (c: Code, local: number, by: number): Code => c.get(local).i32(by).op(op.add).set(local);

/** What a key is made with: room for it, and whether the order is the other one (all bits) or not (none). */
interface KeyLocals {
  readonly raw: number;
  readonly flip: number;
}

/** Leaves the key of the double at `from` on the stack; `raw` is what is there, with a positive zero. */
function key(c: Code, from: number, { raw, flip }: KeyLocals): void {
  c.i64(0n).get(from).memory(op.load64, 0).tee(raw).get(raw).i64(SIGN).op(op.eq64, op.select).tee(raw);
  c.get(raw).i64(63n).op(op.shrS64).i64(1n).op(op.shrU64, op.xor64).get(flip).op(op.xor64);
  c.i64(LAST).get(raw).op(op.asF64).get(raw).op(op.asF64, op.eqF, op.select);
}

/** Where the keys of a sample lie: stores the shift that leaves at most `size` of what they begin with, the first of these, and the last one less that. */
function range(): Code {
  const c = new Code();
  const [from, count, size, into] = [c.param(I32), c.param(I32), c.param(I32), c.param(I32)];
  const flip = c.param(I64);
  const [step, left, shift] = [c.local(I32), c.local(I32), c.local(I64)];
  const [raw, own, least, most] = [c.local(I64), c.local(I64), c.local(I64), c.local(I64)];
  c.i64(LAST).set(least).i64(SIGN).set(most);
  // Not a power of two, which may go well with how the numbers repeat.
  c.get(count).i32(SAMPLE).op(op.divU).i32(1).op(op.or).set(step);
  c.i32(SAMPLE).get(count).i32(SAMPLE).get(count).op(op.ltU, op.select).set(left);
  c.while(
    () => c.get(left),
    () => {
      key(c, from, { raw, flip });
      c.tee(own).i64(LAST).op(op.eq64, op.eqz);
      c.if(() => {
        c.get(own).get(least).get(own).get(least).op(op.ltS64, op.select).set(least);
        c.get(own).get(most).get(own).get(most).op(op.gtS64, op.select).set(most);
      });
      c.get(from).get(step).i32(3).op(op.shl, op.add).set(from);
      forth(c, left, -1);
    },
  );
  // Nothing but NaNs.
  c.get(least).get(most).op(op.gtS64);
  c.if(() => c.i64(0n).tee(least).set(most));
  c.while(
    () => {
      c.get(most).get(shift).op(op.shrS64).get(least).get(shift).op(op.shrS64, op.sub64);
      // As unsigned: the difference of the very first and last is more than half of all.
      c.get(size).op(op.extendU, op.geU64);
    },
    () => c.get(shift).i64(1n).op(op.add64).set(shift),
  );
  c.get(into).get(least).get(shift).op(op.shrS64).memory(op.store64, 0);
  c.get(into).get(shift).memory(op.store64, 8);
  c.get(into).get(most).get(shift).op(op.shrS64).get(least).get(shift).op(op.shrS64, op.sub64).memory(op.store64, 16);
  return c;
}

/** Leaves the bucket of the key on the stack, as an i32: those that are too small are in the first one, those too large in the last one. */
function bucket(c: Code, { own, shift, base, last }: Record<'own' | 'shift' | 'base' | 'last', number>): void {
  c.get(shift).op(op.shrS64).tee(own).get(base).get(own).get(base).op(op.gtS64, op.select).get(base).op(op.sub64);
  // What is left is not negative, or so large that it has wrapped.
  c.tee(own).get(last).get(own).get(last).op(op.ltU64, op.select, op.wrap);
}

/** The parameters of `count` and `scatter`, with others behind them, and room for what they make of them. */
function line(c: Code, others = 0) {
  const [from, left, table] = [c.param(I32), c.param(I32), c.param(I32)];
  const [flip, base, shift, last] = [c.param(I64), c.param(I64), c.param(I64), c.param(I64)];
  const more = Array.from({ length: others }, () => c.param(I32));
  const [raw, own, at] = [c.local(I64), c.local(I64), c.local(I32)];
  return { from, left, table, flip, base, shift, last, raw, own, at, more };
}

/** Counts how many keys there are in each bucket. Gives whether there is a negative zero. */
function count(): Code {
  const c = new Code([I32]);
  const { from, left, table, at, ...rest } = line(c);
  const negative = c.local(I32);
  c.get(table).i32(0).get(rest.last).op(op.wrap).i32(1).op(op.add).i32(2).op(op.shl);
  c.extended(FILL).op(0);
  c.while(
    () => c.get(left),
    () => {
      c.get(from).memory(op.load64, 0).i64(SIGN).op(op.eq64).get(negative).op(op.or).set(negative);
      key(c, from, rest);
      bucket(c, rest);
      c.i32(2).op(op.shl).get(table).op(op.add).tee(at);
      c.get(at).memory(op.load32, 0).i32(1).op(op.add).memory(op.store32, 0);
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c.get(negative);
}

/** Puts keys into buckets; the table has the address at which the next one of each goes. */
function scatter(): Code {
  const c = new Code();
  const { from, left, table, at, ...rest } = line(c);
  const [k, to] = [c.local(I64), c.local(I32)];
  c.while(
    () => c.get(left),
    () => {
      key(c, from, rest);
      c.tee(k);
      bucket(c, rest);
      c.i32(2).op(op.shl).get(table).op(op.add).tee(at);
      c.memory(op.load32, 0).tee(to).get(k).memory(op.store64, 0);
      c.get(at).get(to).i32(8).op(op.add).memory(op.store32, 0);
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c;
}

/** Puts the keys of some buckets one after the other, to where a table would be: of so many from the one with a number on. */
function gather(): Code {
  const c = new Code();
  const { from, left, table: to, more, ...rest } = line(c, 2);
  const [first, span] = more as [number, number];
  const own = c.local(I64);
  c.while(
    () => c.get(left),
    () => {
      key(c, from, rest);
      c.tee(own);
      bucket(c, rest);
      c.get(first).op(op.sub).get(span).op(op.ltU);
      c.if(() => {
        c.get(to, own).memory(op.store64, 0);
        forth(c, to, 8);
      });
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c;
}

/** Inserts each key where it belongs among those before it. */
function insertion(): Code {
  const c = new Code();
  const [start, left] = [c.param(I32), c.param(I32)];
  const [from, at, own, before] = [c.local(I32), c.local(I32), c.local(I64), c.local(I64)];
  c.get(left).i32(2).op(op.ltU);
  c.if(() => c.op(op.return));
  c.get(start).memory(op.load64, 0).set(before);
  c.get(start).i32(8).op(op.add).set(from);
  forth(c, left, -1);
  c.while(
    () => c.get(left),
    () => {
      c.get(from).memory(op.load64, 0).tee(own).get(before).op(op.ltS64);
      c.op(op.if, 0x40);
      c.get(from).set(at);
      c.op(op.block, 0x40, op.loop, 0x40);
      c.get(at).get(before).memory(op.store64, 0);
      forth(c, at, -8);
      c.get(at).get(start).op(op.eq, op.brIf, 1);
      c.get(own).get(at).i32(8).op(op.sub).memory(op.load64, 0).tee(before).op(op.ltS64, op.brIf, 0);
      c.op(op.end, op.end);
      c.get(at).get(own).memory(op.store64, 0);
      c.get(from).memory(op.load64, 0).set(before);
      c.op(op.else);
      c.get(own).set(before);
      c.op(op.end);
      forth(c, from, 8);
      forth(c, left, -1);
    },
  );
  return c;
}

/**
 * Sorts keys at `a`, which differ in their lowest `bits` bits only: into `b`, or, to `stay`, where they are; both are written. `insert`, `part`: the
 * functions that do the rest.
 */
function part({ insert, part: self }: { readonly insert: number; readonly part: number }): Code {
  const c = new Code();
  const [a, b, count] = [c.param(I32), c.param(I32), c.param(I32)];
  const [bits, stay, table] = [c.param(I32), c.param(I32), c.param(I32)];
  const [digit, mask, most, left, from, at] = Array.from({ length: 6 }, () => c.local(I32)) as Six;
  const [to, end, last, shift, own] = [c.local(I32), c.local(I32), c.local(I32), c.local(I64), c.local(I64)];
  const bytes = (): Code => c.get(count).i32(3).op(op.shl);
  const copy = (into: number, source: number): void => {
    c.get(into).get(source);
    bytes().extended(COPY).op(0, 0);
  };
  const done = (): void => {
    c.get(stay).op(op.eqz);
    c.if(() => copy(b, a));
    c.op(op.return);
  };
  const doneThere = (): void => {
    c.get(stay);
    c.if(() => copy(a, b));
    c.op(op.return);
  };
  /** The place of the digit of the key at `from` in the table. */
  const place = (): Code => {
    c.get(from).memory(op.load64, 0).tee(own).i64(SIGN).op(op.xor64).get(shift).op(op.shrU64, op.wrap);
    return c.get(mask).op(op.and).i32(2).op(op.shl).get(table).op(op.add).tee(at);
  };
  /** Calls for each key at `a`. */
  const each = (body: () => void): void => {
    c.get(a).set(from).get(count).set(left);
    c.while(
      () => c.get(left),
      () => {
        body();
        forth(c, from, 8);
        forth(c, left, -1);
      },
    );
  };

  c.get(count).i32(FEW).op(op.leU);
  c.if(() => {
    c.get(a, count).call(insert);
    done();
  });
  c.op(op.loop, 0x40);
  c.get(bits).op(op.eqz);
  c.if(done);
  // So many buckets as keys, or twice as many.
  c.i32(32).get(count).op(op.clz, op.sub).set(digit);
  for (const most of [() => c.i32(INNER_BITS), () => c.get(bits)]) {
    c.get(digit);
    most();
    c.get(digit);
    most();
    c.op(op.ltU, op.select).set(digit);
  }
  c.get(bits).get(digit).op(op.sub).tee(bits).op(op.extendU).set(shift);
  c.i32(1).get(digit).op(op.shl).i32(1).op(op.sub).set(mask);
  c.get(table).i32(0).i32(4).get(digit).op(op.shl).extended(FILL).op(0);
  each(() => {
    place().get(at).memory(op.load32, 0).i32(1).op(op.add).memory(op.store32, 0);
  });
  // Counts become addresses.
  c.i32(0).set(most).get(b).set(to).get(table).set(at);
  c.get(table).i32(4).get(digit).op(op.shl, op.add).set(last);
  c.while(
    () => c.get(at).get(last).op(op.ltU),
    () => {
      c.get(at).memory(op.load32, 0).tee(left).get(most).get(left).get(most).op(op.gtU, op.select).set(most);
      c.get(at).get(to).memory(op.store32, 0);
      c.get(to).get(left).i32(3).op(op.shl, op.add).set(to);
      forth(c, at, 4);
    },
  );
  // All in one: on to the next digit.
  c.get(most).get(count).op(op.eq, op.brIf, 0);
  c.op(op.end);
  each(() => {
    place().memory(op.load32, 0).tee(to).get(own).memory(op.store64, 0);
    c.get(at).get(to).i32(8).op(op.add).memory(op.store32, 0);
  });
  c.get(bits).op(op.eqz);
  c.if(doneThere);
  c.get(most).i32(NEAR).op(op.gtU);
  c.if(() => {
    c.get(b).set(from).get(table).set(at);
    c.while(
      () => c.get(at).get(last).op(op.ltU),
      () => {
        c.get(at).memory(op.load32, 0).tee(end).get(from).op(op.sub).i32(3).op(op.shrU).tee(left).i32(NEAR).op(op.gtU);
        c.if(() => {
          c.get(from).get(from).get(b).op(op.sub).get(a).op(op.add).get(left, bits).i32(1).get(last).call(self);
        });
        c.get(end).set(from);
        forth(c, at, 4);
      },
    );
  });
  c.get(b, count).call(insert);
  doneThere();
  return c;
}

/** Makes doubles of keys. */
function restore(): Code {
  const c = new Code();
  const [at, left, flip] = [c.param(I32), c.param(I32), c.param(I64)];
  const [own, all, key2, nan, last] = [c.local(I64), c.local(V128), c.local(V128), c.local(V128), c.local(V128)];
  c.f64(Number.NaN).simd(simd.splatF64).set(nan).i64(LAST).simd(simd.splat64).set(last);
  c.get(flip).simd(simd.splat64).set(all);
  c.while(
    () => c.get(left).i32(1).op(op.gtU),
    () => {
      c.get(at, nan).get(at).simdMemory(simd.load, 0).tee(key2).get(all).simd(simd.xor).tee(key2);
      c.get(key2).i32(63).simd(simd.shrS64).i32(1).simd(simd.shrU64, simd.xor);
      c.get(at).simdMemory(simd.load, 0).get(last).simd(simd.eq64, simd.bitselect).simdMemory(simd.store, 0);
      forth(c, at, 16);
      forth(c, left, -2);
    },
  );
  c.get(left);
  c.if(() => {
    c.get(at).f64(Number.NaN).op(op.asI64);
    c.get(at).memory(op.load64, 0).get(flip).op(op.xor64).tee(own);
    c.get(own).i64(63n).op(op.shrS64).i64(1n).op(op.shrU64, op.xor64);
    c.get(at).memory(op.load64, 0).i64(LAST).op(op.eq64, op.select).memory(op.store64, 0);
  });
  return c;
}

/** Sorts the keys of a bucket at `a`, which is written, into `b`, as doubles. `bits`: in which they may differ, or all if it is negative. */
function finish(callees: { readonly part: number; readonly restore: number }): Code {
  const c = new Code();
  const [a, b, count, bits] = [c.param(I32), c.param(I32), c.param(I32), c.param(I32)];
  const [flip, table] = [c.param(I64), c.param(I32)];
  const [from, left, own, differ] = [c.local(I32), c.local(I32), c.local(I64), c.local(I64)];
  c.get(count).op(op.eqz);
  c.if(() => c.op(op.return));
  c.get(bits).i32(0).op(op.ltS);
  c.if(() => {
    c.get(a).memory(op.load64, 0).set(own).get(a).set(from).get(count).set(left);
    c.while(
      () => c.get(left),
      () => {
        c.get(from).memory(op.load64, 0).get(own).op(op.xor64).get(differ).op(op.or64).set(differ);
        forth(c, from, 8);
        forth(c, left, -1);
      },
    );
    c.i64(64n).get(differ).op(op.clz64, op.sub64, op.wrap).set(bits);
  });
  c.get(a, b, count, bits).i32(0).get(table).call(callees.part);
  c.get(b, count, flip).call(callees.restore);
  return c;
}

/**
 * The same for buckets from `at` up to `end`. The keys of bucket i are at the address that `starts` has for it; those of the first one and of the last
 * one may differ in all bits. `there`: how far the doubles are from the keys.
 */
function finishAll(callee: number): Code {
  const c = new Code();
  const [starts, at, end, last] = [c.param(I32), c.param(I32), c.param(I32), c.param(I32)];
  const [there, bits, table, flip] = [c.param(I32), c.param(I32), c.param(I32), c.param(I64)];
  const [place, from] = [c.local(I32), c.local(I32)];
  c.get(starts, at).i32(2).op(op.shl, op.add).set(place);
  c.while(
    () => c.get(at, end).op(op.ltU),
    () => {
      c.get(place).memory(op.load32, 0).tee(from).get(from, there).op(op.add);
      c.get(place).memory(op.load32, 4).get(from).op(op.sub).i32(3).op(op.shrU);
      c.i32(-1).get(bits).get(at).op(op.eqz).get(at, last).op(op.eq, op.or, op.select);
      c.get(flip, table).call(callee);
      forth(c, place, 4);
      forth(c, at, 1);
    },
  );
  return c;
}

type OfPart = [from: number, count: number, table: number, flip: bigint, base: bigint, shift: bigint, last: bigint];

export interface SortFunctions {
  range(from: number, count: number, size: number, into: number, flip: bigint): void;
  count(...part: OfPart): number;
  scatter(...part: OfPart): void;
  gather(...part: [...OfPart, first: number, buckets: number]): void;
  finish(a: number, b: number, count: number, bits: number, flip: bigint, table: number): void;
  finishAll(
    starts: number,
    at: number,
    end: number,
    last: number,
    there: number,
    bits: number,
    table: number,
    flip: bigint,
  ): void;
}

/** Functions over the memory that doubles lie in; addresses and counts are signed numbers of 32 bits. */
export function sortFunctions(memory: WebAssembly.Memory): SortFunctions {
  const functions = [
    { name: 'insertion', code: insertion() },
    { name: 'part', code: part({ insert: 0, part: 1 }) },
    { name: 'restore', code: restore() },
    { name: 'finish', code: finish({ part: 1, restore: 2 }) },
    { name: 'finishAll', code: finishAll(3) },
    { name: 'range', code: range() },
    { name: 'count', code: count() },
    { name: 'scatter', code: scatter() },
    { name: 'gather', code: gather() },
  ];
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(moduleBytes({ shared, imports: [], functions }));
  return new WebAssembly.Instance(module, { sheaf: { memory } }).exports as unknown as SortFunctions;
}
