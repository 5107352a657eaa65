import { CaptureError } from '../base/index.ts';
import type { CallSite } from './callsite.ts';
import { loweredKindOf, parseText } from './find.ts';
import { isCounter, toolImport } from './fingerprint.ts';
import { type AnyNode, walk } from './parse.ts';
import { freeReferences } from './scope.ts';
import { type Slice, slice } from './slice.ts';
import { type ImportLine, nameHelper } from './slice-text.ts';
import { SourceModule, sourceModule, sourceProblem, toFileUrl } from './source.ts';
import type { FunctionKind } from './spec.ts';
import { importOf } from './top-level.ts';

interface TextRequest {
  readonly text: string;
  readonly subject: string;
  readonly callSite: CallSite | undefined;
  readonly captures: Readonly<Record<string, unknown>>;
}

/**
 * Slices a loaded function's own text, where no file has it (a transformed, evaluated or vanished one). The same check
 * applies: a free name is a global, captured, an import that the file has, or what a tool put there; else a CaptureError.
 */
export function sliceText(r: TextRequest): Slice & { url: string; kind: FunctionKind | undefined } {
  const file = r.callSite === undefined ? undefined : toFileUrl(r.callSite.url);
  const url = file ?? `file://${process.cwd()}/[eval]`;
  const text = withoutCounters(r.text);
  const mapped = r.callSite?.mapped();
  const place = mapped !== undefined && toFileUrl(mapped.url) === file ? mapped : r.callSite;
  const line = place?.line ?? 1;
  const parsed = parseText(text, url, line);
  if (parsed === undefined) {
    throw new CaptureError(`${r.subject} has a text that can't be read: ${r.text.slice(0, 80)}`, {
      details: { reason: 'native' },
    });
  }
  const original = file === undefined ? undefined : sourceModule(file);
  const extraImports = new Map<string, ImportLine>();
  let source = parsed.module.text;
  const replace: { start: number; end: number; text: string }[] = [];
  for (const { node, binding } of freeReferences(parsed.module.analysis, parsed.node)) {
    if (binding !== undefined || Object.hasOwn(r.captures, node.name)) continue;
    if (/^__name\d*$/.test(node.name)) {
      extraImports.set(node.name, { local: node.name, source: '', name: nameHelper, offset: -1 });
      continue;
    }
    if (node.name === '__vite_ssr_dynamic_import__') {
      replace.push({ start: node.start, end: node.end, text: 'import' });
      continue;
    }
    const line = original === undefined ? undefined : importLine(original, parsed.module, node);
    if (line !== undefined) extraImports.set(node.name, line);
  }
  for (const { start, end, text: by } of replace.reverse()) source = source.slice(0, start) + by + source.slice(end);
  const module = replace.length === 0 ? parsed.module : new SourceModule(url, source, true, line);
  const target = module.definitions[0]!;
  const cut = slice({
    module,
    target,
    subject: r.subject,
    captures: new Map(Object.keys(r.captures).map((k) => [k, k])),
    extraImports,
    unread: file === undefined ? undefined : sourceProblem(file),
  });
  return { ...cut, url, kind: loweredKindOf(target) };
}

/** What of the original file's imports a tool's variable stands for. */
function importLine(
  original: SourceModule,
  text: SourceModule,
  node: Extract<AnyNode, { type: 'Identifier' }>,
): ImportLine | undefined {
  const bindings = [...original.analysis.root.bindings.values()];
  const whole = (source: string): ImportLine => ({ local: node.name, source, name: '*', offset: node.start });
  const plain = original.analysis.root.bindings.get(node.name);
  const direct = plain === undefined ? undefined : importOf(plain);
  if (direct !== undefined) return { local: node.name, source: direct.source, name: direct.name, offset: node.start };
  if (!toolImport.test(node.name)) return undefined;
  const sources = new Set(bindings.map((b) => importOf(b)?.source).filter((s) => s !== undefined));
  const esbuild = [...sources].filter((s) => `import_${identifierOf(s)}` === node.name.replace(/\d*$/, ''));
  if (esbuild.length === 1) return whole(esbuild[0]!);
  // Otherwise by the members that are used: exactly one module must have been asked for them.
  const members = membersOf(text, node.name);
  const imported = (source: string) => bindings.map(importOf).filter((i) => i?.source === source);
  const fits = (source: string, also: string) =>
    [...members].every((m) => imported(source).some((i) => i?.name === m || i?.name === also));
  const exact = [...sources].filter((source) => fits(source, ''));
  const fitting = exact.length > 0 ? exact : [...sources].filter((source) => fits(source, '*'));
  return fitting.length === 1 ? whole(fitting[0]!) : undefined;
}

/** The variable that esbuild makes of a specifier: its last segment, without extension. */
function identifierOf(source: string): string {
  return source
    .replace(/^node:/, 'node_')
    .replace(/^.*\//, '')
    .replace(/\.[^.]*$/, '')
    .replace(/\W+/g, '_');
}

function membersOf(module: SourceModule, name: string): Set<string> {
  const members = new Set<string>();
  walk(module.program, (n) => {
    if (
      n.type === 'MemberExpression' &&
      n.object.type === 'Identifier' &&
      n.object.name === name &&
      n.property.type === 'Identifier'
    ) {
      members.add(n.property.name);
    }
    return undefined;
  });
  return members;
}

/** Overwrites coverage counters with blanks, so that the rest keeps its place. */
function withoutCounters(text: string): string {
  if (!/\bcov_\w+\(\)/.test(text)) return text;
  const parsed = parseText(text);
  if (parsed === undefined) return text;
  const before = parsed.module.text.indexOf(text);
  const blanks: [number, number][] = [];
  walk(parsed.module.program, (node) => {
    // The semicolon stays: the statement may be all that a branch has.
    if (node.type === 'ExpressionStatement' && isCounter(node.expression))
      blanks.push([node.start, node.expression.end]);
    else if (node.type === 'SequenceExpression' && isCounter(node.expressions[0])) {
      blanks.push([node.start, node.expressions[1]!.start]);
    }
    return undefined;
  });
  let out = text;
  for (const [start, end] of blanks) {
    const at = start - before;
    const gap = out.slice(at, end - before).replace(/[^\n]/g, ' ');
    out = out.slice(0, at) + gap + out.slice(end - before);
  }
  return out;
}
