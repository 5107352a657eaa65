import {
  EXACTS,
  KINDS,
  MOST_COLUMNS,
  ORDERS,
  POWERS,
  SIGNED,
  SIZE,
  STATE,
  STEPS,
  scannerBytes,
  TEXT,
  VALUES,
  WINDOW,
} from './csv-module.ts';
import { EXACT, powersOfTen } from './decimal.ts';

export { MOST_COLUMNS, WINDOW } from './csv-module.ts';

/** Which of 16 bytes are digits, at the end of 16, where the point is at the first number, and the end at the second; 255 means none. */
function orders(): Uint8Array {
  const all = new Uint8Array(16 * 16 * 17).fill(255);
  for (let point = 0; point < 16; point++) {
    for (let length = point; length <= 16; length++) {
      const digits = Array.from({ length }, (_, i) => i).filter((i) => i !== point);
      all.set(digits, 16 * (point * 17 + length + 1) - digits.length);
    }
  }
  return all;
}

type Run = (p: number, end: number, column: number, columns: number, delimiter: number, out: number) => void;

/** Where a scan has stopped. */
export interface Stop {
  /** In the window: the beginning of a field, or the end of all. */
  readonly at: number;
  readonly column: number;
  /** How many values there are. */
  readonly values: number;
}

/** The scan of numbers in WebAssembly, over a memory of its own. */
export class FastScan {
  readonly #run: Run;
  readonly #state: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #text: Uint8Array;
  readonly #values: Float64Array;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(SIZE / 65536) });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(scannerBytes()), { sheaf: { memory } });
    this.#run = exports.run as Run;
    const { buffer } = memory;
    this.#state = new Int32Array(buffer, STATE, 3);
    this.#kinds = new Uint8Array(buffer, KINDS, MOST_COLUMNS);
    this.#text = new Uint8Array(buffer, TEXT, WINDOW + 64);
    this.#values = new Float64Array(buffer, VALUES, WINDOW + 1);
    new Float64Array(buffer, EXACTS, EXACT.length).set(EXACT);
    new BigInt64Array(buffer, STEPS, 9).set(Array.from({ length: 9 }, (_, i) => 10n ** BigInt(i)));
    const exact = EXACT.slice(0, 16);
    new Float64Array(buffer, SIGNED, 32).set([...exact, ...exact.map((power) => -power)]);
    new Uint8Array(buffer, ORDERS, 16 * 16 * 17).set(orders());
    const powers = powersOfTen();
    new Float64Array(buffer, POWERS, powers.length).set(powers);
  }

  /** Takes a text of whole lines in, of WINDOW bytes at most. */
  open(text: Uint8Array, columns: number): void {
    if (text.buffer !== this.#text.buffer) this.#text.set(text);
    // What comes behind the end is looked at, but says nothing.
    this.#text.fill(0, text.length, text.length + 16);
    this.#kinds.fill(0, 0, columns);
  }

  /** Where a text can be read to, instead of being taken in: WINDOW bytes, and one more. */
  get room(): Uint8Array {
    return this.#text.subarray(0, WINDOW + 1);
  }

  /** Goes on at a field; `values` are there already. */
  scan(from: number, length: number, column: number, columns: number, delimiter: number, values: number): Stop {
    this.#run(TEXT + from, TEXT + length, column, columns, delimiter, VALUES + 8 * values);
    const [at = 0, stopped = 0, out = 0] = this.#state;
    return { at: at - TEXT, column: stopped, values: (out - VALUES) / 8 };
  }

  /** A value that somebody else has read. */
  put(at: number, value: number): void {
    this.#values[at] = value;
  }

  /** The first of them. */
  take(values: number): Float64Array {
    return this.#values.subarray(0, values);
  }

  /** What the fields of a column were. */
  kind(column: number): number {
    return this.#kinds[column] as number;
  }
}

let instance: FastScan | null | undefined;

/** One for each thread, made when it is wanted; undefined where there is no WebAssembly. */
export function fastScan(): FastScan | undefined {
  if (instance === undefined) {
    try {
      instance = new FastScan();
    } catch {
      instance = null;
    }
  }
  return instance ?? undefined;
}
