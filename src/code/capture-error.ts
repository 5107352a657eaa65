import { CaptureError } from '../base/index.ts';
import type { CallSite } from './callsite.ts';
import type { BadCapture } from './captures.ts';
import { type SourceModule, toFileUrl } from './source.ts';
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
  | 'native'
  | 'value';

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

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function captureError(c: Culprit): CaptureError {
  const place = { file: fileOf(c.module.url), ...c.module.lines.at(c.offset) };
  return say(c.subject, c.name, c.via, place, c.because, c.advice, { reason: c.reason });
}

/** A captured value that can't be sent, where the function uses it; without its file, where the task is defined. */
export function badCaptureError(
  subject: string,
  { name, because, advice, path, cause }: BadCapture,
  use: { readonly module: SourceModule; readonly offset: number } | undefined,
  site: CallSite | undefined,
): CaptureError {
  let place: Place | undefined;
  if (use !== undefined) place = { file: fileOf(use.module.url), ...use.module.lines.at(use.offset) };
  else if (site !== undefined) {
    const { url, line, column } = site.mapped() ?? site;
    place = { file: fileOf(toFileUrl(url) ?? url), line, column };
  }
  return say(subject, name, undefined, place, because, advice, { reason: 'value', path }, cause);
}

function say(
  subject: string,
  name: string,
  through: string | undefined,
  place: Place | undefined,
  because: string,
  advice: string,
  details: Readonly<Record<string, unknown>> & { readonly reason: CaptureReason },
  cause?: unknown,
): CaptureError {
  const via = through === undefined ? '' : ` through "${through}"`;
  const at = place === undefined ? '' : ` at ${place.file}:${place.line}:${place.column}`;
  return new CaptureError(`${subject} uses "${name}"${via}${at}, ${because}. ${advice}`, {
    cause,
    details: { name, ...details, ...place },
  });
}

/** The two ways to give a function a value that it can't take along. */
export function passIt(name: string): string {
  return `Pass it as an argument, or list it in { captures: { ${name} } } to send its value.`;
}
