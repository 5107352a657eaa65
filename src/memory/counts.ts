/** How often a party has pinned each object, by index. */
export class Counts {
  #counts = new Int32Array(1024);

  get(index: number): number {
    return this.#counts[index] ?? 0;
  }

  set(index: number, count: number): void {
    if (index >= this.#counts.length) {
      const larger = new Int32Array(Math.max(index + 1, this.#counts.length * 2));
      larger.set(this.#counts);
      this.#counts = larger;
    }
    this.#counts[index] = count;
  }
}
