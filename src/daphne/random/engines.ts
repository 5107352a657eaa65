/** A source of random integers from `least` on, up to `least + range`, which is included. */
export interface Engine {
  readonly least: number;
  readonly range: number;
  next(): number;
}

const SIZE = 624;
const SHIFT = 397;

/** `std::mt19937` (M. Matsumoto and T. Nishimura, "Mersenne Twister", 1998): 32 random bits at a time. */
export class MersenneTwister implements Engine {
  readonly least = 0;
  readonly range = 0xffff_ffff;
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  /** Of a seed the lower 32 bits count. */
  constructor(seed: bigint) {
    const state = this.#state;
    state[0] = Number(BigInt.asUintN(32, seed));
    for (let i = 1; i < SIZE; i++) {
      const last = state[i - 1]!;
      state[i] = Math.imul(last ^ (last >>> 30), 1812433253) + i;
    }
  }

  next(): number {
    if (this.#at === SIZE) this.#twist();
    let y = this.#state[this.#at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i]! & 0x8000_0000) | (state[i + 1 === SIZE ? 0 : i + 1]! & 0x7fff_ffff);
      const from = i + SHIFT < SIZE ? i + SHIFT : i + SHIFT - SIZE;
      state[i] = state[from]! ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
    }
    this.#at = 0;
  }
}

const MODULUS = 2147483647;

/** `std::minstd_rand0`, the default engine of libstdc++. */
export class MinimalStandard implements Engine {
  readonly least = 1;
  readonly range = MODULUS - 2;
  #state: number;

  /** A seed counts as 64 bits without a sign. */
  constructor(seed: bigint) {
    this.#state = Number(BigInt.asUintN(64, seed) % BigInt(MODULUS)) || 1;
  }

  next(): number {
    // Below 2**46, and so exact.
    this.#state = (this.#state * 16807) % MODULUS;
    return this.#state;
  }
}
