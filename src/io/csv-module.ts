import { Code, F64, I32, I64, moduleBytes, OPCODES as op, V128 } from '../kernels/index.ts';
import { GREATEST_POWER, LEAST_POWER } from './decimal.ts';

/** As in csv-scan.ts: one more for whole numbers. */
const FRACTION = 1;

/** How many bytes of text are scanned at a time: they and what comes out of them stay in the cache. */
export const WINDOW = 1 << 18;
/** Of columns that the memory has room for. */
export const MOST_COLUMNS = 1 << 15;

/** Places in the memory. */
export const STATE = 0;
export const EXACTS = 64;
export const STEPS = EXACTS + 8 * 32;
export const POWERS = STEPS + 8 * 16;
export const KINDS = POWERS + 16 * (GREATEST_POWER - LEAST_POWER + 2);
/** The powers of ten, and the same with a sign. */
export const SIGNED = KINDS + MOST_COLUMNS;
/** Where the digits of a number are, by the place of its point and its length. */
export const ORDERS = SIGNED + 8 * 32;
export const TEXT = ORDERS + 16 * 16 * 17;
// Sixteen bytes are read at a time, past the end as well.
export const VALUES = TEXT + WINDOW + 64;
// A field without anything in it is only what ends it.
export const SIZE = VALUES + (WINDOW + 1) * 8;

const simd = {
  load: 0x00,
  constant: 0x0c,
  swizzle: 0x0e,
  extractF64: 0x21,
  gtS8: 0x27,
  and: 0x4e,
  bitmask8: 0x64,
  add8: 0x6e,
  sub8: 0x71,
  narrow16: 0x86,
  shrU16: 0x8d,
  add16: 0x8e,
  mul16: 0x95,
  dot32: 0xba,
  ofI32: 0xfe,
} as const;

/** Sixteen bytes that repeat these, as a constant. */
function repeated(code: Code, ...bytes: number[]): Code {
  code.simd(simd.constant);
  for (let i = 0; i < 16; i++) code.op(bytes[i % bytes.length] as number);
  return code;
}

/** Labels instead of depths. */
class Blocks {
  readonly #code: Code;
  readonly #labels: string[] = [];

  constructor(code: Code) {
    this.#code = code;
  }

  inside(kind: number, label: string, body: () => void): void {
    this.#code.op(kind, 0x40);
    this.#labels.push(label);
    body();
    this.#labels.pop();
    this.#code.op(op.end);
  }

  /** `kind`: `br`, or `brIf` for what is on the stack. */
  to(kind: number, label: string): void {
    this.#code.op(kind, this.#labels.length - 1 - this.#labels.lastIndexOf(label));
  }
}

type Five = [number, number, number, number, number];
const locals = (code: Code, type: typeof I32 | typeof I64 | typeof F64): Five =>
  [type, type, type, type, type].map((each) => code.local(each)) as Five;

/**
 * The module: scans numbers as they are usually written (a sign, up to 19 digits that count, a point, an exponent) from `p` to `end`, and stops before any
 * field that is something else, or where the rounding is in doubt (`scaled` in decimal.ts): those are for JavaScript. The answers are the same.
 */
export function scannerBytes(): Uint8Array<ArrayBuffer> {
  const code = new Code();
  const p = code.param(I32);
  const end = code.param(I32);
  const column = code.param(I32);
  const columns = code.param(I32);
  const delimiter = code.param(I32);
  const out = code.param(I32);
  // The byte looked at, where the field and its digits begin, and how many digits there are.
  const [c, start, first, digits, fraction] = locals(code, I32);
  const [exponent, negative, whole, e, down] = locals(code, I32);
  // The digits as a number, eight bytes of text, and what of them are no digits.
  const [m, v, t] = locals(code, I64);
  // As in `scaled`: the number and the power, each in two parts and these in halves.
  const [x, wLow, tHigh, tLow, s] = locals(code, F64);
  const [aHigh, aLow, bHigh, bLow] = locals(code, F64);
  const [low, high, doubt] = locals(code, F64);
  // Sixteen bytes less that of a zero, and bits of those that are no digits.
  const [text, others] = [code.local(V128), code.local(I32)];
  /** Sixteen bytes that repeat these, put into a variable before all. */
  const constant = (...bytes: number[]): number => {
    const local = code.local(V128);
    repeated(code, ...bytes).set(local);
    return local;
  };
  const [lift, nine, zeros] = [constant(128 - 48), constant(128 + 9), constant(48)];
  const [lower, tens] = [constant(255, 0), constant(10, 0)];
  const [hundreds, myriads] = [constant(100, 0, 1, 0), constant(0x10, 0x27, 1, 0)];
  const blocks = new Blocks(code);
  const byte = (): void => void code.get(p).memory(op.load8, 0);
  const step = (n: number): void => void code.get(p).i32(n).op(op.add).set(p);

  /** Eight digits, the first one in the lowest byte, as a number. */
  const eight = (): void => {
    code.i64(0x0f0f0f0f0f0f0f0fn).op(op.and64).i64(2561n).op(op.mul64).i64(8n).op(op.shrU64);
    code.i64(0x00ff00ff00ff00ffn).op(op.and64).i64(6553601n).op(op.mul64).i64(16n).op(op.shrU64);
    code.i64(0x0000ffff0000ffffn).op(op.and64).i64(42949672960001n).op(op.mul64).i64(32n).op(op.shrU64);
  };
  /** Digits from `p` on are appended to `m`. */
  const run = (): void => {
    blocks.inside(op.block, 'run', () => {
      blocks.inside(op.loop, 'more', () => {
        code.get(p).memory(op.load64, 0).tee(v).i64(0xf0f0f0f0f0f0f0f0n).op(op.and64);
        code
          .get(v)
          .i64(0x0606060606060606n)
          .op(op.add64)
          .i64(0xf0f0f0f0f0f0f0f0n)
          .op(op.and64)
          .i64(4n)
          .op(op.shrU64)
          .op(op.or64);
        code.i64(0x3333333333333333n).op(op.xor64).tee(t).op(op.eqz64);
        blocks.inside(op.if, 'all', () => {
          code.get(m).i64(100000000n).op(op.mul64).get(v);
          eight();
          code.op(op.add64).set(m);
          step(8);
          blocks.to(op.br, 'more');
        });
        // Of the eight, those before the first that is none: moved to the end, with zeros before.
        code.get(t).op(op.ctz64).i64(-8n).op(op.and64).tee(t).op(op.eqz64);
        blocks.to(op.brIf, 'run');
        code.get(m).get(t).op(op.wrap).memory(op.load64, STEPS).op(op.mul64);
        code.get(v).i64(64n).get(t).op(op.sub64).op(op.shl64);
        eight();
        code.op(op.add64).set(m);
        code.get(p).get(t).i64(3n).op(op.shrU64, op.wrap, op.add).set(p);
      });
    });
  };
  /** Dekker's and Veltkamp's: `a` as two halves. */
  const split = (a: number, upper: number, lower: number): void => {
    code
      .f64(2 ** 27 + 1)
      .get(a)
      .op(op.mulF)
      .tee(s)
      .get(s)
      .get(a)
      .op(op.subF, op.subF)
      .set(upper);
    code.get(a).get(upper).op(op.subF).set(lower);
  };

  /** What has to come now: a delimiter, or after the last column the end of the line. */
  const ends = (otherwise: string): void => {
    code.get(column).i32(1).op(op.add).get(columns).op(op.eq);
    blocks.inside(op.if, 'last', () => {
      code.get(c).i32(10).op(op.ne).get(c).i32(13).op(op.ne, op.and);
      blocks.to(op.brIf, otherwise);
      code.op(op.else);
      code.get(c).get(delimiter).op(op.ne);
      blocks.to(op.brIf, otherwise);
    });
  };
  /** `x` is the value of the field, without its sign. */
  const finish = (): void => {
    code.get(out);
    code.get(x).op(op.negF).get(x).get(negative).op(0x1b).memory(op.storeF64, 0);
    next();
  };
  /** The value is stored; `p` is where its field ends. */
  const next = (): void => {
    code.get(out).i32(8).op(op.add).set(out);
    code
      .get(column)
      .get(column)
      .memory(op.load8, KINDS)
      .get(whole)
      .i32(FRACTION)
      .op(op.add, op.or)
      .memory(op.store8, KINDS);
    code.i32(0).get(column).i32(1).op(op.add).tee(column).get(column).get(columns).op(op.eq, 0x1b).set(column);
    step(1);
    blocks.to(op.br, 'field');
  };
  /**
   * Most numbers: a sign, and up to 15 digits with a point anywhere, all of them in 16 bytes. Where they end is seen in all bytes at once, and does not
   * depend on their digits, so that the next field is looked at while these are made a number of.
   */
  const usual = (): void => {
    // Ten digits as the least bytes with a sign, which there is an instruction to compare for.
    code.get(p).simdMemory(simd.load, 0);
    code.get(lift).simd(simd.add8).get(nine).simd(simd.gtS8, simd.bitmask8);
    byte();
    // A sign is no digit, but not the end.
    code.i32(45).op(op.eq).tee(negative).op(op.xor).tee(others).op(op.ctz).tee(e).get(p).op(op.add);
    code.memory(op.load8, 0).tee(c).i32(46).op(op.ne).tee(whole);
    blocks.inside(op.if, 'point', () => {
      // The point that there is not is behind the digits.
      code.get(e).set(digits);
      code.op(op.else);
      code.get(others).get(others).i32(1).op(op.sub, op.and, op.ctz).tee(digits).get(p).op(op.add);
      code.memory(op.load8, 0).set(c);
    });
    // How many there are; where all 16 bytes belong to it, the end was not seen.
    code.get(digits).get(whole).op(op.add).get(negative).op(op.sub).i32(2).op(op.sub).i32(14).op(op.gtU);
    blocks.to(op.brIf, 'usual');
    ends('usual');
    code.get(p).get(negative).op(op.add).simdMemory(simd.load, 0).get(zeros).simd(simd.sub8).set(text);
    code.get(p).get(digits).op(op.add).set(p).get(out);
    code.get(e).get(negative).op(op.sub).set(e).get(digits).get(negative).op(op.sub).set(digits);
    // The digits alone, at the end of 16 bytes: two at a time, four, eight.
    code
      .get(text)
      .get(e)
      .i32(17 * 16)
      .op(op.mul)
      .get(digits)
      .i32(4)
      .op(op.shl, op.add);
    code.simdMemory(simd.load, ORDERS).simd(simd.swizzle).tee(text);
    code.get(lower).simd(simd.and).get(tens).simd(simd.mul16).get(text).i32(8).simd(simd.shrU16, simd.add16);
    code.get(hundreds).simd(simd.dot32).tee(text).get(text).simd(simd.narrow16);
    code.get(myriads).simd(simd.dot32, simd.ofI32).tee(text);
    code.lane(simd.extractF64, 0).f64(1e8).op(op.mulF).get(text).lane(simd.extractF64, 1).op(op.addF);
    code.get(digits).get(e).op(op.sub).get(whole).op(op.add).i32(1).op(op.sub);
    code.get(negative).i32(4).op(op.shl, op.or).i32(3).op(op.shl).memory(op.loadF64, SIGNED).op(op.divF);
    code.memory(op.storeF64, 0);
    next();
  };

  blocks.inside(op.block, 'done', () => {
    blocks.inside(op.loop, 'field', () => {
      // Between records: line ends, any number of them.
      code.get(column).op(op.eqz);
      blocks.inside(op.if, 'record', () => {
        blocks.inside(op.loop, 'lines', () => {
          code.get(p).get(end).op(op.geS);
          blocks.to(op.brIf, 'done');
          byte();
          code.tee(c).i32(10).op(op.eq).get(c).i32(13).op(op.eq, op.or);
          blocks.inside(op.if, 'line', () => {
            step(1);
            blocks.to(op.br, 'lines');
          });
        });
      });
      blocks.inside(op.block, 'usual', usual);
      code.get(p).set(start);
      blocks.inside(op.block, 'odd', () => {
        byte();
        code.tee(c).i32(45).op(op.eq).tee(negative).get(c).i32(43).op(op.eq, op.or).get(p).op(op.add).tee(p).set(first);
        code.i64(0n).set(m);
        run();
        code.get(p).get(first).op(op.sub).tee(digits).i32(19).op(op.gtS);
        blocks.to(op.brIf, 'odd');
        // Zeros before the point do not count.
        code.get(m).op(op.eqz64, op.eqz).get(digits).op(op.mul).set(e);
        code.i32(0).set(fraction).i32(1).set(whole);
        byte();
        code.tee(c).i32(46).op(op.eq);
        blocks.inside(op.if, 'point', () => {
          code.i32(0).set(whole);
          step(1);
          code.get(p).set(first);
          run();
          code.get(p).get(first).op(op.sub).set(fraction);
          byte();
          code.set(c);
        });
        code.get(digits).get(fraction).op(op.add, op.eqz);
        blocks.to(op.brIf, 'odd');
        code.get(e).get(fraction).op(op.add).i32(19).op(op.gtS);
        blocks.to(op.brIf, 'odd');
        code.i32(0).get(fraction).op(op.sub).set(exponent);

        code.get(c).i32(32).op(op.or).i32(101).op(op.eq);
        blocks.inside(op.if, 'power', () => {
          code.i32(0).tee(whole).set(e);
          step(1);
          byte();
          code.tee(c).i32(45).op(op.eq).tee(down).get(c).i32(43).op(op.eq, op.or).get(p).op(op.add).tee(p).set(first);
          blocks.inside(op.block, 'end', () => {
            blocks.inside(op.loop, 'next', () => {
              byte();
              code.tee(c).i32(48).op(op.sub).i32(9).op(op.gtU);
              blocks.to(op.brIf, 'end');
              code.get(e).i32(10).op(op.mul).get(c).op(op.add).i32(48).op(op.sub).set(e);
              step(1);
              blocks.to(op.br, 'next');
            });
          });
          code.get(p).get(first).op(op.sub).tee(first).op(op.eqz).get(first).i32(5).op(op.gtS, op.or);
          blocks.to(op.brIf, 'odd');
          code.get(exponent).get(e).i32(0).get(e).op(op.sub).get(down).op(op.eqz, 0x1b, op.add).set(exponent);
        });

        ends('odd');
        code.get(m).op(op.ofU64).set(x);
        code.get(m).i64(9007199254740991n).op(op.gtU64).get(exponent).i32(22).op(op.add).i32(44).op(op.gtU, op.or);
        blocks.inside(op.if, 'long', () => {
          code.get(whole);
          blocks.to(op.brIf, 'odd');
          code
            .get(exponent)
            .i32(LEAST_POWER)
            .op(op.sub)
            .i32(GREATEST_POWER - LEAST_POWER)
            .op(op.gtU);
          blocks.to(op.brIf, 'odd');
          code.get(m).get(x).op(op.truncU, op.sub64, op.ofI64).set(wLow);
          const at = (): void => void code.get(exponent).i32(LEAST_POWER).op(op.sub).i32(4).op(op.shl);
          at();
          code.memory(op.loadF64, POWERS).set(tHigh);
          at();
          code.memory(op.loadF64, POWERS + 8).set(tLow);
          split(x, aHigh, aLow);
          split(tHigh, bHigh, bLow);
          // s: the product, rounded; what it lacks, and what the lower parts add, are `low`.
          code.get(x).get(tHigh).op(op.mulF).set(s);
          code.get(aHigh).get(bHigh).op(op.mulF).get(s).op(op.subF);
          code.get(aHigh).get(bLow).op(op.mulF, op.addF).get(aLow).get(bHigh).op(op.mulF, op.addF);
          code.get(aLow).get(bLow).op(op.mulF, op.addF);
          code.get(x).get(tLow).op(op.mulF).get(wLow).get(tHigh).op(op.mulF, op.addF, op.addF).set(low);
          code
            .get(s)
            .get(low)
            .op(op.addF)
            .tee(high)
            .f64(2 ** -100)
            .op(op.mulF)
            .set(doubt);
          code.get(low).get(high).get(s).op(op.subF, op.subF).set(low);
          code.get(high).get(low).get(doubt).op(op.addF, op.addF).get(high).op(op.neF);
          code.get(high).get(low).get(doubt).op(op.subF, op.addF).get(high).op(op.neF, op.or);
          blocks.to(op.brIf, 'odd');
          code.get(high).set(x);
          code.op(op.else);
          code.get(exponent).i32(0).op(op.ltS);
          blocks.inside(op.if, 'negative', () => {
            code.get(x).i32(0).get(exponent).op(op.sub).i32(3).op(op.shl).memory(op.loadF64, EXACTS).op(op.divF).set(x);
            code.op(op.else);
            code.get(x).get(exponent).i32(3).op(op.shl).memory(op.loadF64, EXACTS).op(op.mulF).set(x);
          });
        });
        finish();
      });
      code.get(start).set(p);
    });
  });
  for (const [i, local] of [p, column, out].entries())
    code
      .i32(0)
      .get(local)
      .memory(op.store32, STATE + 4 * i);
  return moduleBytes({ shared: false, imports: [], functions: [{ name: 'run', code: code }] });
}
