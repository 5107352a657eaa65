/**
 * Numbers by the order in which they are met: the first one is 0, the next one that differs is 1, and so on, as a Map would tell, but without an
 * object for each of them. All NaN are one, and so are 0 and -0.
 */
export class NumberCodes {
  #size = 0;
  #keys = new Float64Array(512);
  /** Codes, at most half of them taken; -1: none. */
  #slots = new Int32Array(1024).fill(-1);
  readonly #number = new Float64Array(1);
  readonly #words = new Int32Array(this.#number.buffer);

  get size(): number {
    return this.#size;
  }

  /** What has been met, by its codes. */
  keys(): Float64Array {
    return this.#keys.subarray(0, this.#size);
  }

  /** The code of a number; -1: it has not been met. */
  find(number: number): number {
    return this.#slots[this.#slotOf(number)]!;
  }

  /** The code of a number, which is new if it has not been met. */
  add(number: number): number {
    const slot = this.#slotOf(number);
    const found = this.#slots[slot]!;
    if (found >= 0) return found;
    const code = this.#size++;
    this.#keys[code] = number + 0;
    this.#slots[slot] = code;
    if (this.#size === this.#keys.length) this.#grow();
    return code;
  }

  /** Where it is, or would be. */
  #slotOf(number: number): number {
    // -0 becomes 0.
    this.#number[0] = number + 0;
    // The last steps are those of A. Appleby's MurmurHash3: of integers the lower bits of both words are 0.
    let mixed = this.#words[0]! ^ Math.imul(this.#words[1]!, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    const last = this.#slots.length - 1;
    const isNan = Number.isNaN(number);
    for (let slot = isNan ? 0 : (mixed ^ (mixed >>> 16)) & last; ; slot = (slot + 1) & last) {
      const code = this.#slots[slot]!;
      if (code < 0) return slot;
      const key = this.#keys[code]!;
      if (key === number || (isNan && Number.isNaN(key))) return slot;
    }
  }

  #grow(): void {
    const keys = this.keys();
    this.#keys = new Float64Array(2 * keys.length);
    this.#keys.set(keys);
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let code = 0; code < keys.length; code++) this.#slots[this.#slotOf(keys[code]!)] = code;
  }
}
