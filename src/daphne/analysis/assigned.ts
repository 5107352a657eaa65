import type { Block, Statement } from '../syntax/index.ts';

/** Names that are assigned within a block, each once. */
export function assignedIn(block: Block): readonly string[] {
  const found = new Set<string>();
  const open: Statement[] = [block];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    switch (each.kind) {
      case 'assignment':
        for (const { name } of each.targets) found.add(name);
        break;
      case 'block':
        open.push(...each.statements);
        break;
      case 'if':
        for (const { body } of each.branches) open.push(body);
        if (each.otherwise !== undefined) open.push(each.otherwise);
        break;
      case 'while':
      case 'do':
      case 'for':
        open.push(each.body);
        break;
      default:
    }
  }
  return [...found];
}
