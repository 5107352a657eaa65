import { ScriptError } from '../base/index.ts';
import type { Source, Span } from './source.ts';

/** When a script fails, and with which status its process then ends. */
export const EXIT_CODES = { parser: 1, compiler: 2, execution: 3 } as const;

/** `parser`: syntax, names, arguments, types of parameters. `compiler`: types and shapes, SQL. `execution`: what only values show. */
export type Phase = keyof typeof EXIT_CODES;

/** What is wrong at a place of a script: the message has file, line, column, and the line with a caret. */
export function scriptError(phase: Phase, source: Source, span: Span, message: string): ScriptError {
  return located(phase, source, span, message);
}

/** The same, of a text that is no DaphneDSL. */
export function syntaxError(source: Source, span: Span, message: string): ScriptError {
  return located('parser', source, span, message, { code: 'ERR_SHEAF_SCRIPT_SYNTAX' });
}

function located(phase: Phase, source: Source, span: Span, message: string, options: { code?: string } = {}) {
  const { line, column } = source.position(span.start);
  const text = `${source.name}:${line}:${column}: ${message}\n${source.excerpt(span)}`;
  return new ScriptError(text, { ...options, details: { phase, file: source.name, line, column, ...span } });
}
