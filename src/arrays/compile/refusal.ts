import { CaptureError, UsageError } from '../../base/index.ts';
import type { AnyNode, FunctionTree } from '../../code/index.ts';

/** What to write in the place of statements that there are not. */
export const INSTEAD: Readonly<Partial<Record<AnyNode['type'], string>>> = {
  ForInStatement: 'Write for (const x of list), or a loop over the indices of a list.',
  LabeledStatement: 'Leave one loop at a time: without labels.',
  ThrowStatement: 'Return NaN, and look for it afterwards.',
  TryStatement: 'Nothing throws here: leave it away.',
};

/** Says of a function that is to be compiled what it can't be, and where. */
export class Refusals {
  readonly #operation: string;
  readonly #tree: FunctionTree;
  /** What the function is called in messages. */
  readonly #subject: string;

  constructor(operation: string, tree: FunctionTree) {
    this.#operation = operation;
    this.#tree = tree;
    this.#subject = `${operation}: the function${tree.name === 'anonymous' ? '' : ` "${tree.name}"`}`;
  }

  /** `because` completes the sentence "... has `x` at file:line:column, ". */
  construct(node: AnyNode, because: string, advice: string): UsageError {
    const place = this.#tree.place(node);
    const text = this.#tree.text(node).replace(/\s+/g, ' ');
    const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
    return new UsageError(
      `${this.#subject} has \`${short}\` at ${place.file}:${place.line}:${place.column}, ${because}. ${advice}`,
      { code: 'ERR_SHEAF_KERNEL', details: { operation: this.#operation, reason: because, ...place } },
    );
  }

  /** A name from outside that is no number, or that nobody knows. */
  name(node: AnyNode, name: string, because: string): CaptureError {
    const place = this.#tree.place(node);
    return new CaptureError(
      `${this.#subject} uses "${name}" at ${place.file}:${place.line}:${place.column}, ${because}. ` +
        `Pass it as an argument, or list it in { captures: { ${name} } } to take its value.`,
      { details: { name, reason: because, ...place } },
    );
  }
}
