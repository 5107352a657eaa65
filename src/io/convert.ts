import { DTYPES, type DType, type Elements, elements, isBig } from '../nd/index.ts';

/** A value that a type does not hold, by its place. */
export class Unfit {
  readonly at: number;
  readonly text: string;

  constructor(at: number, text: string) {
    this.at = at;
    this.text = text;
  }
}

/**
 * Doubles as elements of a type; `large` are those that are whole numbers beyond 2**53, exactly. Integers and booleans are exact, or the
 * first that is not comes back.
 *
 * @param from where the values begin, and `step` from one to the next.
 */
export function converted(
  values: Float64Array,
  dtype: DType,
  large: ReadonlyMap<number, bigint>,
  from = 0,
  step = 1,
): Elements | Unfit {
  const length = step === 0 ? 0 : Math.max(0, Math.ceil((values.length - from) / step));
  if (dtype === 'f64' && from === 0 && step === 1) return values;
  const result = elements(dtype, length);
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'float') {
    for (let i = 0, at = from; i < length; i++, at += step) result[i] = values[at] as number;
    return result;
  }
  const [least, most] = [Number(min), Number(max)];
  for (let i = 0, at = from; i < length; i++, at += step) {
    const value = values[at] as number;
    if (Number.isInteger(value) && value >= least && value <= most) {
      if (!isBig(dtype)) result[i] = value;
      else {
        const exact = large.get(at) ?? BigInt(value);
        if (exact < BigInt(min) || exact > BigInt(max))
          return new Unfit(at, `${exact} is no ${dtype}; it holds ${min} to ${max}`);
        result[i] = exact;
      }
      continue;
    }
    if (Number.isNaN(value)) return new Unfit(at, `there is no value, and ${dtype} has none for that; read it as f64`);
    return new Unfit(
      at,
      `${large.get(at) ?? value} is no ${dtype}; it holds ${kind === 'bool' ? 'true and false' : `whole numbers from ${min} to ${max}`}`,
    );
  }
  return result;
}
