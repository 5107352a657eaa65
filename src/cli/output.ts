/** Colours where they are welcome: a terminal that has some, and nobody said NO_COLOR. */
const colourful =
  !process.env.NO_COLOR && (process.env.FORCE_COLOR || (process.stdout.isTTY === true && process.env.TERM !== 'dumb'));

const paint = (code: number) => (text: string) => (colourful ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

/** A failure that is explained by its message alone. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** How many rows an option asks for. */
export function count(text: string | undefined, option: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text) || Number(text) === 0) {
    throw new CommandError(`${option} is ${text}; give a whole number of at least 1`, 2);
  }
  return Number(text);
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value, undefined, 2));
}

/** Columns as wide as their widest cell; those named in `right` are aligned to the right. The last one is not padded. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
