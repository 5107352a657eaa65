import type { Plan } from './plan.ts';
import { type Coded, hashOf, isSame, type Survey } from './survey.rules.ts';

interface Kept extends Coded {
  readonly plan: Plan;
}

/** So much is kept of what graphs were, in numbers. */
const MOST = 4 << 20;

/** Plans of graphs that were computed before; those asked for least recently go first. */
export class Plans {
  readonly #kept = new Map<number, Kept[]>();
  #size = 0;

  /** The plan of a graph, made if it is not there. */
  get(survey: Survey, make: () => Plan): Plan {
    const hash = hashOf(survey);
    const known = this.#kept.get(hash);
    const found = known?.find((each) => isSame(each, survey));
    if (found !== undefined) {
      this.#touch(hash, known as Kept[]);
      return found.plan;
    }
    const plan = make();
    const { code, texts } = survey;
    this.#kept.set(hash, [...(known ?? []), { code, texts, plan }]);
    this.#size += code.length;
    this.#forget();
    return plan;
  }

  #touch(hash: number, kept: Kept[]): void {
    if (this.#size < MOST / 2) return;
    this.#kept.delete(hash);
    this.#kept.set(hash, kept);
  }

  #forget(): void {
    for (const [hash, kept] of this.#kept) {
      if (this.#size <= MOST) return;
      this.#kept.delete(hash);
      for (const { code } of kept) this.#size -= code.length;
    }
  }
}
