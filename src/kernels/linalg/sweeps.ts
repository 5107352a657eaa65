import { PANEL } from './kernels.ts';
import type { Workspace } from './workspace.ts';

/** Numbers of rotations that are kept before they are applied: they stay in the cache while panel by panel is turned. */
const KEPT = 16_384;

type Kind = 'rotations' | 'reflections';
/** What one of them takes. */
const NUMBERS: Readonly<Record<Kind, number>> = { rotations: 2, reflections: 3 };

/** What `Sweeps` takes of a workspace. */
export const sweepRoom = (rows: number, columns: number): number =>
  Math.ceil(columns / PANEL) * PANEL * rows + roomOf(rows);
/** One sweep has to fit. */
const roomOf = (rows: number): number => Math.max(KEPT, 3 * rows);

/**
 * Rows of a matrix to which sweeps of rotations are applied, each of which turns neighbours, one pair after the other, or of reflections of
 * three neighbours. The matrix lies in panels
 * of few columns that fit into the nearest cache, and many sweeps go over a panel before the next one is looked at (as in F. Van Zee,
 * R. van de Geijn and G. Quintana-Ortí, "Restructuring the tridiagonal and bidiagonal QR algorithms for performance", 2014).
 */
export class Sweeps {
  readonly #workspace: Workspace;
  readonly #rows: number;
  readonly #columns: number;
  readonly #panels: number;
  readonly #turns: number;
  readonly #capacity: number;
  #used = 0;
  readonly #begun: { readonly kind: Kind; readonly row: number; readonly step: 1 | -1; readonly from: number }[] = [];

  /** `element`: what the matrix is at first. */
  constructor(workspace: Workspace, rows: number, columns: number, element: (row: number, column: number) => number) {
    this.#workspace = workspace;
    this.#rows = rows;
    this.#columns = columns;
    this.#panels = workspace.take(Math.ceil(columns / PANEL) * PANEL * rows);
    this.#capacity = roomOf(rows);
    this.#turns = workspace.take(this.#capacity);
    const { elements } = workspace;
    for (let first = 0; first < columns; first += PANEL) {
      const width = Math.min(PANEL, columns - first);
      for (let row = 0, at = this.#place(0, first); row < rows; row++, at += PANEL)
        for (let j = 0; j < width; j++) elements[at + j] = element(row, first + j);
    }
  }

  #place(row: number, column: number): number {
    const inPanel = column % PANEL;
    return this.#panels + (column - inPanel) * this.#rows + row * PANEL + inPanel;
  }

  /** A sweep begins with this row and the one that is a step further; it has so many rotations at most. */
  begin(row: number, step: 1 | -1, most: number, kind: Kind = 'rotations'): void {
    if (this.#used + NUMBERS[kind] * most > this.#capacity) this.#apply();
    this.#begun.push({ kind, row, step, from: this.#used });
  }

  /** The next rotation of the sweep: the rows x and y become c x + s y, and c y - s x, which is the first one of the rotation after that. */
  turn(c: number, s: number): void {
    const at = this.#turns + this.#used;
    this.#workspace.elements[at] = c;
    this.#workspace.elements[at + 1] = s;
    this.#used += 2;
  }

  /** The next reflection of three rows, I - factor v v' with v = (1, y, z). The second one is the first of that after it. */
  reflect(y: number, z: number, factor: number): void {
    const at = this.#turns + this.#used;
    this.#workspace.elements[at] = y;
    this.#workspace.elements[at + 1] = z;
    this.#workspace.elements[at + 2] = factor;
    this.#used += 3;
  }

  #apply(): void {
    const { kernels } = this.#workspace;
    for (let column = 0; column < this.#columns; column += PANEL) {
      for (const [i, { kind, row, step, from }] of this.#begun.entries()) {
        const count = ((this.#begun[i + 1]?.from ?? this.#used) - from) / NUMBERS[kind];
        const apply = kind === 'rotations' ? kernels.sweep : kernels.reflect;
        apply(8 * this.#place(row, column), 8 * PANEL * step, 8 * (this.#turns + from), count);
      }
    }
    this.#begun.length = 0;
    this.#used = 0;
  }

  /** Calls `put` with each element of a row, after all sweeps. */
  row(row: number, put: (column: number, element: number) => void): void {
    if (this.#begun.length > 0) this.#apply();
    const { elements } = this.#workspace;
    for (let first = 0; first < this.#columns; first += PANEL) {
      const at = this.#place(row, first);
      const width = Math.min(PANEL, this.#columns - first);
      for (let j = 0; j < width; j++) put(first + j, elements[at + j] as number);
    }
  }
}
