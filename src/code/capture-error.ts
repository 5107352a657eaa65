import { CaptureError } from '../base/index.ts';
import type { SourceModule } from './source.ts';
import { fileOf } from './strip.ts';

type CaptureReason =
  | 'local'
  | 'impure'
  | 'reassigned'
  | 'changed'
  | 'resource'
  | 'global'
  | 'unknown'
  | 'keyword'
  | 'clash'
  | 'native';

interface Culprit {
  /** What the program defines: `The task "square"`. */
  readonly subject: string;
  readonly name: string;
  readonly reason: CaptureReason;
  /** The top-level function through which the name is reached, when it is not the task itself. */
  readonly via?: string | undefined;
  readonly module: SourceModule;
  readonly offset: number;
  /** Completes the sentence: "..., a variable of the function around it". */
  readonly because: string;
  /** What to do about it. */
  readonly advice: string;
}

export function captureError(c: Culprit): CaptureError {
  const { line, column } = c.module.lines.at(c.offset);
  const file = fileOf(c.module.url);
  const via = c.via === undefined ? '' : ` through "${c.via}"`;
  return new CaptureError(
    `${c.subject} uses "${c.name}"${via} at ${file}:${line}:${column}, ${c.because}. ${c.advice}`,
    { details: { name: c.name, reason: c.reason, file, line, column } },
  );
}

/** The two ways to give a function a value that it can't take along. */
export function passIt(name: string): string {
  return `Pass it as an argument, or list it in { captures: { ${name} } } to send its value.`;
}
