const LONGEST = 80;

/** A value as a message quotes it: short, and never a failure of its own, whatever the value is. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST - 3)}...` : value);
    case 'bigint':
      return `${value}n`;
    case 'object':
    case 'function':
      return kindOf(value);
    default:
      return String(value);
  }
}

/** Whether a function was written as a class, which can't be called without `new`. */
export function isClass(fn: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}

/** What a value is, in a word or two: `number`, `null`, `an array`, `a Map`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return typeof value;
  try {
    if (Array.isArray(value)) return 'an array';
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return 'an object';
    const { name } = (prototype as { constructor: { name: unknown } }).constructor;
    if (typeof name === 'string' && name !== '') return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
  } catch {
    // A revoked proxy, or one whose traps throw.
  }
  return 'a strange object';
}
