/** So long a line is worth a look at some of it first. */
const LONG = 20_000;
/** So many elements are looked at. */
const LOOKED_AT = 2048;
/** More parts of a line than that are found in a copy of all of it sooner. */
const MOST_PARTS = 4;

/** What would be at some places, which ascend, if the line were sorted; NaNs, if it has one. `room` is for as many elements as the line has. */
export function placed(line: Float64Array | Float32Array, places: readonly number[], room: Float64Array): number[] {
  const parts = line.length < LONG ? [] : clusters(places, line.length / 64);
  if (parts.length === 0 || parts.length > MOST_PARTS) return amongAll(line, places, room);
  const sample = sampleOf(line);
  const found: number[] = [];
  for (const part of parts) {
    const values = amongNear(line, part, sample, room);
    if (values === undefined) return amongAll(line, places, room);
    found.push(...values);
  }
  return found;
}

function amongAll(line: Float64Array | Float32Array, places: readonly number[], room: Float64Array): number[] {
  room.set(line);
  return hasNaN(room) ? places.map(() => Number.NaN) : selected(room, line.length, places, 0);
}

/** The places in lists of those that are close to each other. */
function clusters(places: readonly number[], close: number): number[][] {
  const all: number[][] = [];
  for (const place of places) {
    const last = all.at(-1);
    if (last !== undefined && place - (last[0] as number) <= close) last.push(place);
    else all.push([place]);
  }
  return all;
}

/** Some elements, in order; always the same ones. */
function sampleOf(line: Float64Array | Float32Array): Float64Array {
  const sample = new Float64Array(LOOKED_AT);
  let state = 1;
  for (let i = 0; i < LOOKED_AT; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    sample[i] = line[Math.floor((state / 2 ** 32) * line.length)] as number;
  }
  return sample.sort();
}

/**
 * The sample says between which two values the elements at the places most likely are, so that nearly all others are only counted. Undefined where they
 * are not there, or where these are most of the line.
 */
function amongNear(
  line: Float64Array | Float32Array,
  places: readonly number[],
  sample: Float64Array,
  room: Float64Array,
): number[] | undefined {
  const [first, last] = [places[0] as number, places.at(-1) as number];
  const share = LOOKED_AT / line.length;
  const about = (place: number): number => 3 * Math.sqrt((place * share * (line.length - place)) / line.length) + 2;
  const low = sample[Math.floor(first * share - about(first))] ?? Number.NEGATIVE_INFINITY;
  const high = sample[Math.ceil(last * share + about(last))] ?? Number.POSITIVE_INFINITY;
  const { below, inside, above } = between(line, low, high, room);
  if (below + inside + above < line.length) return places.map(() => Number.NaN);
  if (inside > line.length / 2 || first < below || last >= below + inside) return undefined;
  return selected(room, inside, places, below);
}

interface Counts {
  readonly below: number;
  readonly inside: number;
  readonly above: number;
}

/** Those from `low` to `high` go to the room. Without branches: which way the next element goes is nothing to be guessed. */
function between(line: Float64Array | Float32Array, low: number, high: number, room: Float64Array): Counts {
  let [below, inside, above] = [0, 0, 0];
  for (let i = 0; i < line.length; i++) {
    const value = line[i] as number;
    room[inside] = value;
    const [isBelow, isAbove] = [Number(value < low), Number(value > high)];
    below += isBelow;
    above += isAbove;
    inside += Number(value >= low) & Number(value <= high);
  }
  return { below, inside, above };
}

/** The elements at places, less `before`, of the first `length` ones. */
function selected(room: Float64Array, length: number, places: readonly number[], before: number): number[] {
  let done = 0;
  return places.map((each) => {
    const place = each - before;
    if (place >= done) {
      select(room, done, length - 1, place);
      done = place + 1;
    }
    return room[place] as number;
  });
}

function hasNaN(x: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (Number.isNaN(x[i])) return true;
  return false;
}

/** So long a part is worth a sample of it. */
const SAMPLED = 600;

/**
 * Brings the element to its place that would be there if the part from `low` to `high` were sorted, what is not greater before it, what is not less
 * behind it (R. Floyd and R. Rivest, "Algorithm 489: the algorithm SELECT", 1975).
 */
function select(x: Float64Array, low: number, high: number, place: number): void {
  let [left, right] = [low, high];
  while (right > left) {
    if (right - left > SAMPLED) {
      const n = right - left + 1;
      const i = place - left + 1;
      const z = Math.log(n);
      const s = 0.5 * Math.exp((2 * z) / 3);
      const sd = 0.5 * Math.sqrt((z * s * (n - s)) / n) * (i < n / 2 ? -1 : 1);
      select(
        x,
        Math.max(left, Math.floor(place - (i * s) / n + sd)),
        Math.min(right, Math.floor(place + ((n - i) * s) / n + sd)),
        place,
      );
    }
    const pivot = x[place] as number;
    let [i, j] = [left, right];
    while (i <= j) {
      while ((x[i] as number) < pivot) i++;
      while ((x[j] as number) > pivot) j--;
      if (i > j) break;
      const own = x[i] as number;
      x[i++] = x[j] as number;
      x[j--] = own;
    }
    if (j < place) left = i;
    if (i > place) right = j;
  }
}
