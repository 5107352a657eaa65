import { type FastScan, fastScan, MOST_COLUMNS, WINDOW } from './csv-wasm.ts';
import { scaled, scaledShort } from './decimal.ts';

/** What a text of numbers looks like. */
export interface Dialect {
  /** The byte between fields. A blank means any run of blanks and tabs. */
  readonly delimiter: number;
  /** The byte that begins a comment, to the end of the line; -1 for none. */
  readonly comment: number;
  /** Whether `true` and `false` are 1 and 0. */
  readonly booleans: boolean;
}

/** What a scan found. */
export interface Scanned {
  readonly rows: number;
  readonly columns: number;
  /** Row by row. What is missing is NaN. */
  readonly values: Float64Array;
  /** For each column, what its fields were: a combination of the flags below. */
  readonly kinds: Uint8Array;
  /** Whole numbers beyond 2**53, by their place in `values`: exactly. */
  readonly large: ReadonlyMap<number, bigint>;
}

/** A field that has a point or an exponent, or is no finite number. */
export const FRACTION = 1;
/** A whole number. */
export const WHOLE = 2;
/** A field without value. */
export const MISSING = 4;
/** `true` or `false`. */
export const BOOLEAN = 8;

/** What is wrong, and where: the message is made by those who know which lines came before. */
export class ScanFault {
  /** Byte of the scanned bytes. */
  readonly at: number;
  readonly text: string;

  constructor(at: number, text: string) {
    this.at = at;
    this.text = text;
  }
}

/** Below that, starting WebAssembly takes longer than it saves. */
const LEAST_FAST = 1 << 14;

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const BLANK = 32;
const TAB = 9;

/** As pandas has them, without regard to case. */
const MISSING_WORDS = new Set([
  '',
  '#n/a',
  '#n/a n/a',
  '#na',
  '-1.#ind',
  '-1.#qnan',
  '1.#ind',
  '1.#qnan',
  '-nan',
  '<na>',
  'n/a',
  'na',
  'nan',
  'none',
  'null',
]);
const INFINITE = /^([+-]?)inf(?:inity)?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/;
const WHOLE_NUMBER = /^[+-]?\d+$/;

/** Scans records that are all here, from `start` to `end`; the byte before `end` has to be a newline. Throws a ScanFault. */
export function scan(bytes: Uint8Array, start: number, end: number, columns: number, dialect: Dialect): Scanned {
  const scanner = new Scanner(columns, dialect, end - start);
  scanner.feed(bytes, start, end);
  return scanner.result();
}

/** Whether numbers of this dialect can be scanned in WebAssembly; by what. */
export function fastFor(columns: number, { delimiter, comment }: Dialect): FastScan | undefined {
  return delimiter !== BLANK && comment < 0 && columns <= MOST_COLUMNS ? fastScan() : undefined;
}

/**
 * Room for so many values, or what there is. What is in it says nothing. It is asked for once, as a rule, and again where there are more than were
 * expected: what has been found until then is copied, and the room that it was in is not used any more when it is asked for the next time.
 */
export type MakeRoom = (values: number) => Float64Array;

const ownRoom: MakeRoom = (values) => new Float64Array(values);

/** Scans records of `columns` fields each, piece by piece. */
export class Scanner {
  readonly #columns: number;
  readonly #dialect: Dialect;
  /** In bytes, of all that will come. */
  readonly #expected: number;
  readonly #fast: FastScan | undefined;
  readonly #kinds: Uint8Array;
  readonly #large = new Map<number, bigint>();
  #bytes: Uint8Array = new Uint8Array(0);
  /** Of the piece. */
  #end = 0;
  /** How many bytes there were before it. */
  #fed = 0;
  #values: Float64Array = new Float64Array(0);
  readonly #make: MakeRoom;
  /** How many there are. */
  #at = 0;
  /** Where the field that `#odd` has read ends. */
  #next = 0;

  /** `expected`: bytes. `make`: makes room for values, when it is known how many there most likely are; and again, if there are more. */
  constructor(columns: number, dialect: Dialect, expected: number, make: MakeRoom = ownRoom) {
    this.#make = make;
    this.#columns = columns;
    this.#dialect = dialect;
    this.#expected = expected;
    this.#fast = expected < LEAST_FAST ? undefined : fastFor(columns, dialect);
    this.#kinds = new Uint8Array(columns);
  }

  /** Whole lines, from `from` to `to`; the last byte is a newline. Throws a ScanFault, whose place is one of `bytes`. */
  feed(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#end = to;
    if (this.#fast === undefined) this.#records(from, to);
    else this.#windows(this.#fast, from, to);
    this.#fed += to - from;
  }

  /** What somebody else has found in so many bytes that follow; there are no whole numbers beyond 2**53 among it. */
  append({ values, kinds }: Pick<Scanned, 'values' | 'kinds'>, bytes: number): void {
    this.#room(values.length, bytes);
    this.#values.set(values, this.#at);
    for (const [column, seen] of kinds.entries()) this.#kinds[column] = (this.#kinds[column] as number) | seen;
    this.#at += values.length;
    this.#fed += bytes;
  }

  result(): Scanned {
    const values = this.#values.subarray(0, this.#at);
    return { rows: this.#at / this.#columns, columns: this.#columns, values, kinds: this.#kinds, large: this.#large };
  }

  /** Window by window; a line that is longer than one goes the slow way. */
  #windows(fast: FastScan, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const limit = Math.min(end, from + WINDOW);
      const last = limit === end ? end : this.#bytes.lastIndexOf(NEWLINE, limit - 1) + 1;
      const to = last > from ? last : Math.min(this.#lineEnd(from) + 1, end);
      if (last > from) this.#window(fast, from, last);
      else this.#records(from, to);
      from = to;
    }
  }

  #window(fast: FastScan, from: number, to: number): void {
    const [columns, length, { delimiter }] = [this.#columns, to - from, this.#dialect];
    fast.open(this.#bytes.subarray(from, to), columns);
    let { at, column, values } = fast.scan(0, length, 0, columns, delimiter, 0);
    while (at < length) {
      const record = from + at;
      fast.put(values, this.#odd(record, column, this.#at + values));
      const c = this.#bytes[this.#next] as number;
      const isLast = column === columns - 1;
      if (isLast === (c === delimiter)) throw this.#width(record, this.#next, isLast ? columns + 1 : column + 1);
      const next = this.#next - from + (isLast ? 0 : 1);
      ({ at, column, values } = fast.scan(next, length, isLast ? 0 : column + 1, columns, delimiter, values + 1));
    }
    this.#room(values, length);
    this.#values.set(fast.take(values), this.#at);
    this.#at += values;
    for (let i = 0; i < columns; i++) this.#kinds[i] = (this.#kinds[i] as number) | fast.kind(i);
  }

  #records(start: number, end: number): void {
    const [bytes, columns] = [this.#bytes, this.#columns];
    const { delimiter, comment } = this.#dialect;
    const blanks = delimiter === BLANK;
    let values = this.#values;
    let at = this.#at;
    let i = start;
    while (i < end) {
      let c = bytes[i] as number;
      if (c === NEWLINE || c === RETURN) {
        i++;
        continue;
      }
      if (c === comment) {
        i = this.#lineEnd(i);
        continue;
      }
      if (blanks && (c === BLANK || c === TAB)) {
        i = this.#pastBlanks(i);
        if (isLineEnd(bytes[i] as number) || bytes[i] === comment) continue;
      }
      if (at + columns > values.length) {
        this.#at = at;
        this.#room(columns, i - start);
        values = this.#values;
      }
      const record = i;
      for (let column = 0; column < columns; column++) {
        const from = i;
        c = bytes[i] as number;
        const negative = c === 45;
        if (negative || c === 43) i++;
        // Up to 9 digits, 6 more, and 4 more; a point anywhere among them.
        let [a, b, t] = [0, 0, 0];
        let point = -1;
        let first = i;
        let left = 9;
        let d = (bytes[i] as number) - 48;
        for (;;) {
          if (d >= 0 && d <= 9) {
            if (left === 0) break;
            a = (a * 10 + d) | 0;
            left--;
          } else if (d === -2 && point < 0) {
            point = i;
            first++;
          } else break;
          d = (bytes[++i] as number) - 48;
        }
        let nb = 0;
        let nt = 0;
        if (left === 0) {
          for (;;) {
            if (d >= 0 && d <= 9) {
              if (nb === 6) break;
              b = (b * 10 + d) | 0;
              nb++;
            } else if (d === -2 && point < 0) {
              point = i;
              first++;
            } else break;
            d = (bytes[++i] as number) - 48;
          }
          if (nb === 6) {
            for (;;) {
              if (d >= 0 && d <= 9) {
                if (nt === 4) break;
                t = (t * 10 + d) | 0;
                nt++;
              } else if (d === -2 && point < 0) {
                point = i;
                first++;
              } else break;
              d = (bytes[++i] as number) - 48;
            }
          }
        }
        const digits = i - first;
        let exponent = point < 0 ? 0 : point + 1 - i;
        c = d + 48;
        let good = digits > 0;
        let whole = point < 0;
        if ((c | 32) === 101 && good) {
          whole = false;
          let e = 0;
          c = bytes[++i] as number;
          const down = c === 45;
          if (down || c === 43) c = bytes[++i] as number;
          const begin = i;
          while (c >= 48 && c <= 57) {
            e = e * 10 + c - 48;
            c = bytes[++i] as number;
          }
          good = i > begin && i - begin < 6;
          exponent += down ? -e : e;
        }
        if (blanks) {
          if (c === BLANK || c === TAB) {
            i = this.#pastBlanks(i);
            c = bytes[i] as number;
            // A blank at the end of a line separates nothing.
            if (!isLineEnd(c) && c !== comment) {
              i--;
              c = BLANK;
            }
          }
        }
        let value: number;
        if (good && (c === delimiter || c === NEWLINE || c === RETURN || c === comment)) {
          const head = nb === 0 ? a : a * (TENS[nb] as number) + b;
          value = nt === 0 ? scaledShort(head, exponent) : scaled(head, t, nt, exponent);
          if (Number.isNaN(value) || (whole && value > Number.MAX_SAFE_INTEGER)) {
            value = this.#slow(from, i, whole, at);
          } else if (negative) value = -value;
          this.#kinds[column] = (this.#kinds[column] as number) | (whole ? WHOLE : FRACTION);
        } else {
          value = this.#odd(from, column, at);
          i = this.#next;
          c = bytes[i] as number;
        }
        values[at++] = value;
        if (column < columns - 1) {
          if (c !== delimiter) throw this.#width(record, i, column + 1);
          i++;
        } else if (c === delimiter) throw this.#width(record, i, columns + 1);
      }
      i = this.#bytes[i] === comment ? this.#lineEnd(i) : i;
    }
    this.#at = at;
  }

  #pastBlanks(i: number): number {
    while (this.#bytes[i] === BLANK || this.#bytes[i] === TAB) i++;
    return i;
  }

  #lineEnd(i: number): number {
    const at = this.#bytes.indexOf(NEWLINE, i);
    return at < 0 || at >= this.#end ? this.#end : at;
  }

  /** For so many values more: as much as the piece up to `read` and those before say that there will be. */
  #room(more: number, read: number): void {
    if (this.#at + more <= this.#values.length) return;
    const seen = this.#at + more;
    const expected = Math.ceil((seen / Math.max(1, this.#fed + read)) * this.#expected * 1.02);
    const larger = this.#make(Math.max(expected, seen));
    if (larger.length < seen) throw new ScanFault(0, 'there is no room for so many values');
    larger.set(this.#values.subarray(0, this.#at));
    this.#values = larger;
  }

  #text(from: number, to: number): string {
    let text = '';
    for (let i = from; i < to; i++) text += String.fromCharCode(this.#bytes[i] as number);
    return text;
  }

  /** A good number that the fast way was not sure of. */
  #slow(from: number, to: number, whole: boolean, at: number): number {
    const text = this.#text(from, to).trim();
    if (whole) this.#large.set(at, BigInt(text.startsWith('+') ? text.slice(1) : text));
    return Number(text);
  }

  /** A field that does not look like a number at first: quoted, empty, a word, a number of many digits, blanks around it. */
  #odd(from: number, column: number, at: number): number {
    const { delimiter, comment, booleans } = this.#dialect;
    const bytes = this.#bytes;
    let i = from;
    if (delimiter !== BLANK) while (bytes[i] === BLANK || (bytes[i] === TAB && delimiter !== TAB)) i++;
    let text: string;
    if (bytes[i] === QUOTE) {
      const closing = bytes.indexOf(QUOTE, i + 1);
      if (closing < 0 || closing >= this.#lineEnd(i))
        throw new ScanFault(i, 'a quote is opened and not closed in its line');
      text = this.#text(i + 1, closing).trim();
      i = closing + 1;
      while (bytes[i] === BLANK || (bytes[i] === TAB && delimiter !== TAB)) i++;
      if (delimiter === BLANK && !isLineEnd(bytes[i] as number) && i > closing + 1) i--;
      const c = bytes[i] as number;
      if (c !== delimiter && !isLineEnd(c) && c !== comment)
        throw new ScanFault(i, 'after a quoted field comes something else than a delimiter');
    } else {
      const begin = i;
      while (i < this.#end) {
        const c = bytes[i] as number;
        if (c === delimiter || c === comment || isLineEnd(c) || (delimiter === BLANK && c === TAB)) break;
        i++;
      }
      text = this.#text(begin, i).trim();
      if (delimiter === BLANK) {
        const past = this.#pastBlanks(i);
        if (past > i) i = isLineEnd(bytes[past] as number) || bytes[past] === comment ? past : past - 1;
      }
    }
    this.#next = i;
    return this.#valueOf(text, from, column, at, booleans);
  }

  #valueOf(text: string, from: number, column: number, at: number, booleans: boolean): number {
    const word = text.toLowerCase();
    const kind = (flag: number): void => {
      this.#kinds[column] = (this.#kinds[column] as number) | flag;
    };
    if (NUMBER.test(word)) {
      const value = Number(word);
      const whole = WHOLE_NUMBER.test(word);
      kind(whole ? WHOLE : FRACTION);
      if (whole && Math.abs(value) > Number.MAX_SAFE_INTEGER) this.#large.set(at, BigInt(word.replace('+', '')));
      return value;
    }
    if (MISSING_WORDS.has(word)) {
      kind(MISSING);
      return Number.NaN;
    }
    const infinite = INFINITE.exec(word);
    if (infinite !== null) {
      kind(FRACTION);
      return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    if (booleans && (word === 'true' || word === 'false')) {
      kind(BOOLEAN);
      return word === 'true' ? 1 : 0;
    }
    throw new ScanFault(from, `field ${column + 1} is ${JSON.stringify(text.slice(0, 40))}, which is no number`);
  }

  /** Too few fields, or too many: how many there are is counted to the end of the line. */
  #width(record: number, i: number, seen: number): ScanFault {
    const { delimiter, comment } = this.#dialect;
    let count = seen;
    const end = this.#lineEnd(i);
    if (seen > this.#columns) {
      for (let at = i + 1; at < end && this.#bytes[at] !== comment; at++) if (this.#bytes[at] === delimiter) count++;
    }
    return new ScanFault(
      record,
      `has ${count} field${count === 1 ? '' : 's'}, where those before have ${this.#columns}`,
    );
  }
}

const TENS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

const isLineEnd = (c: number): boolean => c === NEWLINE || c === RETURN;
