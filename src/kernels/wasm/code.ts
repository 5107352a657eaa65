/**
 * Bytes of WebAssembly (W3C, "WebAssembly Core Specification" 2.0, chapter 5; SIMD as in its vector instructions). Only what
 * the kernels need has a name here.
 */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;

/** Unsigned LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  let left = n;
  do {
    const byte = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left === 0 ? byte : byte | 0x80);
  } while (left !== 0);
  return bytes;
}

/** Signed LEB128. */
export function signed(n: number | bigint): number[] {
  const bytes: number[] = [];
  let left = BigInt(n);
  for (;;) {
    const byte = Number(left & 0x7fn);
    left >>= 7n;
    if ((left === 0n && (byte & 0x40) === 0) || (left === -1n && (byte & 0x40) !== 0)) {
      bytes.push(byte);
      return bytes;
    }
    bytes.push(byte | 0x80);
  }
}

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** The body of one function, with its locals. */
export class Code {
  readonly #params: ValueType[] = [];
  readonly #results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #bytes: number[] = [];

  /** `results`: what it leaves on the stack in the end. */
  constructor(results: readonly ValueType[] = []) {
    this.#results = results;
  }

  /** A new parameter. All of them come before the first local. */
  param(type: ValueType): number {
    return this.#params.push(type) - 1;
  }

  local(type: ValueType): number {
    return this.#params.length + this.#locals.push(type) - 1;
  }

  /** As `unsigned`, into the code itself: most numbers are small, and there are many. */
  #number(n: number): this {
    let left = n;
    while (left > 127) {
      this.#bytes.push((left & 127) | 128);
      left >>>= 7;
    }
    this.#bytes.push(left);
    return this;
  }

  /** Instructions without immediates. */
  op(...opcodes: number[]): this {
    for (const opcode of opcodes) this.#bytes.push(opcode);
    return this;
  }

  /** Vector instructions without immediates, by number. */
  simd(...opcodes: number[]): this {
    for (const opcode of opcodes) {
      this.#bytes.push(0xfd);
      this.#number(opcode);
    }
    return this;
  }

  /** `trunc_sat` and the like. */
  extended(opcode: number): this {
    this.#bytes.push(0xfc, opcode);
    return this;
  }

  get(...locals: number[]): this {
    for (const local of locals) {
      this.#bytes.push(0x20);
      this.#number(local);
    }
    return this;
  }

  set(local: number): this {
    this.#bytes.push(0x21);
    return this.#number(local);
  }

  tee(local: number): this {
    this.#bytes.push(0x22, ...unsigned(local));
    return this;
  }

  i32(n: number): this {
    this.#bytes.push(0x41, ...signed(n | 0));
    return this;
  }

  i64(n: bigint): this {
    this.#bytes.push(0x42, ...signed(BigInt.asIntN(64, n)));
    return this;
  }

  f32(x: number): this {
    this.#bytes.push(0x43, ...new Uint8Array(new Float32Array([x]).buffer));
    return this;
  }

  f64(x: number): this {
    this.#bytes.push(0x44, ...new Uint8Array(new Float64Array([x]).buffer));
    return this;
  }

  /** A load or store; `offset` in bytes is added to the address. Nothing is said about alignment, since arrays lie where they lie. */
  memory(opcode: number, offset: number): this {
    this.#bytes.push(opcode, 0, ...unsigned(offset));
    return this;
  }

  simdMemory(opcode: number, offset: number): this {
    this.#bytes.push(0xfd, ...unsigned(opcode), 0, ...unsigned(offset));
    return this;
  }

  /** A load or store of one lane. */
  laneMemory(opcode: number, offset: number, lane: number): this {
    this.#bytes.push(0xfd, ...unsigned(opcode), 0, ...unsigned(offset), lane);
    return this;
  }

  lane(opcode: number, lane: number): this {
    this.#bytes.push(0xfd, ...unsigned(opcode), lane);
    return this;
  }

  /** Two vectors become one, of the bytes with these numbers. */
  shuffle(...bytes: number[]): this {
    this.#bytes.push(0xfd, 13, ...bytes);
    return this;
  }

  call(index: number): this {
    this.#bytes.push(0x10, ...unsigned(index));
    return this;
  }

  /** Repeats `body` as long as what `condition` leaves on the stack is not 0, which is asked before each round. */
  while(condition: () => void, body: () => void): this {
    this.op(0x02, 0x40, 0x03, 0x40);
    condition();
    this.op(0x45, 0x0d, 1);
    body();
    return this.op(0x0c, 0, 0x0b, 0x0b);
  }

  /** Runs `body` if what is on the stack is not 0. */
  if(body: () => void): this {
    this.op(0x04, 0x40);
    body();
    return this.op(0x0b);
  }

  /** Its body as the code section of a module has it: locals, then instructions. */
  get body(): number[] {
    const runs: [count: number, type: ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const locals = runs.flatMap(([count, type]) => [...unsigned(count), type]);
    return [...unsigned(runs.length), ...locals, ...this.#bytes, 0x0b];
  }

  get type(): FunctionType {
    return { params: this.#params, results: this.#results };
  }
}
