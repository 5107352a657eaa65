/** Tasks have it, of whichever copy of the package they are. */
export const taskBrand = Symbol.for('sheaf.task');

export function isTask(value: unknown): boolean {
  return typeof value === 'function' && taskBrand in value;
}
