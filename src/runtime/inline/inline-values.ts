import type { SharedStore } from '../../memory/index.ts';
import type { Cell } from '../../protocol/index.ts';
import type { Reference } from '../reference.ts';
import { type CellValue, type Extent, Values } from '../values.ts';

/** A task gets an error that was raised in the program as far as it can travel, as on a worker. */
export class InlineValues extends Values {
  readonly #inTask: () => boolean;

  constructor(store: SharedStore, handle: (cell: Cell) => Reference<unknown>, inTask: () => boolean) {
    super(store, handle);
    this.#inTask = inTask;
  }

  /** What the program looks at is its own affair; tasks would do it elsewhere. */
  override view(extent: Extent, copy: boolean): ArrayBuffer {
    const before = this.bytesViewed;
    const view = super.view(extent, copy);
    if (this.#inTask()) this.bytesViewed = before;
    return view;
  }

  override readValue(value: CellValue, inner: readonly Cell[], copy: boolean): unknown {
    if (!(value instanceof Error) || !this.#inTask()) return super.readValue(value, inner, copy);
    return super.readValue(this.parse(this.toWire(value)), inner, copy);
  }
}
