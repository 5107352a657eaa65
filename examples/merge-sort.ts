/**
 * Sorts numbers by divide and conquer: a task that calls itself twice and merges what comes back. While it waits, its
 * worker is free for its children, so it nests as deep as it likes on any number of cores.
 *
 *   sheaf run examples/merge-sort.ts [how many]
 */
import { alloc, connect, get, type Task, task } from 'sheaf';

/** Below this many numbers it is quicker to sort than to share the work. */
const LEAF = 100_000;

const sort: Task<[numbers: Float64Array, from: number, to: number], Promise<Float64Array>> = task(
  async (numbers: Float64Array, from: number, to: number): Promise<Float64Array> => {
    // What arrives is shared memory that others read, too: `slice` gives an own copy to sort in.
    if (to - from <= LEAF) return numbers.slice(from, to).sort();
    const middle = (from + to) >> 1;
    const [a, b] = await get([sort(numbers, from, middle), sort(numbers, middle, to)]);
    return merge(a, b);
  },
);

function merge(a: Float64Array, b: Float64Array): Float64Array {
  const out = alloc(Float64Array, a.length + b.length);
  let [i, j] = [0, 0];
  for (let k = 0; k < out.length; k++) {
    out[k] = j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!;
  }
  return out;
}

const length = Number(process.argv[2] ?? 1_000_000);
if (!(Number.isInteger(length) && length > 0)) {
  console.error('usage: sheaf run merge-sort.ts [how many]');
  process.exit(2);
}
await using _session = await connect();

const numbers = alloc(Float64Array, length);
let seed = 1;
for (let i = 0; i < length; i++) {
  // Park and Miller's generator: the same numbers every time.
  seed = (seed * 48271) % 2147483647;
  numbers[i] = seed / 2147483647;
}

const sorted = await sort(numbers, 0, length).value;
const wrong = sorted.findIndex((value, i) => i > 0 && value < sorted[i - 1]!);
if (wrong >= 0 || sorted.length !== length) throw new Error(`not sorted at ${wrong}`);
console.log(`${sorted.length} numbers sorted: from ${sorted[0]!.toFixed(6)} to ${sorted.at(-1)!.toFixed(6)}`);
