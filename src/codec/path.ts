/** How a step leads from a container to the value inside. */
export const Step = { index: 0, property: 1, mapKey: 2, mapValue: 3, setItem: 4, wire: 5 } as const;

const shownAtEachEnd = 12;
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/** `args[0].users.get('bob')["on done"]`: where a value is, as an expression. Very deep paths are cut in the middle. */
export function formatPath(root: string, kinds: readonly number[], keys: readonly unknown[], depth: number): string {
  let text = root;
  for (let i = 0; i < depth; i++) {
    if (i === shownAtEachEnd && depth > 2 * shownAtEachEnd) {
      const skipped = depth - 2 * shownAtEachEnd;
      text += `...(${skipped} more)...`;
      i += skipped;
    }
    text += formatStep(kinds[i] as number, keys[i]);
  }
  return text;
}

function formatStep(kind: number, key: unknown): string {
  switch (kind) {
    case Step.property:
      return identifier.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(key)}]`;
    case Step.mapKey:
      return `.keys()[${String(key)}]`;
    case Step.mapValue:
      return typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values()[${String(key)}]`;
    case Step.setItem:
      return `.values()[${String(key)}]`;
    case Step.wire:
      return '.encode()';
    default:
      return `[${String(key)}]`;
  }
}
