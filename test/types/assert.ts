/** True for types that are the same; unlike mutual assignability it tells any, optional and readonly apart. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless its argument is true. */
export type Expect<T extends true> = T;

/** Does not compile unless the value has exactly this type: `exactly<number>()(value)`. */
export const exactly =
  <T>() =>
  <V>(_value: V, ..._proof: Equal<T, V> extends true ? [] : ['the type is', V, 'and not', T]): void => {};
