import { type Elements, sizeOf } from '../../nd/index.ts';
import { argsorted, sorted } from '../sorting/sort.ts';
import { type ArrayType, asWords, COUNT, type Dense, putCount, type Routine } from './routine.ts';

const flat = ({ shape, dtype }: ArrayType): ArrayType => ({ shape: [sizeOf(shape)], dtype });
const indices = (x: ArrayType): ArrayType => ({ shape: [sizeOf(x.shape)], dtype: 'i64' });

/** The values that there are, each once, ascending. A NaN is equal to none, and zeros of both signs are equal. */
const uniqueValues: Routine = {
  outputs: ([x]) => [flat(x!), COUNT],
  run([x], _, [values, count]) {
    const to = values!.elements;
    sorted(x!.dtype, x!.elements, false, to);
    let kept = 0;
    for (let i = 0; i < to.length; i++) {
      if (i === 0 || to[i] !== to[kept - 1]) to[kept++] = to[i] as never;
    }
    putCount(count!, kept);
  },
};

/** What a routine wants to know of the different values; each is as long as the input. */
interface Wanted {
  readonly values: Elements;
  readonly indices?: Dense | undefined;
  readonly inverse?: Dense | undefined;
  readonly counts?: Dense | undefined;
}

/** Fills what is wanted; gives the number of different values. */
function groups({ dtype, elements }: Dense, { values, indices, inverse, counts }: Wanted): number {
  let group = -1;
  const [firstAt, groupOf, sizes] = [indices, inverse, counts].map((each) => each && asWords(each));
  argsorted(dtype, elements, false, ({ words, first, step, count }) => {
    for (let i = 0, at = first; i < count; i++, at += step) {
      const place = words[at] as number;
      const value = elements[place];
      if (group < 0 || value !== values[group]) {
        group++;
        values[group] = value as never;
        put(firstAt, group, place);
        put(sizes, group, 0);
      }
      put(groupOf, place, group);
      if (sizes !== undefined) sizes[2 * group]!++;
    }
  });
  return group + 1;
}

function put(words: Uint32Array | undefined, at: number, value: number): void {
  if (words === undefined) return;
  words[2 * at] = value;
  words[2 * at + 1] = 0;
}

/** Also how often each of them occurs. */
const uniqueCounts: Routine = {
  outputs: ([x]) => [flat(x!), indices(x!), COUNT],
  run([x], _, [values, counts, count]) {
    putCount(count!, groups(x!, { values: values!.elements, counts }));
  },
};

/** Also where in them each element is, in the shape of the input. */
const uniqueInverse: Routine = {
  outputs: ([x]) => [flat(x!), { shape: x!.shape, dtype: 'i64' }, COUNT],
  run([x], _, [values, inverse, count]) {
    putCount(count!, groups(x!, { values: values!.elements, inverse }));
  },
};

/** Values, the places where they occur first, where in them each element is, and how often they occur. */
const uniqueAll: Routine = {
  outputs: ([x]) => [flat(x!), indices(x!), { shape: x!.shape, dtype: 'i64' }, indices(x!), COUNT],
  run([x], _, [values, firsts, inverse, counts, count]) {
    putCount(count!, groups(x!, { values: values!.elements, indices: firsts, inverse, counts }));
  },
};

/** Where the elements are that are not 0, in the order of rows: one output for each axis, then how many. */
const nonzero: Routine = {
  outputs: ([x]) => [...x!.shape.map(() => indices(x!)), COUNT],
  run([x], _, outputs) {
    const { shape, elements } = x!;
    const axes = outputs.slice(0, -1).map(asWords);
    let found = 0;
    for (let at = 0; at < elements.length; at++) {
      // A NaN is not 0, and 0n is.
      // biome-ignore lint/suspicious/noDoubleEquals: 0 and 0n are both meant.
      if ((elements[at] as number) == 0) continue;
      let left = at;
      for (let axis = axes.length - 1; axis >= 0; axis--) {
        const length = shape[axis] as number;
        put(axes[axis], found, left % length);
        left = Math.floor(left / length);
      }
      found++;
    }
    putCount(outputs.at(-1)!, found);
  },
};

export const SETS = { uniqueValues, uniqueCounts, uniqueInverse, uniqueAll, nonzero } as const;
