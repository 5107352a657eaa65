import type { AnyNode } from './parse.ts';
import type { SourceModule } from './source.ts';

/** A stretch of the file that comes along as it is, and what has to follow it. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly after: string;
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface ImportLine {
  readonly local: string;
  readonly source: string;
  /** Imported name, 'default', or '*' for the namespace. */
  readonly name: string;
  readonly attributes?: string | undefined;
  /** Where the file imports it: imports run in that order. */
  readonly offset: number;
}

interface SliceParts {
  readonly module: SourceModule;
  /** The expression whose value is the result; undefined when `name` is. */
  readonly target: AnyNode | undefined;
  readonly name: string | undefined;
  readonly ranges: readonly Range[];
  readonly edits: readonly Edit[];
  readonly imports: readonly ImportLine[];
  /** Name in the file -> key in the captures. */
  readonly captures: ReadonlyMap<string, string>;
  /** Names by which the target calls itself. */
  readonly selfNames: readonly string[];
  readonly moduleNames: readonly string[];
  readonly exports: boolean;
  readonly meta: boolean;
}

/** In place of an imported name: esbuild's helper that names functions, which a text without its file refers to. */
export const nameHelper = '=__name';

/** Of more blank space than this inside a line (bundles in one line), the rest is a number: see `Gap`. */
const widestGap = 2000;

/** Blank space that a text lacks: how much, and before which of its characters. */
export type Gap = readonly [at: number, width: number];

interface Composed {
  readonly text: string;
  readonly lineOffset: number;
  readonly gaps: readonly Gap[];
}

/** The text with all of its blank space, so that columns are those of the file. */
export function widened(text: string, gaps: readonly Gap[]): string {
  let out = '';
  let from = 0;
  for (const [at, width] of gaps) {
    out += text.slice(from, at) + ' '.repeat(width);
    from = at;
  }
  return out + text.slice(from);
}

/**
 * Lays the kept stretches out at their own lines and columns, everything else blank, inside an async function that
 * imports what they need. The first line of the text is that function's head, so that the second is a line of the file.
 */
export function composeSlice(parts: SliceParts): Composed {
  const { module, target } = parts;
  const [result, env] = freshNames(module);
  let ranges = [...parts.ranges].sort((a, b) => a.start - b.start);
  const edits = [...parts.edits];
  let returned = parts.name ?? result;
  let lead: { at: number; text: string } | undefined;

  if (target !== undefined) {
    const owner = module.parent(target);
    const inside = ranges.some((r) => target.start >= r.start && target.end <= r.end);
    if (owner !== undefined && isMethod(module, target)) {
      const start = methodStart(module, owner);
      lead = { at: start, text: `${result}={` };
      ranges.push({ start, end: target.end, after: '};' });
      returned = `${result}[Reflect.ownKeys(${result})[0]]`;
    } else if (inside) {
      edits.push({ start: target.start, end: target.start, text: `${result}=` });
    } else {
      lead = { at: target.start, text: `${result}=` };
      ranges.push({ start: target.start, end: target.end, after: ';' });
    }
    ranges = ranges.sort((a, b) => a.start - b.start);
  }
  edits.sort((a, b) => a.start - b.start);

  const first = ranges[0];
  const line = first === undefined ? 1 : module.lines.at(first.start).line;
  let cursor = first === undefined ? 0 : first.start - (module.lines.at(first.start).column - 1);
  let body = '';
  let pending = '';
  const gaps: Gap[] = [];
  for (const range of ranges) {
    if (range.start < cursor) continue; // Inside a stretch that is already there.
    const space = blank(module.text.slice(cursor, range.start), pending, lead?.at === range.start ? lead.text : '');
    if (space.missing > 0) gaps.push([body.length + space.at, space.missing]);
    body += space.text;
    body += applyEdits(module.text, range, edits);
    cursor = range.end;
    pending = range.after;
  }
  body += pending;

  const head = [
    module.isModule || startsStrict(module) ? '"use strict";' : '',
    ...importLines(parts.imports),
    parts.meta ? `const import_meta=${env}.meta;` : '',
    ...parts.moduleNames.map((n) => `const ${n}=${env}.${n};`),
    parts.exports ? 'const exports={};' : '',
    ...[...parts.captures].map(([name, key]) => `const ${name}=${env}.captures[${JSON.stringify(key)}];`),
    target === undefined ? '' : `let ${[result, ...parts.selfNames].join(',')};`,
  ].join('');
  const tail = parts.selfNames.map((n) => `${n}=${result};`).join('');
  const before = `(async(${env})=>{${head}\n`;
  return {
    text: `${before}${body}\n${tail}return ${returned}})`,
    lineOffset: line - 2,
    gaps: gaps.map(([at, width]) => [before.length + at, width]),
  };
}

function importLines(imports: readonly ImportLine[]): string[] {
  return [...imports]
    .sort((a, b) => a.offset - b.offset)
    .map(({ local, source, name, attributes }) => {
      if (name === nameHelper) {
        return `const ${local}=(f,value)=>Object.defineProperty(f,"name",{value,configurable:true});`;
      }
      const options = attributes === undefined ? '' : `,{with:${attributes}}`;
      const load = `await import(${JSON.stringify(source)}${options})`;
      if (name === '*') return `const ${local}=${load};`;
      return `const {${/^[\w$]+$/.test(name) ? name : JSON.stringify(name)}:${local}}=${load};`;
    });
}

interface Blank {
  readonly text: string;
  /** Of its last line, so much was cut off, which would have to be inserted at this place. */
  readonly missing: number;
  readonly at: number;
}

/** Blank space as wide and high as `text`, which begins with `first` and ends with `last` at the expense of blanks. */
function blank(text: string, first: string, last: string): Blank {
  const lines = text.split('\n');
  const width = lines.at(-1)!.length;
  const missing = Math.max(0, width - widestGap);
  const tail = ' '.repeat(width - missing);
  const breaks = '\n'.repeat(lines.length - 1);
  if (last !== '' && breaks !== '' && tail.length < last.length) {
    // No room before it on its own line: an assignment may end the line above.
    return { text: first + last + breaks + tail, missing, at: first.length + last.length + breaks.length };
  }
  const taken = last.length + (breaks === '' ? first.length : 0);
  const start = first + breaks;
  return { text: start + ' '.repeat(Math.max(0, tail.length - taken)) + last, missing, at: start.length };
}

function applyEdits(text: string, range: Range, edits: readonly Edit[]): string {
  let out = '';
  let at = range.start;
  for (const edit of edits) {
    if (edit.start < range.start || edit.end > range.end || edit.start < at) continue;
    out += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return out + text.slice(at, range.end);
}

/** Whether a function is the value of a method, a getter or a setter. */
export function isMethod(module: SourceModule, node: AnyNode): boolean {
  const owner = module.parent(node);
  if (owner?.type === 'Property') return (owner.method || owner.kind !== 'init') && owner.value === node;
  return owner?.type === 'MethodDefinition' && owner.value === node;
}

/** Where a method's own text begins: its key or modifiers, but not `static`. */
export function methodStart(module: SourceModule, member: AnyNode): number {
  const match = /^static\b\s*/.exec(module.text.slice(member.start, member.start + 200));
  return member.type === 'MethodDefinition' && member.static && match !== null
    ? member.start + match[0].length
    : member.start;
}

function startsStrict(module: SourceModule): boolean {
  const first = module.program.body[0];
  return first?.type === 'ExpressionStatement' && first.directive === 'use strict';
}

/** Two names of one letter that the file does not use. */
function freshNames(module: SourceModule): [string, string] {
  const { names } = module.analysis;
  const found: string[] = [];
  for (const name of '$_ƒεαβγδζηθικλμνξπρστφχψω') {
    if (!names.has(name)) found.push(name);
    if (found.length === 2) break;
  }
  return [found[0] ?? '$sheaf', found[1] ?? '$env'];
}
