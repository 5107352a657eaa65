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

const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];
const text = (name: string): number[] => {
  const bytes = [...new TextEncoder().encode(name)];
  return [...unsigned(bytes.length), ...bytes];
};

/** The body of one function, with its locals. */
export class Code {
  readonly #params: ValueType[] = [];
  readonly #locals: ValueType[] = [];
  readonly #bytes: number[] = [];

  /** A new parameter. All of them come before the first local. */
  param(type: ValueType): number {
    return this.#params.push(type) - 1;
  }

  local(type: ValueType): number {
    return this.#params.length + this.#locals.push(type) - 1;
  }

  /** Instructions without immediates. */
  op(...opcodes: number[]): this {
    for (const opcode of opcodes) this.#bytes.push(opcode);
    return this;
  }

  /** Vector instructions without immediates, by number. */
  simd(...opcodes: number[]): this {
    for (const opcode of opcodes) this.#bytes.push(0xfd, ...unsigned(opcode));
    return this;
  }

  /** `trunc_sat` and the like. */
  extended(opcode: number): this {
    this.#bytes.push(0xfc, opcode);
    return this;
  }

  get(...locals: number[]): this {
    for (const local of locals) this.#bytes.push(0x20, ...unsigned(local));
    return this;
  }

  set(local: number): this {
    this.#bytes.push(0x21, ...unsigned(local));
    return this;
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

  /**
   * A module with this function, exported as `run`; its memory is imported as `sheaf.memory`. `shared`: that is a shared one, of
   * 4 GiB at most.
   */
  module(shared: boolean): Uint8Array<ArrayBuffer> {
    const locals = list(this.#locals.map((type) => [1, type]));
    const body = [...locals, ...this.#bytes, 0x0b];
    const limits = shared ? [0x03, 0, ...unsigned(65536)] : [0x00, 0];
    return new Uint8Array([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(1, list([[0x60, ...list(this.#params.map((type) => [type])), 0]])),
      ...section(2, list([[...text('sheaf'), ...text('memory'), 0x02, ...limits]])),
      ...section(3, list([[0]])),
      ...section(7, list([[...text('run'), 0x00, 0]])),
      ...section(10, list([[...unsigned(body.length), ...body]])),
    ]);
  }
}
