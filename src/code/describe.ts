import { createHash, randomUUID } from 'node:crypto';
import { CaptureError, UsageError } from '../base/index.ts';
import type { CallSite } from './callsite.ts';
import { badCaptureError } from './capture-error.ts';
import { type Captures, encodeCaptures } from './captures.ts';
import { type Found, findTarget } from './find.ts';
import { globalNames } from './globals.ts';
import { freeReferences } from './scope.ts';
import { type Slice, slice } from './slice.ts';
import type { SourceModule } from './source.ts';
import type { FunctionKind, FunctionSpec, SliceSource } from './spec.ts';
import { sliceText } from './text.ts';

interface DescribeOptions {
  /** Values by the names under which the function uses them. */
  readonly captures?: Captures | undefined;
  /** Tells references from other objects: they can't be captured. */
  readonly isRef?: ((value: object) => boolean) | undefined;
  readonly callSite?: CallSite | undefined;
  readonly what?: 'task' | 'class';
}

type AnyFunction = (...args: never[]) => unknown;

/** What calling a function gives, by its own nature. */
export function kindOf(fn: unknown): FunctionKind {
  switch (Object.prototype.toString.call(fn)) {
    case '[object AsyncFunction]':
      return 'async';
    case '[object GeneratorFunction]':
      return 'generator';
    case '[object AsyncGeneratorFunction]':
      return 'asyncGenerator';
    default:
      return 'function';
  }
}

/**
 * Describes a function (or class) so that another process can have it: a slice of its file, or of its own text where
 * no file has it. Synchronous; the file is parsed once. Throws a CaptureError that names what can't travel.
 */
export function describeFunction(fn: unknown, o: DescribeOptions = {}): FunctionSpec {
  const what = o.what === 'class' ? 'class' : 'function';
  if (typeof fn !== 'function') {
    throw new UsageError(
      `Only a ${what} can run elsewhere; this is ${fn === null ? 'null' : `a value of type ${typeof fn}`}.`,
    );
  }
  const text = Function.prototype.toString.call(fn);
  const found = findTarget(fn as AnyFunction, text, o.callSite, o.captures);
  const name = fn.name || found?.name || 'anonymous';
  const subject = `The ${o.what === 'class' ? 'class' : 'task'} "${name}"`;
  const native = found === undefined && /\{\s*\[native code\]\s*\}$/.test(text);
  const builtin = native ? builtinName(fn) : undefined;
  if (native && builtin === undefined) {
    throw new CaptureError(
      `${subject} has no source text: it is native or the result of bind(). Wrap it: (...args) => f(...args), with f imported or at the top level of the file.`,
      { details: { name, reason: 'native' } },
    );
  }
  const cut: Cut =
    builtin !== undefined
      ? {
          text: `(async()=>${builtin})`,
          lineOffset: 0,
          gaps: [],
          synchronous: false,
          using: false,
          ownState: false,
          url: 'node:builtin',
          kind: undefined,
        }
      : found === undefined
        ? sliceText({ text, subject, callSite: o.callSite, captures: o.captures ?? {} })
        : {
            ...slice({ module: found.module, target: found.target, subject, captures: found.captures }),
            url: found.module.url,
            kind: found.kind,
            mapped: found.module.mapped,
          };
  const source: SliceSource = {
    kind: 'slice',
    text: cut.text,
    url: cut.url,
    lineOffset: cut.lineOffset,
    ...(cut.using ? { using: true } : {}),
    ...(cut.mapped ? { mapped: true } : {}),
    ...(cut.mapped && cut.gaps.length > 0 ? { gaps: cut.gaps } : {}),
  };
  const own = kindOf(fn);
  const kind = own === 'function' ? (cut.kind ?? 'function') : own;
  const captured =
    o.captures === undefined || Object.keys(o.captures).length === 0
      ? undefined
      : encodeCaptures(o.captures, o.isRef ?? (() => false));
  if (captured !== undefined && !(captured instanceof Uint8Array)) {
    throw badCaptureError(subject, captured, found === undefined ? undefined : useOf(found, captured.name), o.callSite);
  }
  const hash = createHash('sha256').update(`${source.url}\n${source.lineOffset}\n${source.text}`);
  // Two definitions of one text with different captured values are different functions.
  if (captured !== undefined) hash.update(`\n${randomUUID()}`);
  return {
    digest: hash.digest('hex'),
    name,
    kind,
    synchronous: kind === 'function' && cut.synchronous,
    source,
    ...(captured !== undefined || cut.ownState ? { ownState: true } : {}),
    ...(captured === undefined ? {} : { captures: captured }),
  };
}

interface Cut extends Slice {
  readonly url: string;
  readonly kind: FunctionKind | undefined;
  readonly mapped?: boolean;
}

const holders = ['Math', 'Number', 'String', 'Object', 'Array', 'JSON', 'BigInt', 'Date', 'Reflect', 'Buffer'] as const;

/** `Math.hypot`, for a function that every process has under that name. */
function builtinName(fn: unknown): string | undefined {
  const all = globalThis as unknown as Record<string, unknown>;
  for (const name of globalNames) if (name !== 'Function' && name !== 'eval' && all[name] === fn) return name;
  for (const holder of holders) {
    const members = all[holder] as Record<string, unknown>;
    for (const key of Object.getOwnPropertyNames(members)) {
      if (Object.getOwnPropertyDescriptor(members, key)?.value === fn) return `${holder}.${key}`;
    }
  }
  return undefined;
}

/** Where a function uses a captured value; the function itself, when that is not in its own text. */
function useOf({ module, target, captures }: Found, name: string): { module: SourceModule; offset: number } {
  const use = freeReferences(module.analysis, target).find(({ node }) => captures.get(node.name) === name);
  return { module, offset: (use?.node ?? target).start };
}
