import { format, layoutOf } from './layout.ts';
import { Table } from './table.ts';

/** A table of its own, and the parties that attach to it. */
export function tables(pages: number, parties: number, warm = pages) {
  const layout = layoutOf(pages, parties);
  const words = new Int32Array(new SharedArrayBuffer(layout.words * 4));
  format(words, layout, warm);
  return { layout, words, table: (party: number) => new Table(words, layout, party) };
}

/** Every state that the words pass through while `body` runs: what a death at that moment would leave. */
export function statesDuring(words: Int32Array, body: () => void): Int32Array[] {
  const states: Int32Array[] = [];
  const { store, or, and, add, compareExchange } = Atomics;
  const copy = () => {
    const state = new Int32Array(new SharedArrayBuffer(words.byteLength));
    state.set(words);
    states.push(state);
  };
  const watched =
    <A extends unknown[], R>(f: (...args: A) => R) =>
    (...args: A): R => {
      copy();
      return f(...args);
    };
  Object.assign(Atomics, {
    store: watched(store),
    or: watched(or),
    and: watched(and),
    add: watched(add),
    compareExchange: watched(compareExchange),
  });
  try {
    body();
  } finally {
    Object.assign(Atomics, { store, or, and, add, compareExchange });
  }
  copy();
  return states;
}
