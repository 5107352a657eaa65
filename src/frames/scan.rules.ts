/** How the rows of files become partitions. */

/** Rows that lie together in a file. */
export interface Group {
  readonly rows: number;
  readonly bytes: number;
}

/** Groups of one file, from a row up to another. */
export interface Range {
  readonly file: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  /** The file as a whole. */
  readonly whole: boolean;
}

/** What is smaller is not cut further: a task for it would take longer to call than to run. */
const LEAST_ROWS = 100_000;
/** Above so many rows a core has several partitions, so that all end about together; below, that does not pay. */
const MANY_ROWS = 2_000_000;
/** And never more than these. */
const PER_CORE = 3;
/** What is larger is cut, for the sake of memory. */
const MOST_BYTES = 64 << 20;

function partitionsFor(rows: number, bytes: number, cpus: number): number {
  const perCore = Math.min(PER_CORE, Math.max(1, Math.round(rows / cpus / MANY_ROWS)));
  return Math.max(1, Math.min(perCore * cpus, Math.ceil(rows / LEAST_ROWS)), Math.ceil(bytes / MOST_BYTES));
}

/** Ranges of neighbouring groups, about equally large, `most` at most if that is given; files are not mixed, unless it takes that. */
export function rangesOf(
  files: readonly (readonly Group[])[],
  cpus: number,
  most: number | undefined,
): readonly (readonly Range[])[] {
  const all = files.flat();
  const rows = all.reduce((sum, group) => sum + group.rows, 0);
  const bytes = all.reduce((sum, group) => sum + group.bytes, 0);
  const wanted = most ?? partitionsFor(rows, bytes, cpus);
  const share = rows / wanted;
  const parts: Range[][] = [];
  let done = 0;
  for (const [file, groups] of files.entries()) {
    const total = groups.reduce((sum, group) => sum + group.rows, 0);
    let row = 0;
    for (const group of groups) {
      // The partition that the middle of the group falls into.
      const part = Math.min(wanted - 1, Math.floor((done + group.rows / 2) / share));
      while (parts.length <= part) parts.push([]);
      const ranges = parts[part]!;
      const last = ranges.at(-1);
      const to = row + group.rows;
      if (last?.file === file)
        ranges[ranges.length - 1] = {
          ...last,
          to,
          bytes: last.bytes + group.bytes,
          whole: last.from === 0 && to === total,
        };
      else ranges.push({ file, from: row, to, bytes: group.bytes, whole: row === 0 && to === total });
      row = to;
      done += group.rows;
    }
  }
  const filled = parts.filter((ranges) => ranges.length > 0);
  return filled.length > 0 ? filled : [[]];
}

/** Whole files of some bytes, whose rows nobody has counted. */
export function filesInParts(bytes: readonly number[], most: number | undefined): readonly (readonly number[])[] {
  const wanted = Math.min(most ?? bytes.length, bytes.length);
  const parts: number[][] = Array.from({ length: wanted }, () => []);
  for (const file of bytes.keys()) parts[Math.floor((file * wanted) / bytes.length)]!.push(file);
  return parts;
}
