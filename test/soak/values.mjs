// The values of random programs: a number and, for some, an array that follows from it.

const SAMPLES = 16;

/** A generator of numbers in [0, 1) (Mulberry32, by Tommy Ettinger). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function mix(...parts) {
  let h = 0x9e3779b9;
  for (const part of parts) h = Math.imul(h ^ part, 0x85ebca6b) ^ (h >>> 13);
  return h >>> 0;
}

export function make(n, size) {
  const data = size === 0 ? null : new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = n + i;
  return { n, data };
}

/** What of the bytes can be told from a few of them. */
export function fingerprint({ n, data }) {
  let h = n;
  if (data === null) return h;
  const step = Math.max(1, Math.floor(data.length / SAMPLES));
  for (let i = 0; i < data.length; i += step) h = mix(h, data[i] - i, i);
  return mix(h, data[data.length - 1], data.length);
}

export const join = (seed, size, parts) => make(mix(seed, ...parts.map(fingerprint)), size);

/** The names of an error and of what caused it. */
export function causes(error) {
  const names = [];
  for (let each = error; each instanceof Error; each = each.cause) names.push(each.name);
  return names;
}

/** Throws unless the one is what it must be. */
export function same(what, value, expected) {
  if (fingerprint(value) === fingerprint(expected) && value.n === expected.n) return;
  throw new Error(
    `${what} is ${value.n} with ${value.data?.length ?? 0} numbers, not ${expected.n} with ${expected.data?.length ?? 0}`,
  );
}
