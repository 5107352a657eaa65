/** A place in a text, as people count: the first line is 1, and so is the first column. Columns are UTF-16 units. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Part of a source text, from the offset `start` up to `end`, which is left out. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Longer lines are cut around the place that is shown. */
const MOST_SHOWN = 120;

/** The text of a script, and where its lines are. */
export class Source {
  /** For people: the path as it was given, or what stands for it. */
  readonly name: string;
  readonly text: string;
  /** Made when the first place is asked for: scripts without errors never need it. */
  #lineStarts: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  position(offset: number): Position {
    const starts = this.#lines();
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { offset, line: low + 1, column: offset - starts[low]! + 1 };
  }

  /** The line of a place, with a caret below it (and tildes for the rest of the span on that line). */
  excerpt(span: Span): string {
    const { line, column } = this.position(span.start);
    const starts = this.#lines();
    const begin = starts[line - 1]!;
    const whole = this.text.slice(begin, starts[line]).replace(/[\r\n]+$/, '');
    const first = whole.length > MOST_SHOWN ? Math.max(0, column - 1 - MOST_SHOWN / 2) : 0;
    const shown = whole.slice(first, first + MOST_SHOWN);
    const at = column - 1 - first;
    const length = Math.max(1, Math.min(span.end - span.start, shown.length - at));
    // Tabs stay tabs, so that the caret stands where the eye sees the character.
    const indent = shown.slice(0, at).replace(/[^\t]/g, ' ').padEnd(at);
    const number = String(line);
    return `${number} | ${shown}\n${' '.repeat(number.length)} | ${indent}^${'~'.repeat(length - 1)}`;
  }

  #lines(): number[] {
    if (this.#lineStarts !== undefined) return this.#lineStarts;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    return starts;
  }
}
