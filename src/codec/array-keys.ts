import { inspect } from 'node:util';

/** Up to here listing all keys is cheaper than a call of `inspect`. */
const listLimit = 64;
const inspectOptions = { maxArrayLength: 0, depth: 0, customInspect: false, colors: false } as const;

/** The names of enumerable properties of an array that are not indices; undefined when there are none. */
export function namedProperties(array: readonly unknown[]): string[] | undefined {
  const n = array.length;
  if (n > listLimit) {
    // The language has no way to list them without listing the indices too, which would cost more than to encode a
    // long array; `inspect` has one. Anything but exactly this text goes the long way.
    const plain = `[ ... ${n} more items ]`;
    if (inspect(array, inspectOptions) === plain) return undefined;
  }
  const keys = Object.keys(array);
  if (keys.length <= n && isIndex(keys[keys.length - 1] ?? '0', n)) return undefined;
  return keys.filter((key) => !isIndex(key, n));
}

/** Indices come first in the order of keys, so the last key tells whether there are others. */
function isIndex(key: string, length: number): boolean {
  const index = Number(key);
  return index < length && String(index) === key && index >= 0 && Number.isInteger(index);
}

const scanRun = 65_536;

/** The first index in `from..n-1` that is present; `n` when there is none. */
export function nextIndex(array: readonly unknown[], from: number, n: number): number {
  const stop = Math.min(n, from + scanRun);
  for (let i = from; i < stop; i++) if (i in array) return i;
  if (stop === n) return n;
  // A long gap: listing the keys costs what is there, and not what is missing.
  for (const key of Object.keys(array)) {
    const index = Number(key);
    if (!isIndex(key, n)) break;
    if (index >= stop) return index;
  }
  return n;
}
