const scanLimit = 8;

/** Numbers the objects of one value in the order in which they are met. */
export class IdentityTable {
  readonly #first: (object | undefined)[] = new Array<object | undefined>(scanLimit).fill(undefined);
  #map: Map<object, number> | undefined;
  #count = 0;

  /** The number of an object met before; -1 for a new one, which gets the next number. */
  meet(value: object): number {
    const count = this.#count;
    if (count >= scanLimit) return this.#meetInMap(value);
    const first = this.#first;
    for (let i = 0; i < count; i++) if (first[i] === value) return i;
    first[count] = value;
    this.#count = count + 1;
    return -1;
  }

  #meetInMap(value: object): number {
    this.#map ??= new Map();
    if (this.#count === scanLimit)
      this.#first.forEach((o, i) => {
        this.#map?.set(o as object, i);
      });
    const known = this.#map.get(value);
    if (known !== undefined) return known;
    this.#map.set(value, this.#count++);
    return -1;
  }

  clear(): void {
    const used = Math.min(this.#count, scanLimit);
    for (let i = 0; i < used; i++) this.#first[i] = undefined;
    if (this.#count > scanLimit) this.#map = undefined;
    this.#count = 0;
  }
}
