/** So many bytes at once go into a pipe undivided, whoever else writes to it (POSIX: at least 512; Linux: 4096). */
export const ATOMIC_WRITE = 4096;
/** An unfinished line is kept back up to so many bytes. */
export const MOST_HELD = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Makes whole lines with a prefix out of what several writers write piece by piece. What is not a whole line yet is kept for its
 * writer, so that lines of others can't come into the middle of it.
 */
export class Lines {
  readonly #held = new Map<object, { readonly prefix: string; parts: Uint8Array[]; length: number }>();

  /** Whether anybody has an unfinished line. */
  get holding(): boolean {
    return this.#held.size > 0;
  }

  /** What is to be written now, in pieces that hold whole lines where these are short enough to be written undivided. */
  write(writer: object, prefix: string, bytes: Uint8Array): Uint8Array[] {
    const last = bytes.lastIndexOf(NEWLINE);
    if (last < 0) return this.#hold(writer, prefix, bytes);
    const lines: Uint8Array[] = [];
    let at = 0;
    while (at <= last) {
      const end = bytes.indexOf(NEWLINE, at) + 1;
      lines.push(this.#line(writer, prefix, bytes.subarray(at, end)));
      at = end;
    }
    return gathered(at < bytes.length ? [...lines, ...this.#hold(writer, prefix, bytes.subarray(at))] : lines);
  }

  #line(writer: object, prefix: string, end: Uint8Array): Uint8Array {
    const held = this.#held.get(writer);
    if (held === undefined) return joined([utf8(prefix), end]);
    this.#held.delete(writer);
    return joined([utf8(held.prefix), ...held.parts, end]);
  }

  #hold(writer: object, prefix: string, bytes: Uint8Array): Uint8Array[] {
    if (bytes.length === 0) return [];
    const held = this.#held.get(writer) ?? { prefix, parts: [], length: 0 };
    // The caller may use its buffer again.
    held.parts.push(bytes.slice());
    held.length += bytes.length;
    this.#held.set(writer, held);
    return held.length > MOST_HELD ? this.end(writer) : [];
  }

  /** No more will come to the unfinished line of a writer. */
  end(writer: object): Uint8Array[] {
    return this.#held.has(writer) ? [this.#line(writer, '', Uint8Array.of(NEWLINE))] : [];
  }

  endAll(): Uint8Array[] {
    return gathered([...this.#held.keys()].flatMap((writer) => this.end(writer)));
  }
}

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** As few pieces as whole lines allow. */
function gathered(lines: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let piece: Uint8Array[] = [];
  let length = 0;
  for (const line of lines) {
    if (length > 0 && length + line.length > ATOMIC_WRITE) {
      pieces.push(joined(piece));
      piece = [];
      length = 0;
    }
    piece.push(line);
    length += line.length;
  }
  if (length > 0) pieces.push(joined(piece));
  return pieces;
}
